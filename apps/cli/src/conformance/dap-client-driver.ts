/** The client's part of a transcript: every report as it was made, sealed and uploaded. DAP §4.4.2. */
import { concatBytes } from '@privacy-edge/bytes';
import {
  checkUpload,
  DapError,
  HpkeCiphertext,
  helperShareOf,
  inputShareAad,
  inputShareInfo,
  leaderShareOf,
  openReports,
  PlaintextInputShare,
  prepareReports,
  REPORT_ERROR,
  Report,
  type ReportMaker,
  ReportMetadata,
  ROLE_HELPER,
  ROLE_LEADER,
  systemRandom,
  UploadReader,
  UploadRequest,
} from '@privacy-edge/dap';
import { readMeasurement } from './dap-measurements.ts';
import type { Parties } from './dap-parties.ts';
import type { RecordedReport, RecordedSeal, Transcript } from './dap-transcript.ts';
import { expectBytes, expectSame, recordedRandom, VectorError } from './vector.ts';

/** Both aggregators, in the order of all pairs. */
const SIDES = [
  { side: 0, name: 'leader', role: ROLE_LEADER, shareOf: leaderShareOf },
  { side: 1, name: 'helper', role: ROLE_HELPER, shareOf: helperShareOf },
] as const;

/** Sizes of the pieces that an upload arrives in. */
const PIECES: readonly number[] = [Number.POSITIVE_INFINITY, 1, 97];

/** Checks all reports, and the upload of them. */
export async function checkClient(transcript: Transcript, parties: Parties): Promise<void> {
  const [leader, helper] = parties.aggregators;
  const maker = await prepareReports(parties.task, leader.task.vdaf, leader.key.config, helper.key.config);
  for (const [i, recorded] of transcript.reports.entries()) {
    const what = `report ${i}`;
    const report = Report.decode(recorded.encoded);
    checkParts(what, recorded, report, parties);
    checkAccepted(what, recorded, report, parties);
    for (const { side } of SIDES) await checkSeal(`${what}, share ${side}`, recorded, side, parties);
    // What is spoiled on purpose was spoiled after sharding.
    if (recorded.fault === undefined) await checkMade(what, recorded, report, parties, maker);
  }
  checkUploadRequest(transcript);
}

/** Every part of a report, as it is recorded by itself and as it is in the report. */
function checkParts(what: string, recorded: RecordedReport, report: Report, { task }: Parties): void {
  const { reportMetadata, publicShare } = report;
  expectBytes(`${what}: identifier`, reportMetadata.reportId, recorded.reportId);
  expectSame(`${what}: time`, reportMetadata.time, recorded.time);
  const start = ReportMetadata.encode({ ...reportMetadata, publicExtensions: [] }).length;
  const extensions = ReportMetadata.encode(reportMetadata).subarray(start);
  expectBytes(`${what}: public extensions`, extensions, recorded.publicExtensions);
  expectBytes(`${what}: public share`, publicShare, recorded.publicShare);
  expectBytes(`${what}: additional data`, inputShareAad(task, reportMetadata, publicShare), recorded.aad);
  const sealed = [report.leaderEncryptedInputShare, report.helperEncryptedInputShare] as const;
  for (const { side, name, role } of SIDES) {
    const { info, enc, payload, ciphertext } = recorded.seals[side];
    expectBytes(`${what}: info for the ${name}`, inputShareInfo(task.version, role), info);
    expectBytes(`${what}: sealed share of the ${name}`, HpkeCiphertext.encode(sealed[side]), ciphertext);
    const { configId } = sealed[side];
    expectBytes(`${what}: its parts`, HpkeCiphertext.encode({ configId, enc, payload }), ciphertext);
  }
  expectBytes(`${what}: encoded again`, Report.encode(report), recorded.encoded);
}

/** A report without a fault is one that a leader takes in. */
function checkAccepted(what: string, recorded: RecordedReport, report: Report, parties: Parties): void {
  if (recorded.fault !== undefined) return;
  const [{ task, findOpener }] = parties.aggregators;
  const error = checkUpload(task, report, (id) => findOpener(id) !== undefined, parties.now);
  expectSame(`${what}: error when it is uploaded`, error ?? null, null);
}

