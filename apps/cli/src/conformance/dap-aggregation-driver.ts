/** The aggregation job of a transcript, on both sides. DAP §4.5. */
import { toHex } from '@privacy-edge/bytes';
import {
  AggregationJobContinueReq,
  AggregationJobInitReq,
  AggregationJobResp,
  advanceLeaderJob,
  type FinishedReport,
  type LeaderCandidate,
  type LeaderJob,
  type LeaderStep,
  leaderShareOf,
  openReports,
  Report,
  resourcePath,
  startLeaderJob,
  VerifyInit,
  VerifyResp,
} from '@privacy-edge/dap';
import type { Helper, HelperResponse } from './dap-helper.ts';
import type { Parties } from './dap-parties.ts';
import type { RecordedReport, Transcript } from './dap-transcript.ts';
import { expectBytes, expectSame, VectorError } from './vector.ts';

/** Runs the leader against the recorded answers: every request is the recorded one, and so is every verdict. */
export async function checkLeader(transcript: Transcript, parties: Parties): Promise<readonly FinishedReport[]> {
  const [{ task }] = parties.aggregators;
  const { aggregationParameter, batchId } = transcript;
  const errors = new Map<string, number>();
  const { candidates } = await openAtLeader(transcript, parties, errors);
  const start = startLeaderJob(task, aggregationParameter, batchId, candidates);
  expectRequest('start of the job', note(start, errors), transcript.initRequest);
  let step = advanceLeaderJob(task, running(start), transcript.initResponse);
  const finished = [...step.finished];
  if (transcript.continueRequest !== undefined && transcript.continueResponse !== undefined) {
    expectRequest('continuation of the job', note(step, errors), transcript.continueRequest);
    step = advanceLeaderJob(task, running(step), transcript.continueResponse);
    finished.push(...step.finished);
  }
  note(step, errors);
  expectSame('job goes on', step.job !== undefined, false);
  for (const [i, { reportId, errors: allowed }] of transcript.reports.entries()) {
    const error = errors.get(toHex(reportId));
    const isAllowed = error === undefined ? allowed.length === 0 : allowed.includes(error);
    if (!isAllowed) expectSame(`error of report ${i}`, error ?? null, allowed[0] ?? null);
  }
  return finished;
}

/** The leader's own checks come first; what they reject the helper never hears of. */
async function openAtLeader(
  { reports }: Transcript,
  { aggregators: [{ task, findOpener }], now }: Parties,
  errors: Map<string, number>,
): Promise<{ readonly candidates: LeaderCandidate[] }> {
  const decoded = reports.map(({ encoded }) => Report.decode(encoded));
  const opened = await openReports(task, decoded.map(leaderShareOf), findOpener, now);
  const candidates = opened.flatMap((entry, i) => {
    const report = decoded[i];
    if (entry.kind === 'rejected') errors.set(toHex(entry.reportId), entry.error);
    if (entry.kind === 'rejected' || report === undefined) return [];
    return [{ opened: entry, helperEncryptedInputShare: report.helperEncryptedInputShare }];
  });
  return { candidates };
}

function note(step: LeaderStep, errors: Map<string, number>): LeaderStep {
  for (const { reportId, error } of step.rejected) errors.set(toHex(reportId), error);
  return step;
}

function running({ job }: LeaderStep): LeaderJob {
  if (job === undefined) throw new VectorError('MISMATCH', 'the leader has no request to make');
  return job;
}

function expectRequest(what: string, step: LeaderStep, expected: Uint8Array): void {
  expectBytes(what, running(step).request, expected);
}

