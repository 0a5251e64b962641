/** Real VDAFs by task configuration, and the noise that a task asks for. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { drawNoise, type Mechanism, RandomBits, rational, seededRandom } from '@privacy-edge/dp';
import {
  type AggregatorTask,
  accumulate,
  addTaskNoise,
  advanceLeaderJob,
  answerReports,
  CollectionJobResp,
  combineBuckets,
  createAggregateShareReq,
  createCollectionJobReq,
  createTask,
  createTaskConfiguration,
  createTaskVdaf,
  encodeVdafConfiguration,
  type FinishedReport,
  generateHpkeKey,
  helperShareOf,
  inputShareInfo,
  leaderShareOf,
  openReports,
  prepareAggregateShareSealer,
  prepareOpener,
  prepareReports,
  prepareResults,
  type Report,
  ROLE_HELPER,
  ROLE_LEADER,
  receiveAggregateShareReq,
  receiveCollection,
  receiveInit,
  sealAggregateShare,
  startHelperJob,
  startLeaderJob,
  type Task,
  taskNoise,
  timeIntervalQuery,
  type VdafConfiguration,
} from '../src/index.ts';
import { codeOf, NOTHING, NOW, NOW_TIME, parameters, random, TASK_ID } from './fixture.ts';

function taskOf(configuration: VdafConfiguration, mechanism?: Mechanism): Task {
  const dp = mechanism === undefined ? {} : { dp: { mechanism, adjacency: 'substitution' as const } };
  return createTask(TASK_ID, createTaskConfiguration(parameters(encodeVdafConfiguration(configuration), dp)));
}

const LAPLACE: Mechanism = { kind: 'laplace', epsilon: rational(1n, 2n) };
const GAUSSIAN: Mechanism = { kind: 'gaussian', rho: rational(1n, 8n) };

const MECHANISMS: readonly Mechanism[] = [LAPLACE, GAUSSIAN];

/** A parameter for three prefixes at level 1. */
const THREE_PREFIXES = Uint8Array.of(0, 1, 0, 0, 0, 3, 0x00, 0x40, 0x80);

const KINDS: readonly { configuration: VdafConfiguration; coordinates: number; parameter?: Uint8Array }[] = [
  { configuration: { kind: 'count' }, coordinates: 1 },
  { configuration: { kind: 'sum', maxMeasurement: 255 }, coordinates: 1 },
  { configuration: { kind: 'sumVec', length: 5, maxMeasurement: 9, chunkLength: 4 }, coordinates: 5 },
  { configuration: { kind: 'histogram', length: 10, chunkLength: 3 }, coordinates: 10 },
  { configuration: { kind: 'multihotCountVec', length: 4, chunkLength: 2, maxWeight: 2 }, coordinates: 4 },
  { configuration: { kind: 'l1BoundSum', length: 3, maxValue: 7, chunkLength: 3 }, coordinates: 3 },
  { configuration: { kind: 'linReg', maxValues: [100, 50], chunkLength: 4 }, coordinates: 5 },
  { configuration: { kind: 'poplar1', bits: 8 }, coordinates: 3, parameter: THREE_PREFIXES },
];

describe('createTaskVdaf()', () => {
  it('makes every VDAF there is a configuration for', () => {
    for (const { configuration } of KINDS) {
      const task = taskOf(configuration);
      assert.equal(createTaskVdaf(task).id, task.configuration.vdafType);
    }
  });

  it('refuses unknown types and parameters that there is no VDAF for', async () => {
    const refused: readonly VdafConfiguration[] = [
      { kind: 'unknown', vdafType: 0xffff0001, vdafConfiguration: NOTHING },
      { kind: 'sum', maxMeasurement: 0 },
      { kind: 'sum', maxMeasurement: 2n ** 64n - 1n },
      { kind: 'histogram', length: 0, chunkLength: 1 },
      { kind: 'histogram', length: 1, chunkLength: 0 },
      { kind: 'poplar1', bits: 0 },
    ];
    for (const configuration of refused) {
      const task = taskOf(configuration);
      assert.equal(await codeOf(() => createTaskVdaf(task)), 'TASK_UNSUPPORTED');
    }
  });
});