/** A sealed share opens to the recorded plaintext; only a report that is refused for it may have one that does not. */
async function checkSeal(what: string, recorded: RecordedReport, side: 0 | 1, parties: Parties): Promise<void> {
  const { plaintext, ciphertext } = recorded.seals[side];
  const sealed = HpkeCiphertext.decode(ciphertext);
  const opener = parties.aggregators[side].findOpener(sealed.configId);
  const opened = opener && (await orNothing(() => opener.open(recorded.aad, sealed)));
  if (opened !== undefined) expectBytes(what, opened, plaintext);
  else if (!recorded.errors.includes(REPORT_ERROR.HPKE_DECRYPT_ERROR))
    throw new VectorError('MISMATCH', `${what} does not open`);
  const payload = recorded.inputShares[side];
  const { privateExtensions } = PlaintextInputShare.decode(plaintext);
  expectBytes(`${what}: plaintext`, PlaintextInputShare.encode({ privateExtensions, payload }), plaintext);
}

async function orNothing(open: () => Uint8Array | PromiseLike<Uint8Array>): Promise<Uint8Array | undefined> {
  try {
    return await open();
  } catch (error) {
    if (error instanceof DapError && error.code === 'OPEN_FAILED') return undefined;
    throw error;
  }
}

/** The same randomness gives the same report, but for the sealing, which opens to the same shares. */
async function checkMade(
  what: string,
  recorded: RecordedReport,
  report: Report,
  { task, aggregators, now }: Parties,
  maker: ReportMaker<never>,
): Promise<void> {
  const measurement = readMeasurement(task, recorded.measurement) as never;
  const time = new Date(1000 * recorded.time * task.configuration.timePrecision);
  const made = await maker.createReport(measurement, time, reportRandom(recorded), extensionsOf(recorded, report));
  expectBytes(`${what}: public share made anew`, made.publicShare, recorded.publicShare);
  expectBytes(
    `${what}: metadata made anew`,
    ReportMetadata.encode(made.reportMetadata),
    ReportMetadata.encode(report.reportMetadata),
  );
  for (const { side, name, shareOf } of SIDES) {
    const { task: receiver, findOpener } = aggregators[side];
    const [opened] = await openReports(receiver, [shareOf(made)], findOpener, now);
    if (opened?.kind !== 'opened') throw new VectorError('MISMATCH', `${what} made anew does not open at the ${name}`);
    expectBytes(`${what}: share of the ${name} made anew`, opened.inputShare, recorded.inputShares[side]);
  }
}

function extensionsOf({ seals: [leader, helper] }: RecordedReport, { reportMetadata }: Report) {
  const privateExtensions = ({ plaintext }: RecordedSeal) => PlaintextInputShare.decode(plaintext).privateExtensions;
  return {
    public: reportMetadata.publicExtensions,
    leader: privateExtensions(leader),
    helper: privateExtensions(helper),
  };
}

/** The identifier and what sharding takes, as recorded; the ephemeral keys are new ones. */
function reportRandom({ reportId, rand }: RecordedReport): (length: number) => Uint8Array {
  const fixed = [reportId.length, rand.length];
  const random = recordedRandom(concatBytes(reportId, rand));
  return (length) => {
    const next = fixed.shift();
    if (next === undefined) return systemRandom(length);
    expectSame('length of the randomness', length, next);
    return random(length);
  };
}

function checkUploadRequest({ reports, uploadRequest }: Transcript): void {
  const encoded = reports.map((report) => report.encoded);
  expectBytes('upload request', concatBytes(...encoded), uploadRequest);
  expectBytes('upload request encoded again', UploadRequest.encode(UploadRequest.decode(uploadRequest)), uploadRequest);
  for (const size of PIECES) {
    const reader = new UploadReader(uploadRequest.length);
    const read: Report[] = [];
    const step = Math.min(size, uploadRequest.length);
    for (let at = 0; at < uploadRequest.length; at += step)
      read.push(...reader.push(uploadRequest.subarray(at, at + step)));
    reader.end();
    expectBytes(`upload request in pieces of ${size}`, UploadRequest.encode(read), uploadRequest);
  }
}
