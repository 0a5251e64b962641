/** Whole tasks as others ran them, where a checkout has them beside it: every message in both directions, byte by byte. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { concatBytes, fromHex, isPromiseLike, toHex } from '@privacy-edge/bytes';
import {
  AggregateShare,
  type AggregatorRole,
  type AggregatorTask,
  accumulate,
  advanceHelperJob,
  advanceLeaderJob,
  aggregateShareAad,
  BATCH_MODE_TIME_INTERVAL,
  bucketOf,
  CollectionJobResp,
  checkAgreement,
  checkBatchSize,
  combineBuckets,
  createAggregateShareReq,
  createTask,
  createTaskVdaf,
  type FinishedReport,
  type HelperJob,
  HpkeCiphertext,
  HpkeConfig,
  HpkeConfigList,
  type HpkeKey,
  helperJobAfter,
  helperShareOf,
  importHpkeKey,
  inputShareAad,
  inputShareInfo,
  isVersionTag,
  leaderShareOf,
  type OpenedReport,
  openReports,
  PlaintextInputShare,
  prepareOpener,
  prepareReports,
  prepareResults,
  type Rejection,
  Report,
  ROLE_HELPER,
  ROLE_LEADER,
  receiveAggregateShareReq,
  receiveCollection,
  receiveContinue,
  receiveInit,
  startHelperJob,
  startLeaderJob,
  systemRandom,
  TaskConfiguration,
  UploadReader,
  UploadRequest,
  type VerifiedReport,
} from '../src/index.ts';

const FOLDER = new URL('../../../../shared/vectors/dap/', import.meta.url);

interface Key {
  readonly private_key: string;
  readonly hpke_config: string;
  readonly hpke_config_list: string;
}

interface SealedShare {
  readonly plaintext_input_share: string;
  readonly info: string;
  readonly hpke_ciphertext: string;
}

interface TranscriptReport {
  readonly measurement: unknown;
  readonly rand: string;
  readonly report_id: string;
  readonly public_share: string;
  readonly leader_input_share: string;
  readonly helper_input_share: string;
  readonly input_share_aad: string;
  readonly leader: SealedShare;
  readonly helper: SealedShare;
  readonly report: string;
  readonly time: number;
  readonly fault: string | null;
  readonly leader_init_message: string;
  readonly helper_verify_resp: string;
  readonly leader_continue_message: string | null;
  readonly report_error: number | null;
}

interface Transcript {
  readonly version_tag: string;
  readonly task_id: string;
  readonly task_configuration: { readonly encoded: string; readonly batch_mode: number };
  readonly vdaf_verify_key: string;
  readonly hpke: Readonly<Record<'leader' | 'helper' | 'collector', Key>>;
  readonly reports: readonly TranscriptReport[];
  readonly upload_request: string;
  readonly agg_param: string;
  readonly batch_id: string | null;
  readonly aggregation_job_init_req: string;
  readonly aggregation_job_init_resp: string;
  readonly aggregation_job_continue_req: string | null;
  readonly aggregation_job_continue_resp: string | null;
  readonly batch_buckets: Readonly<Record<string, { readonly report_count: number; readonly checksum: string }>>;
  readonly report_count: number;
  readonly checksum: string;
  readonly collection_job_req: string;
  readonly aggregate_share_req: string;
  readonly aggregate_share_aad: string;
  readonly aggregate_shares: readonly { readonly plaintext: string; readonly hpke_ciphertext: string }[];
  readonly helper_aggregate_share_message: string;
  readonly collection_job_resp: string;
  readonly aggregate_result: unknown;
}

const PARTIES = [
  { name: 'leader', role: ROLE_LEADER },
  { name: 'helper', role: ROLE_HELPER },
] as const;

/** A measurement as the VDAF of the task takes it. */
function measurementOf(measurement: unknown): unknown {
  if (!Array.isArray(measurement) || typeof measurement[0] !== 'boolean') return measurement;
  const packed = new Uint8Array(Math.ceil(measurement.length / 8));
  for (const [i, bit] of (measurement as boolean[]).entries()) if (bit) packed[i >> 3]! |= 0x80 >> (i & 7);
  return packed;
}

/** The numbers of a result in the order of the transcripts. */
function numbersOf(result: unknown): number[] {
  if (typeof result === 'number' || typeof result === 'bigint') return [Number(result)];
  return Object.values(result as object).flatMap(numbersOf);
}

function keyOf({ hpke_config, private_key }: Key): HpkeKey {
  return now(importHpkeKey(HpkeConfig.decode(fromHex(hpke_config)), fromHex(private_key)));
}

/** A value that must be there already. */
function now<T>(value: T | PromiseLike<T>): T {
  assert.ok(!isPromiseLike(value));
  return value;
}

class Replay {
  readonly transcript: Transcript;
  readonly leader: AggregatorTask;
  readonly helper: AggregatorTask;
  readonly parameter: Uint8Array;
  readonly batchId: Uint8Array | undefined;
  readonly clock: Date;