/** Sends the recorded requests to the helper: every answer is the recorded one, also when it is asked for again. */
export async function checkHelper(transcript: Transcript, { task }: Parties, helper: Helper): Promise<void> {
  const { initRequest, initResponse, continueRequest, continueResponse } = transcript;
  const path = resourcePath(task.taskId, 'aggregation_jobs');
  const start = { method: 'POST', path, message: 'aggregation-job-init-req', body: initRequest } as const;
  const started = await helper(start);
  expectAnswer('start of the job', started, initResponse, transcript);
  const again = await helper(start);
  expectSuccess('repeated start of the job', again, 'aggregation-job-resp');
  expectBytes('answer to the repeated start of the job', again.body, started.body);
  expectSame('place of the job after a repeated start', again.location ?? null, started.location ?? null);
  if (continueRequest === undefined || continueResponse === undefined) {
    expectSame('continuation is recorded', continueRequest !== undefined, continueResponse !== undefined);
    return;
  }
  if (started.location === undefined) throw new VectorError('MISMATCH', 'the helper does not say where the job is');
  const next = {
    method: 'POST',
    path: started.location,
    message: 'aggregation-job-continue-req',
    body: continueRequest,
  } as const;
  expectAnswer('continuation of the job', await helper(next), continueResponse, transcript);
  expectAnswer('repeated continuation of the job', await helper(next), continueResponse, transcript);
}

function expectAnswer(what: string, answer: HelperResponse, expected: Uint8Array, transcript: Transcript): void {
  expectSuccess(what, answer, 'aggregation-job-resp');
  expectBytes(`answer to the ${what}`, withRecordedErrors(answer.body, transcript), expected);
}

/** @throws {@link VectorError} `MISMATCH` for any other answer than one with this message */
export function expectSuccess(what: string, { status, problem, message }: HelperResponse, expected: string): void {
  expectSame(`problem with the ${what}`, problem ?? null, null);
  expectSame(`success of the ${what}`, status >= 200 && status < 300, true);
  expectSame(`message that answers the ${what}`, message, expected);
}

/** Where the document allows several errors, the recorded one stands for all of them. */
function withRecordedErrors(body: Uint8Array, { reports }: Transcript): Uint8Array {
  const recorded = new Map(reports.map(({ reportId, errors }) => [toHex(reportId), errors]));
  return AggregationJobResp.encode(
    AggregationJobResp.decode(body).map((answer) => {
      if (answer.kind !== 'reject') return answer;
      const errors = recorded.get(toHex(answer.reportId)) ?? [];
      const reportError = errors.includes(answer.reportError) ? errors[0] : answer.reportError;
      return { ...answer, reportError: reportError ?? answer.reportError };
    }),
  );
}

/** The messages about each report, which are recorded by themselves and as parts of the job's. */
export function checkReportMessages(transcript: Transcript): void {
  const { verificationKeyId, verifyInits } = AggregationJobInitReq.decode(transcript.initRequest);
  expectSame('identifier of the verification key', verificationKeyId, transcript.verificationKeyId);
  const asked = transcript.reports.filter(({ verifyInit }) => verifyInit !== undefined);
  expectParts('request about a report', asked, 'verifyInit', verifyInits.map(VerifyInit.encode));
  expectParts(
    'message of the leader',
    asked,
    'leaderInit',
    verifyInits.map(({ payload }) => payload),
  );
  const answers = AggregationJobResp.decode(transcript.initResponse);
  expectParts('answer about a report', asked, 'helperResponse', answers.map(VerifyResp.encode));
  const continued = transcript.reports.filter(({ leaderContinue }) => leaderContinue !== undefined);
  const continues =
    transcript.continueRequest === undefined
      ? []
      : AggregationJobContinueReq.decode(transcript.continueRequest).verifyContinues;
  expectParts(
    'second message of the leader',
    continued,
    'leaderContinue',
    continues.map(({ payload }) => payload),
  );
}

function expectParts(
  what: string,
  reports: readonly RecordedReport[],
  member: 'verifyInit' | 'leaderInit' | 'helperResponse' | 'leaderContinue',
  parts: readonly Uint8Array[],
): void {
  expectSame(`number of times that there is a ${what}`, parts.length, reports.length);
  const nothing = new Uint8Array(0);
  for (const [i, report] of reports.entries())
    expectBytes(`${what}, the ${i}th,`, parts[i] ?? nothing, report[member] ?? nothing);
}