describe('taskNoise()', () => {
  it('has one distribution for each coordinate of an aggregate share', () => {
    for (const { configuration, coordinates, parameter = NOTHING } of KINDS) {
      for (const mechanism of MECHANISMS) {
        const task = taskOf(configuration, mechanism);
        const noise = taskNoise(task, parameter)!;
        assert.equal(noise.length, coordinates);
        assert.equal(noise[0]!.kind, mechanism.kind);
        const empty = createTaskVdaf(task).emptyAggregate(parameter);
        const bits = (): RandomBits => new RandomBits(seededRandom(new Uint8Array(32), NOTHING));
        const noisy = addTaskNoise(task, parameter, empty, bits());
        assert.equal(noisy.length, empty.length);
        assert.deepEqual(addTaskNoise(task, parameter, empty, bits()), noisy);
      }
      assert.equal(taskNoise(taskOf(configuration), parameter), undefined);
    }
  });

  it('does not guess the sensitivity of a VDAF that is not known', async () => {
    const task = taskOf({ kind: 'unknown', vdafType: 0xffff0001, vdafConfiguration: NOTHING }, LAPLACE);
    assert.equal(await codeOf(() => taskNoise(task, NOTHING)), 'TASK_UNSUPPORTED');
  });

  it('leaves shares of a task without noise alone', () => {
    const share = new Uint8Array(8);
    const bits = new RandomBits(random);
    assert.equal(addTaskNoise(taskOf({ kind: 'count' }), NOTHING, share, bits), share);
  });
});

describe('A task with noise', () => {
  const configuration: VdafConfiguration = { kind: 'histogram', length: 4, chunkLength: 2 };

  it('has the counts and the noise of both aggregators as its result, below zero where it is', async () => {
    const task = taskOf(configuration, { kind: 'laplace', epsilon: rational(1n, 50n) });
    const vdaf = createTaskVdaf(task);
    const aggregator = (role: typeof ROLE_LEADER | typeof ROLE_HELPER): AggregatorTask => ({
      ...task,
      role,
      vdaf,
      verifyKey: new Uint8Array(32),
      clockToleranceSeconds: 0,
      reportExtensions: new Set(),
    });
    const [leader, helper] = [aggregator(ROLE_LEADER), aggregator(ROLE_HELPER)];
    const [leaderKey, helperKey, collectorKey] = [
      await generateHpkeKey(1, random),
      await generateHpkeKey(2, random),
      await generateHpkeKey(3, random),
    ];
    const maker = await prepareReports(task, vdaf, leaderKey.config, helperKey.config);
    const reports: Report[] = [];
    for (const bucket of [0, 1, 1, 3]) reports.push(await maker.createReport(bucket as never, NOW, random));

    const openers = [
      await prepareOpener(leaderKey, inputShareInfo(task.version, ROLE_LEADER)),
      await prepareOpener(helperKey, inputShareInfo(task.version, ROLE_HELPER)),
    ];
    const opened = await openReports(leader, reports.map(leaderShareOf), () => openers[0], NOW);
    const candidates = opened.map((entry, i) => {
      assert.ok(entry.kind === 'opened');
      return { opened: entry, helperEncryptedInputShare: helperShareOf(reports[i]!).encryptedInputShare };
    });
    const { job } = startLeaderJob(leader, NOTHING, undefined, candidates);
    const init = receiveInit(helper, job!.request);
    const shares = init.verifyInits.map(({ reportShare }) => reportShare);
    const verified = startHelperJob(helper, init, await openReports(helper, shares, () => openers[1], NOW));
    const { finished } = advanceLeaderJob(leader, job!, answerReports(verified));

    const request = createCollectionJobReq(timeIntervalQuery({ start: NOW_TIME, duration: 1 }), NOTHING);
    const seeds = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
    const seal = async (own: AggregatorTask, committed: readonly FinishedReport[], seed: Uint8Array) => {
      const aggregate = combineBuckets(own, NOTHING, accumulate(vdaf, NOTHING, undefined, committed));
      const collection = receiveCollection(own, request);
      assert.ok(collection.batch.kind === 'timeInterval');
      const asked = receiveAggregateShareReq(own, createAggregateShareReq(collection, collection.batch, aggregate));
      const bits = new RandomBits(seededRandom(seed, NOTHING));
      const noisy = addTaskNoise(own, NOTHING, aggregate.aggregateShare, bits);
      const sealer = await prepareAggregateShareSealer(own, collectorKey.config);
      return { aggregate, sealed: await sealAggregateShare(own, sealer, asked.encoded, noisy, random) };
    };
    const helperFinished = verified.filter((report): report is FinishedReport => report.kind === 'finished');
    const fromLeader = await seal(leader, finished, seeds[0]!);
    const fromHelper = await seal(helper, helperFinished, seeds[1]!);
    const response = CollectionJobResp.encode({
      reportCount: fromLeader.aggregate.reportCount,
      interval: fromLeader.aggregate.interval,
      leaderEncryptedAggShare: fromLeader.sealed,
      helperEncryptedAggShare: fromHelper.sealed,
    });
    const { result } = await (await prepareResults(task, vdaf, collectorKey)).open(request, response);

    const noise = seeds.map((seed) =>
      drawNoise(taskNoise(task, NOTHING)!, new RandomBits(seededRandom(seed, NOTHING))),
    );
    const expected = [1n, 2n, 0n, 1n].map((count, i) => count + noise[0]![i]! + noise[1]![i]!);
    assert.deepEqual(result, expected);
    assert.ok(expected.some((count) => count < 0n));
  });
});