  constructor(transcript: Transcript) {
    this.transcript = transcript;
    assert.ok(isVersionTag(transcript.version_tag));
    const configuration = TaskConfiguration.decode(fromHex(transcript.task_configuration.encoded));
    const task = createTask(fromHex(transcript.task_id), configuration, transcript.version_tag);
    const aggregator = (role: AggregatorRole): AggregatorTask => ({
      ...task,
      role,
      vdaf: createTaskVdaf(task),
      verifyKey: fromHex(transcript.vdaf_verify_key),
      clockToleranceSeconds: 300,
      reportExtensions: new Set(),
    });
    this.leader = aggregator(ROLE_LEADER);
    this.helper = aggregator(ROLE_HELPER);
    this.parameter = fromHex(transcript.agg_param);
    this.batchId = transcript.batch_id === null ? undefined : fromHex(transcript.batch_id);
    const latest = Math.max(...transcript.reports.map(({ time }) => time));
    this.clock = new Date(1000 * (latest + 1) * configuration.timePrecision);
  }

  open(task: AggregatorTask, shares: Parameters<typeof openReports>[1]): (OpenedReport | Rejection)[] {
    const { name } = PARTIES[task.role - ROLE_LEADER]!;
    const key = keyOf(this.transcript.hpke[name]);
    const opener = now(prepareOpener(key, inputShareInfo(task.version, task.role)));
    const find = (id: number): typeof opener | undefined => (id === key.config.id ? opener : undefined);
    return now(openReports(task, shares, find, this.clock));
  }

  /** The helper's step, up to the answer. */
  helperStart(body: Uint8Array): { job: HelperJob; verified: VerifiedReport[] } {
    const init = receiveInit(this.helper, body);
    const opened = this.open(
      this.helper,
      init.verifyInits.map(({ reportShare }) => reportShare),
    );
    const verified = startHelperJob(this.helper, init, opened);
    return { job: helperJobAfter(init, 0, body, verified), verified };
  }

  checkBuckets(task: AggregatorTask, finished: readonly FinishedReport[]): void {
    const buckets = accumulate(task.vdaf, this.parameter, this.batchId, finished);
    const expected = Object.entries(this.transcript.batch_buckets).map(([id, { report_count, checksum }]) => ({
      bucket: toHex(this.batchId ?? bucketOf(Number(id), undefined)),
      reportCount: report_count,
      checksum,
    }));
    const found = buckets.map(({ bucket, reportCount, checksum }) => ({
      bucket: toHex(bucket),
      reportCount,
      checksum: toHex(checksum),
    }));
    assert.deepEqual(sorted(found), sorted(expected));
    const aggregate = combineBuckets(task, this.parameter, buckets);
    checkBatchSize(task, aggregate);
    assert.equal(aggregate.reportCount, this.transcript.report_count);
    assert.equal(toHex(aggregate.checksum), this.transcript.checksum);
    const { role } = task;
    assert.equal(toHex(aggregate.aggregateShare), this.transcript.aggregate_shares[role - ROLE_LEADER]!.plaintext);
    if (role === ROLE_HELPER) {
      const request = receiveAggregateShareReq(task, fromHex(this.transcript.aggregate_share_req));
      checkAgreement(request, aggregate);
      assert.equal(toHex(request.encoded), this.transcript.collection_job_req);
      return;
    }
    const collection = receiveCollection(task, fromHex(this.transcript.collection_job_req));
    const batch =
      collection.batch.kind === 'next'
        ? ({ kind: 'leaderSelected', batchId: this.batchId! } as const)
        : collection.batch;
    assert.equal(toHex(createAggregateShareReq(collection, batch, aggregate)), this.transcript.aggregate_share_req);
    const { interval } = CollectionJobResp.decode(fromHex(this.transcript.collection_job_resp));
    assert.deepEqual(interval, aggregate.interval);
  }
}

function sorted<T extends { readonly bucket: string }>(list: readonly T[]): T[] {
  return [...list].sort((a, b) => (a.bucket < b.bucket ? -1 : 1));
}

function finishedOf(reports: readonly VerifiedReport[]): FinishedReport[] {
  return reports.filter((report): report is FinishedReport => report.kind === 'finished');
}

const names = existsSync(FOLDER) ? readdirSync(FOLDER).filter((name) => name.startsWith('transcript_')) : [];

