/** Aggregation jobs, honest and not. DAP §4.5. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { toHex } from '@privacy-edge/bytes';
import { prepareRecipient, suiteOf } from '@privacy-edge/hpke';
import fc from 'fast-check';
import {
  AggregationJobContinueReq,
  AggregationJobInitReq,
  AggregationJobResp,
  advanceLeaderJob,
  BATCH_MODE_LEADER_SELECTED,
  checksumOf,
  helperShareOf,
  inputShareInfo,
  JOB_EXTENSION_LEADER_SELECTED_BATCH_ID,
  type LeaderJob,
  mergeAggregates,
  openReports,
  REPORT_ERROR,
  REPORT_EXTENSION_ADMISSION,
  type Report,
  ROLE_HELPER,
  receiveContinue,
  receiveInit,
  rejection,
  ShareOpener,
  startHelperJob,
  startLeaderJob,
  type VerifyResp,
} from '../src/index.ts';
import {
  codeOf,
  extension,
  flipBit,
  NOTHING,
  NOW,
  NOW_TIME,
  numRuns,
  type Parties,
  parties,
  random,
} from './fixture.ts';
import { type HelperAnswer, helperContinue, helperStart, leaderStart, runJob } from './flow.ts';
import type { ToyMeasurement } from './toy-vdaf.ts';

const PARAMETER = Uint8Array.of(3);
const BATCH_ID = new Uint8Array(32).fill(9);
const LEADER_SELECTED = { changes: { batchMode: BATCH_MODE_LEADER_SELECTED } };

async function reportsOf(all: Parties, measurements: readonly ToyMeasurement[], now: Date = NOW): Promise<Report[]> {
  return Promise.all(measurements.map(async (measurement) => all.maker.createReport(measurement, now, random)));
}

function errors(rejected: readonly { readonly error: number }[]): number[] {
  return rejected.map(({ error }) => error);
}

describe('Aggregation jobs', () => {
  for (const rounds of [1, 2] as const) {
    const parameter = rounds === 1 ? NOTHING : PARAMETER;

    it(`aggregate what verifies, in ${rounds} rounds`, async () => {
      const all = await parties({ rounds });
      const reports = await reportsOf(all, [5, { badFor: 'leader' }, 7, { badFor: 'helper' }, 11]);
      const { finished, rejected } = await runJob(all, reports, parameter);
      assert.equal(finished.length, 3);
      assert.deepEqual(errors(rejected), [REPORT_ERROR.VDAF_VERIFY_ERROR, REPORT_ERROR.VDAF_VERIFY_ERROR]);
      for (const { store } of [all.leader, all.helper]) {
        assert.equal(store.aggregated.size, 3);
        assert.deepEqual(
          store.buckets.map(({ reportCount, checksum, interval }) => ({ reportCount, checksum, interval })),
          [
            {
              reportCount: 3,
              checksum: checksumOf(finished.map(({ reportId }) => reportId)),
              interval: { start: NOW_TIME, duration: 1 },
            },
          ],
        );
      }
    });

    it(`sum the measurements of honest clients, in ${rounds} rounds`, async () => {
      const all = await parties({ rounds });
      let sum = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(fc.nat(1000), { minLength: 1, maxLength: 5 }), async (measurements) => {
          await runJob(all, await reportsOf(all, measurements), parameter);
          sum += measurements.reduce((a, b) => a + b, 0);
          const merged = [all.leader, all.helper].map(({ task, store }) =>
            mergeAggregates(task.vdaf, parameter, store.buckets),
          );
          const [leader, helper] = merged.map(({ aggregateShare }) => aggregateShare);
          assert.equal(all.leader.task.vdaf.unshard(parameter, [leader!, helper!], 0), sum);
          assert.deepEqual(merged[0]!.checksum, merged[1]!.checksum);
        }),
        { numRuns: Math.ceil(numRuns / 50) },
      );
    });
  }

  it('reject a share that does not decode with an error of its own', async () => {
    const all = await parties();
    const { rejected } = await runJob(all, await reportsOf(all, ['malformed', 1]));
    assert.deepEqual(errors(rejected), [REPORT_ERROR.INVALID_MESSAGE]);
  });

  it('run on promises as well', async () => {
    const all = await parties();
    const reports = await reportsOf(all, [1, 2, 3]);
    const { config, privateKey } = all.helper.key;
    const suite = suiteOf(config.kemId, config.kdfId, config.aeadId);
    const setup = await prepareRecipient(suite, privateKey, inputShareInfo('dap-18', ROLE_HELPER));
    const later = new ShareOpener(config.id, { ...setup, setup: async (enc) => setup.setup(enc) });
    const shares = reports.map(helperShareOf);
    shares[1] = { ...shares[1]!, publicShare: NOTHING };
    const opened = await openReports(all.helper.task, shares, () => later, NOW);
    assert.deepEqual(
      opened.map((entry) => (entry.kind === 'rejected' ? entry.error : entry.kind)),
      ['opened', REPORT_ERROR.HPKE_DECRYPT_ERROR, 'opened'],
    );
  });

  it('aggregate a report once', async () => {
    const all = await parties();
    const reports = await reportsOf(all, [1, 2]);
    await runJob(all, reports);
    const { finished, rejected } = await runJob(all, reports);
    assert.equal(finished.length + rejected.length, 0);
    // A leader that forgets asks the helper in vain.
    all.leader.store.aggregated.clear();
    const again = await runJob(all, reports);
    assert.deepEqual(errors(again.rejected), [REPORT_ERROR.REPORT_REPLAYED, REPORT_ERROR.REPORT_REPLAYED]);
    assert.equal(again.finished.length, 0);
    assert.equal(all.helper.store.buckets.length, 1);
  });

  it('put reports into the batch that the leader names', async () => {
    const all = await parties(LEADER_SELECTED);
    await runJob(all, await reportsOf(all, [1, 2], new Date(NOW.getTime() - 3_600_000)), NOTHING, BATCH_ID);
    await runJob(all, await reportsOf(all, [4]), NOTHING, BATCH_ID);
    assert.deepEqual(
      all.helper.store.buckets.map(({ bucket }) => toHex(bucket)),
      [toHex(BATCH_ID), toHex(BATCH_ID)],
    );
    const { interval } = mergeAggregates(all.helper.task.vdaf, NOTHING, all.helper.store.buckets);
    assert.deepEqual(interval, { start: NOW_TIME - 60, duration: 61 });
  });

  it('sends nothing when no report is left', async () => {
    const all = await parties();
    const { job, rejected } = await leaderStart(
      all.leader,
      NOTHING,
      undefined,
      await reportsOf(all, [{ badFor: 'leader' }]),
    );
    assert.equal(job, undefined);
    assert.deepEqual(errors(rejected), [REPORT_ERROR.VDAF_VERIFY_ERROR]);
  });
});

describe('startLeaderJob()', () => {
  it('refuses a parameter that the VDAF does not allow', async () => {
    const { leader } = await parties();
    assert.equal(
      await codeOf(() => startLeaderJob(leader.task, PARAMETER, undefined, [])),
      'INVALID_AGGREGATION_PARAMETER',
    );
  });

  it('takes a batch identifier in the leader-selected mode only', async () => {
    const { leader } = await parties();
    assert.throws(() => startLeaderJob(leader.task, NOTHING, BATCH_ID, []), TypeError);
    const selected = (await parties(LEADER_SELECTED)).leader;
    assert.throws(() => startLeaderJob(selected.task, NOTHING, undefined, []), TypeError);
    assert.throws(() => startLeaderJob(selected.task, NOTHING, new Uint8Array(31), []), RangeError);
  });
});

describe('openReports()', () => {
  async function errorOf(change: (report: Report) => Report, options: { readonly now?: Date } = {}): Promise<unknown> {
    const { helper, maker } = await parties({ extensions: { taskInterval: { start: NOW_TIME - 10, duration: 20 } } });
    const report = change(await maker.createReport(1, NOW, random));
    const [entry] = await openReports(helper.task, [helperShareOf(report)], helper.findOpener, options.now ?? NOW);
    return entry!.kind === 'rejected' ? entry!.error : entry!.kind;
  }
  const metadata = (change: Partial<Report['reportMetadata']>) => (report: Report) => ({
    ...report,
    reportMetadata: { ...report.reportMetadata, ...change },
  });

  it('opens what is untouched', async () => {
    assert.equal(await errorOf((report) => report), 'opened');
  });

  it('rejects a report that was changed anywhere', async () => {
    const changes: readonly ((report: Report) => Report)[] = [
      metadata({ reportId: new Uint8Array(16) }),
      metadata({ time: NOW_TIME - 1 }),
      metadata({ publicExtensions: [extension(REPORT_EXTENSION_ADMISSION)] }),
      (report) => ({ ...report, publicShare: Uint8Array.of(1, 2, 3) }),
      ...(['enc', 'payload'] as const).map((field) => (report: Report) => {
        const share = report.helperEncryptedInputShare;
        return { ...report, helperEncryptedInputShare: { ...share, [field]: flipBit(share[field], 13) } };
      }),
      // The leader's share in the place of the helper's.
      (report) => ({
        ...report,
        helperEncryptedInputShare: { ...report.leaderEncryptedInputShare, configId: 22 },
      }),
    ];
    for (const change of changes) assert.equal(await errorOf(change), REPORT_ERROR.HPKE_DECRYPT_ERROR);
  });

  it('rejects a share for an unknown key with the error of a share that does not open', async () => {
    const change = (report: Report): Report => ({
      ...report,
      helperEncryptedInputShare: { ...report.helperEncryptedInputShare, configId: 99 },
    });
    assert.equal(await errorOf(change), REPORT_ERROR.HPKE_DECRYPT_ERROR);
  });

  it('rejects times outside of the task and in the future', async () => {
    assert.equal(await errorOf(metadata({ time: NOW_TIME - 11 })), REPORT_ERROR.TASK_NOT_STARTED);
    assert.equal(await errorOf(metadata({ time: NOW_TIME + 10 })), REPORT_ERROR.TASK_EXPIRED);
    assert.equal(await errorOf(metadata({ time: NOW_TIME + 9 })), REPORT_ERROR.REPORT_TOO_EARLY);
    const behind = (seconds: number): Date => new Date(NOW.getTime() - 1000 * seconds);
    assert.equal(await errorOf((report) => report, { now: behind(300) }), 'opened');
    assert.equal(await errorOf((report) => report, { now: behind(301) }), REPORT_ERROR.REPORT_TOO_EARLY);
  });

  it('drops a report that it can no longer judge', async () => {
    const { helper, maker } = await parties();
    const share = helperShareOf(await maker.createReport(1, NOW, random));
    for (const [rememberedSince, expected] of [
      [NOW_TIME, 'opened'],
      [NOW_TIME + 1, REPORT_ERROR.REPORT_DROPPED],
    ] as const) {
      const task = { ...helper.task, rememberedSince };
      const [entry] = await openReports(task, [share], helper.findOpener, NOW);
      assert.equal(entry!.kind === 'rejected' ? entry!.error : entry!.kind, expected);
    }
  });

  it('rejects extensions that are unknown, repeated or out of order', async () => {
    const { helper, maker } = await parties();
    const known = { ...helper.task, reportExtensions: new Set([1, 2, 3]) };
    const lists: readonly [readonly number[], readonly number[], boolean][] = [
      [[], [], true],
      [[1, 3], [2], true],
      [[2], [1, 3], true],
      [[4], [], false],
      [[], [4], false],
      [[1], [1], false],
      [[1, 3], [2, 3], false],
    ];
    for (const [inPublic, inPrivate, isValid] of lists) {
      const extensions = {
        public: inPublic.map((type) => extension(type)),
        helper: inPrivate.map((type) => extension(type, 7)),
      };
      const share = helperShareOf(await maker.createReport(1, NOW, random, extensions));
      const [entry] = await openReports(known, [share], helper.findOpener, NOW);
      assert.deepEqual(
        entry!.kind === 'opened' ? entry!.privateExtensions : entry,
        isValid ? extensions.helper : rejection(share.reportMetadata.reportId, REPORT_ERROR.INVALID_MESSAGE),
      );
    }
    const unsorted = { public: [extension(2), extension(1)] };
    assert.throws(() => maker.createReport(1, NOW, random, unsorted), RangeError);
  });
});

describe('receiveInit()', () => {
  async function request(
    all: Parties,
    change: Partial<AggregationJobInitReq>,
    batchId?: Uint8Array,
  ): Promise<Uint8Array> {
    const { job } = await leaderStart(all.leader, NOTHING, batchId, await reportsOf(all, [1, 2]));
    return AggregationJobInitReq.encode({ ...AggregationJobInitReq.decode(job!.request), ...change });
  }

  it('fails the job for what is wrong with all of it', async () => {
    const all = await parties();
    const { verifyInits } = AggregationJobInitReq.decode(await request(all, {}));
    const cases: readonly [Partial<AggregationJobInitReq>, string][] = [
      [{ verificationKeyId: 1 }, 'INVALID_MESSAGE'],
      [{ aggParam: PARAMETER }, 'INVALID_AGGREGATION_PARAMETER'],
      [{ extensions: [extension(JOB_EXTENSION_LEADER_SELECTED_BATCH_ID, ...BATCH_ID)] }, 'UNSUPPORTED_EXTENSION'],
      [{ verifyInits: [] }, 'INVALID_MESSAGE'],
      [{ verifyInits: [...verifyInits, verifyInits[0]!] }, 'INVALID_MESSAGE'],
    ];
    for (const [change, code] of cases) {
      const body = await request(all, change);
      assert.equal(await codeOf(() => receiveInit(all.helper.task, body)), code);
    }
    const body = await request(all, {});
    assert.equal(await codeOf(() => receiveInit(all.helper.task, body.subarray(0, -1))), 'INVALID_MESSAGE');
  });

  it('needs exactly one batch identifier in the leader-selected mode', async () => {
    const all = await parties(LEADER_SELECTED);
    const batch = extension(JOB_EXTENSION_LEADER_SELECTED_BATCH_ID, ...BATCH_ID);
    const cases: readonly [AggregationJobInitReq['extensions'], string][] = [
      [[], 'INVALID_MESSAGE'],
      [[extension(JOB_EXTENSION_LEADER_SELECTED_BATCH_ID, 1)], 'INVALID_MESSAGE'],
      [[batch, batch], 'INVALID_MESSAGE'],
      [[batch, extension(2)], 'UNSUPPORTED_EXTENSION'],
    ];
    for (const [extensions, code] of cases) {
      const body = await request(all, { extensions }, BATCH_ID);
      assert.equal(await codeOf(() => receiveInit(all.helper.task, body)), code);
    }
    assert.deepEqual(receiveInit(all.helper.task, await request(all, {}, BATCH_ID)).batchId, BATCH_ID);
  });

  it('reports unknown extensions by their types', async () => {
    const all = await parties();
    const body = await request(all, { extensions: [extension(23), extension(42)] });
    assert.throws(() => receiveInit(all.helper.task, body), { unsupportedExtensions: [23, 42] });
  });
});

describe('startHelperJob()', () => {
  it('leaves out what the caller has rejected, such as an admission', async () => {
    const all = await parties();
    const { job } = await leaderStart(all.leader, NOTHING, undefined, await reportsOf(all, [1, 2, 3]));
    const init = receiveInit(all.helper.task, job!.request);
    const shares = init.verifyInits.map(({ reportShare }) => reportShare);
    const opened = await openReports(all.helper.task, shares, all.helper.findOpener, NOW);
    opened[1] = rejection(shares[1]!.reportMetadata.reportId, REPORT_ERROR.REPORT_DROPPED);
    const verified = startHelperJob(all.helper.task, init, opened);
    assert.deepEqual(
      verified.map(({ kind }) => kind),
      ['finished', 'rejected', 'finished'],
    );
    assert.deepEqual(
      verified.map(({ reportId }) => reportId),
      shares.map(({ reportMetadata }) => reportMetadata.reportId),
    );
  });
});

describe('advanceLeaderJob()', () => {
  async function started(rounds: 1 | 2): Promise<{ all: Parties; job: LeaderJob; answers: readonly VerifyResp[] }> {
    const all = await parties({ rounds });
    const parameter = rounds === 1 ? NOTHING : PARAMETER;
    const { job } = await leaderStart(all.leader, parameter, undefined, await reportsOf(all, [1, 2, 3]));
    const { response } = await helperStart(all.helper, job!.request);
    return { all, job: job!, answers: AggregationJobResp.decode(response) };
  }

  it('abandons a job whose answer is not about its reports in their order', async () => {
    const { all, job, answers } = await started(1);
    const [a, b, c] = answers as [VerifyResp, VerifyResp, VerifyResp];
    const wrong: readonly (readonly VerifyResp[])[] = [
      [],
      [a, b],
      [a, b, c, c],
      [b, a, c],
      [a, a, c],
      [a, b, { ...c, reportId: new Uint8Array(16) }],
      [a, { kind: 'finish', reportId: b.reportId }, c],
    ];
    for (const list of wrong) {
      const response = AggregationJobResp.encode(list);
      assert.equal(await codeOf(() => advanceLeaderJob(all.leader.task, job, response)), 'JOB_ABANDONED');
    }
    const response = AggregationJobResp.encode(answers).subarray(1);
    assert.equal(await codeOf(() => advanceLeaderJob(all.leader.task, job, response)), 'JOB_ABANDONED');
  });

  it('rejects a report whose answer the VDAF refuses, or that the helper rejects', async () => {
    const { all, job, answers } = await started(1);
    const [a, b, c] = answers as [VerifyResp, VerifyResp, VerifyResp];
    const response = AggregationJobResp.encode([
      { kind: 'continue', reportId: a.reportId, payload: Uint8Array.of(5) },
      b,
      { kind: 'reject', reportId: c.reportId, reportError: REPORT_ERROR.REPORT_TOO_EARLY },
    ]);
    const step = advanceLeaderJob(all.leader.task, job, response);
    assert.deepEqual(errors(step.rejected), [REPORT_ERROR.VDAF_VERIFY_ERROR, REPORT_ERROR.REPORT_TOO_EARLY]);
    assert.deepEqual(
      step.finished.map(({ reportId }) => reportId),
      [b.reportId],
    );
    assert.equal(step.job, undefined);
  });

  it('leaves rejected reports out of the continuation and waits for the helper to finish', async () => {
    const { all, job, answers } = await started(2);
    const [a, b, c] = answers as [VerifyResp, VerifyResp, VerifyResp];
    const rejected: VerifyResp = { kind: 'reject', reportId: b.reportId, reportError: REPORT_ERROR.INVALID_MESSAGE };
    const { job: next, finished } = advanceLeaderJob(all.leader.task, job, AggregationJobResp.encode([a, rejected, c]));
    assert.equal(finished.length, 0);
    const { step, verifyContinues } = AggregationJobContinueReq.decode(next!.request);
    assert.equal(step, 1);
    assert.deepEqual(
      verifyContinues.map(({ reportId }) => reportId),
      [a.reportId, c.reportId],
    );
    const done = advanceLeaderJob(
      all.leader.task,
      next!,
      AggregationJobResp.encode([
        { kind: 'finish', reportId: a.reportId },
        { kind: 'reject', reportId: c.reportId, reportError: REPORT_ERROR.REPORT_REPLAYED },
      ]),
    );
    assert.deepEqual(
      [done.finished.length, errors(done.rejected), done.job],
      [1, [REPORT_ERROR.REPORT_REPLAYED], undefined],
    );
    const tooLong = AggregationJobResp.encode([a, c]);
    assert.equal(await codeOf(() => advanceLeaderJob(all.leader.task, next!, tooLong)), 'JOB_ABANDONED');
  });

  it('throws nothing but DapError, whatever the helper says', async () => {
    const { all, job, answers } = await started(1);
    const response = AggregationJobResp.encode(answers);
    for (let bit = 0; bit < 8 * response.length; bit++) {
      try {
        advanceLeaderJob(all.leader.task, job, flipBit(response, bit));
      } catch (error) {
        assert.equal((error as { code?: unknown }).code, 'JOB_ABANDONED');
      }
    }
  });
});

describe('receiveContinue()', () => {
  async function waiting(): Promise<{
    all: Parties;
    answer: HelperAnswer;
    request: AggregationJobContinueReq;
    body: Uint8Array;
  }> {
    const all = await parties({ rounds: 2 });
    const { job } = await leaderStart(all.leader, PARAMETER, undefined, await reportsOf(all, [1, 2, 3]));
    const answer = await helperStart(all.helper, job!.request);
    const { job: next } = advanceLeaderJob(all.leader.task, job!, answer.response);
    return { all, answer, request: AggregationJobContinueReq.decode(next!.request), body: next!.request };
  }

  it('gives a repeated request the same answer and counts nothing twice', async () => {
    const { all, answer, body } = await waiting();
    const first = helperContinue(all.helper, answer.job, body);
    const second = helperContinue(all.helper, first.job, body);
    assert.deepEqual(second, first);
    assert.equal(all.helper.store.buckets.length, 1);
  });

  it('refuses steps out of turn and a repeated step with another content', async () => {
    const { all, answer, request, body } = await waiting();
    const withStep = (step: number): Uint8Array => AggregationJobContinueReq.encode({ ...request, step });
    assert.equal(await codeOf(() => receiveContinue(answer.job, withStep(0))), 'INVALID_MESSAGE');
    assert.equal(await codeOf(() => receiveContinue(answer.job, withStep(2))), 'STEP_MISMATCH');
    const { job } = helperContinue(all.helper, answer.job, body);
    const changed = AggregationJobContinueReq.encode({ ...request, verifyContinues: request.verifyContinues.slice(1) });
    assert.equal(await codeOf(() => receiveContinue(job, changed)), 'STEP_MISMATCH');
    assert.equal(await codeOf(() => receiveContinue(job, withStep(3))), 'STEP_MISMATCH');
  });

  it('refuses reports that are unknown, there twice, out of order, or none', async () => {
    const { answer, request } = await waiting();
    const [a, b, c] = request.verifyContinues as [never, never, never];
    const unknown = { reportId: new Uint8Array(16), payload: Uint8Array.of(1) };
    for (const verifyContinues of [[], [a, a], [b, a], [a, c, b], [a, b, c, unknown], [unknown]]) {
      const body = AggregationJobContinueReq.encode({ step: 1, verifyContinues });
      assert.equal(await codeOf(() => receiveContinue(answer.job, body)), 'INVALID_MESSAGE');
    }
  });

  it('takes missing reports for given up', async () => {
    const { all, answer, request } = await waiting();
    const verifyContinues = [request.verifyContinues[0]!, request.verifyContinues[2]!];
    const body = AggregationJobContinueReq.encode({ step: 1, verifyContinues });
    const received = receiveContinue(answer.job, body);
    assert.equal(received.kind === 'advance' && received.dropped.length, 1);
    const { job, response } = helperContinue(all.helper, answer.job, body);
    assert.equal(all.helper.store.aggregated.size, 2);
    assert.equal(job.pending.length, 0);
    assert.deepEqual(
      AggregationJobResp.decode(response).map(({ kind }) => kind),
      ['finish', 'finish'],
    );
  });

  it('rejects a report whose message the VDAF refuses', async () => {
    const { all, answer, request } = await waiting();
    const verifyContinues = request.verifyContinues.map((one, i) =>
      i === 1 ? { ...one, payload: Uint8Array.of(9) } : one,
    );
    const { response } = helperContinue(
      all.helper,
      answer.job,
      AggregationJobContinueReq.encode({ step: 1, verifyContinues }),
    );
    const answers = AggregationJobResp.decode(response);
    assert.deepEqual(
      answers.map((one) => (one.kind === 'reject' ? one.reportError : one.kind)),
      ['finish', REPORT_ERROR.VDAF_VERIFY_ERROR, 'finish'],
    );
  });
});