for (const name of names) {
  const transcript = JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8')) as Transcript;
  const replay = new Replay(transcript);

  describe(name, () => {
    it('client: the same identifier, time and shares give the same report, but for the sealing', () => {
      for (const recorded of transcript.reports) {
        const { reportMetadata, publicShare } = Report.decode(fromHex(recorded.report));
        assert.equal(toHex(inputShareAad(replay.leader, reportMetadata, publicShare)), recorded.input_share_aad);
        for (const { name: party, role } of PARTIES) {
          assert.equal(toHex(inputShareInfo(replay.leader.version, role)), recorded[party].info);
          const opened = PlaintextInputShare.decode(fromHex(recorded[party].plaintext_input_share));
          assert.equal(toHex(opened.payload), recorded[`${party}_input_share`]);
        }
      }
      const [leaderConfig, helperConfig] = (['leader', 'helper'] as const).map(
        (party) => HpkeConfigList.decode(fromHex(transcript.hpke[party].hpke_config_list))[0]!,
      );
      const maker = now(prepareReports(replay.leader, replay.leader.vdaf, leaderConfig!, helperConfig!));
      for (const recorded of transcript.reports) {
        // What was broken on purpose was broken after sharding.
        if (recorded.fault !== null) continue;
        const fixed = [recorded.report_id, recorded.rand].map((hex) => fromHex(hex));
        const time = new Date(1000 * recorded.time * replay.leader.configuration.timePrecision);
        const random = (length: number): Uint8Array => fixed.shift() ?? systemRandom(length);
        const report = now(maker.createReport(measurementOf(recorded.measurement) as never, time, random));
        const expected = Report.decode(fromHex(recorded.report));
        assert.deepEqual(report.reportMetadata, expected.reportMetadata);
        assert.deepEqual(report.publicShare, expected.publicShare);
        for (const [task, shareOf] of [
          [replay.leader, leaderShareOf],
          [replay.helper, helperShareOf],
        ] as const) {
          const [mine, theirs] = replay.open(task, [shareOf(report), shareOf(expected)]);
          assert.equal(mine!.kind, 'opened');
          assert.deepEqual(mine, theirs);
        }
      }
    });

    it('upload: the reports, one after the other', () => {
      const body = fromHex(transcript.upload_request);
      const reports = UploadRequest.decode(body);
      assert.deepEqual(
        reports.map((report) => toHex(Report.encode(report))),
        transcript.reports.map(({ report }) => report),
      );
      assert.deepEqual(new UploadReader(100_000).push(body), reports);
    });

    it('leader: the very requests, and the buckets', () => {
      const reports = UploadRequest.decode(fromHex(transcript.upload_request));
      const opened = replay.open(replay.leader, reports.map(leaderShareOf));
      const candidates = opened.map((entry, i) => {
        assert.ok(entry.kind === 'opened');
        return { opened: entry, helperEncryptedInputShare: reports[i]!.helperEncryptedInputShare };
      });
      const start = startLeaderJob(replay.leader, replay.parameter, replay.batchId, candidates);
      assert.equal(toHex(start.job!.request), transcript.aggregation_job_init_req);
      let step = advanceLeaderJob(replay.leader, start.job!, fromHex(transcript.aggregation_job_init_resp));
      const rejected = [...step.rejected];
      if (transcript.aggregation_job_continue_req !== null) {
        assert.equal(toHex(step.job!.request), transcript.aggregation_job_continue_req);
        step = advanceLeaderJob(replay.leader, step.job!, fromHex(transcript.aggregation_job_continue_resp!));
        rejected.push(...step.rejected);
      }
      assert.equal(step.job, undefined);
      assert.deepEqual(
        rejected.map(({ error }) => error),
        transcript.reports.flatMap(({ report_error }) => report_error ?? []),
      );
      replay.checkBuckets(replay.leader, step.finished);
    });

    it('helper: the very answers, and the buckets', () => {
      const start = replay.helperStart(fromHex(transcript.aggregation_job_init_req));
      assert.equal(toHex(start.job.response), transcript.aggregation_job_init_resp);
      if (transcript.aggregation_job_continue_req === null) {
        replay.checkBuckets(replay.helper, finishedOf(start.verified));
        return;
      }
      const body = fromHex(transcript.aggregation_job_continue_req);
      const request = receiveContinue(start.job, body);
      assert.ok(request.kind === 'advance');
      const verified = advanceHelperJob(replay.helper, start.job, request);
      const { response } = helperJobAfter(start.job, 1, body, verified);
      assert.equal(toHex(response), transcript.aggregation_job_continue_resp);
      replay.checkBuckets(replay.helper, finishedOf(verified));
    });

    it('collector: both shares open and give the result', () => {
      const request = fromHex(transcript.collection_job_req);
      assert.equal(toHex(aggregateShareAad(replay.leader, request)), transcript.aggregate_share_aad);
      const key = keyOf(transcript.hpke.collector);
      const opener = now(prepareResults(replay.leader, replay.leader.vdaf, key));
      const response = CollectionJobResp.decode(fromHex(transcript.collection_job_resp));
      const { encryptedAggregateShare } = AggregateShare.decode(fromHex(transcript.helper_aggregate_share_message));
      assert.deepEqual(response.helperEncryptedAggShare, encryptedAggregateShare);
      assert.equal(
        toHex(concatBytes(HpkeCiphertext.encode(response.leaderEncryptedAggShare))),
        transcript.aggregate_shares[0]!.hpke_ciphertext,
      );
      const { result, reportCount, interval } = now(opener.open(request, fromHex(transcript.collection_job_resp)));
      assert.deepEqual(numbersOf(result), numbersOf(transcript.aggregate_result));
      assert.equal(reportCount, transcript.report_count);
      if (transcript.task_configuration.batch_mode === BATCH_MODE_TIME_INTERVAL) assert.ok(interval.duration > 0);
    });
  });
}
