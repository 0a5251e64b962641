/**
 * A deployment under bad luck, from a seed: exchanges are lost before or after they were heard, heard twice, or late; every
 * transaction may fail, or succeed without anybody learning of it, and the process that asked for it starts anew; the
 * clock jumps. Every report has a bucket of a histogram of its own.
 *
 * Invariants: no bucket of a result has any count but 0 or 1; no bucket is in two results; what was acknowledged is in the
 * results at the end; both aggregators agree.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import {
  BATCH_MODE_LEADER_SELECTED,
  createCollectionJobReq,
  leaderSelectedQuery,
  mediaTypeOf,
  prepareResults,
  type Query,
  type Report,
  timeIntervalQuery,
  UploadErrors,
  UploadRequest,
} from '@privacy-edge/dap';
import { type RandomSource, systemRandom } from '@privacy-edge/hpke';
import { PeerError, type PeerTransport } from '../src/index.ts';
import {
  asCollector,
  call,
  type Deployment,
  deploy,
  leaderPath,
  makeReports,
  NOTHING,
  type Party,
  START,
} from './fixture.ts';

const CASES = Number(process.env['PRIVACY_EDGE_SIMULATIONS'] ?? (process.env['PRIVACY_EDGE_LONG'] === '1' ? 250 : 12));
const REPORTS = 24;

class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Mulberry32, for tests only. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  below(n: number): number {
    return Math.floor(this.next() * n);
  }

  readonly bytes: RandomSource = (length) => Uint8Array.from({ length }, () => this.below(256));
}

/** What a transaction that fails, or is not heard of, throws. */
class Crash extends Error {}

class Simulation {
  readonly dice: Dice;
  isLucky = false;
  deployment!: Deployment;
  readonly acknowledged = new Set<number>();
  readonly counted = new Map<number, number>();
  readonly #late: (() => Promise<unknown>)[] = [];

  constructor(seed: number) {
    this.dice = new Dice(seed);
  }

  async start(): Promise<void> {
    const isSelected = this.dice.chance(0.4);
    this.deployment = await deploy({
      vdaf: { kind: 'histogram', length: REPORTS, chunkLength: 5 },
      processing: this.dice.chance(0.5) ? 'asynchronous' : 'synchronous',
      parameters: isSelected ? { batchMode: BATCH_MODE_LEADER_SELECTED, minBatchSize: 4 } : { minBatchSize: 1 },
      random: this.dice.bytes,
      config: {
        maxJobSize: 1 + this.dice.below(5),
        leaseMs: 30_000,
        leaseLimit: 1 + this.dice.below(3),
        maxParts: 2,
        maxAttempts: 5,
        uploadBatch: 3,
      },
      wrap: (send) => this.#unreliable(send),
    });
    for (const party of [this.deployment.leader, this.deployment.helper]) {
      party.store.hook = async () => {
        await this.#pause();
        if (!this.isLucky && this.dice.chance(0.03)) throw new Crash('The storage is gone');
      };
    }
  }

  /** Lets others go first, so that transactions of several actors come in any order. */
  async #pause(): Promise<void> {
    for (let turns = this.dice.below(4); turns > 0; turns--) await setImmediate();
  }

  /** Loses requests and answers, repeats them, and keeps copies that arrive late. */
  #unreliable(send: PeerTransport): PeerTransport {
    return async (request) => {
      await this.#pause();
      if (this.isLucky) return send(request);
      if (this.dice.chance(0.12)) throw new PeerError('CONNECT_FAILED', 'Nobody is there');
      const copy = (): Promise<unknown> => send(request).catch(() => undefined);
      if (this.dice.chance(0.1)) this.#late.push(copy);
      if (this.dice.chance(0.1)) await copy();
      const twice = this.dice.chance(0.1) ? copy() : undefined;
      const response = await send(request).catch(() => {
        this.deployment.helper.restart();
        throw new PeerError('BROKEN', 'The helper went away');
      });
      await twice;
      if (this.dice.chance(0.12)) throw new PeerError('TIMEOUT', 'The answer was lost');
      return response;
    };
  }

  /** Whatever somebody does may fail, and then the process starts anew. */
  async attempt<T>(party: Party, run: () => Promise<T>): Promise<T | undefined> {
    try {
      return await run();
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      party.restart();
      return undefined;
    }
  }

  async upload(reports: readonly Report[], buckets: readonly number[]): Promise<void> {
    const { leader } = this.deployment;
    const answer = await this.attempt(leader, () =>
      call(leader.aggregator, {
        method: 'POST',
        path: leaderPath('reports'),
        fields: { 'content-type': mediaTypeOf('upload-req') },
        body: UploadRequest.encode(reports),
      }),
    );
    // The answer may be lost as well: the client does not know.
    if (answer === undefined || answer.status !== 200 || (!this.isLucky && this.dice.chance(0.1))) return;
    const refused = answer.body.length === 0 ? [] : UploadErrors.decode(answer.body).map(({ id }) => id.join());
    for (const [i, bucket] of buckets.entries()) {
      if (!refused.includes(reports[i]!.reportMetadata.reportId.join())) this.acknowledged.add(bucket);
    }
  }

  async step(): Promise<void> {
    const { leader, helper, clock } = this.deployment;
    const steps: readonly (() => Promise<unknown> | undefined)[] = [
      () => this.attempt(leader, () => leader.aggregator.createJobs()),
      () => this.attempt(leader, () => leader.aggregator.driveLeaderJobs()),
      () => this.attempt(helper, () => helper.aggregator.driveHelperJobs()),
      () => this.attempt(leader, () => leader.aggregator.driveCollectionJobs()),
      () => this.attempt(leader, () => leader.aggregator.mergeBuckets()),
      () => this.attempt(helper, () => helper.aggregator.mergeBuckets()),
      () => this.#late.pop()?.(),
    ];
    // Several at the same time, also of the same kind, as several instances would.
    const actors = Array.from({ length: 1 + this.dice.below(4) }, () => steps[this.dice.below(steps.length)]!());
    await Promise.all(actors);
    if (this.isLucky) clock.advance(2000);
    else if (this.dice.chance(0.1)) clock.advance(this.dice.chance(0.1) ? -20_000 : this.dice.below(60_000));
    else clock.advance(this.dice.below(3000));
  }

  /** Asks for a batch, again and again, until it is there; adds it up. */
  async collect(query: Query, patience: number, during: () => Promise<void> = async () => {}): Promise<boolean> {
    const { leader, task, vdaf, collectorKey } = this.deployment;
    const request = createCollectionJobReq(query, NOTHING);
    for (let i = 0; i < patience; i++) {
      await Promise.all([this.step(), during()]);
      const answer = await this.attempt(leader, () => asCollector(this.deployment, 'POST', 'collection_jobs', request));
      if (answer === undefined) continue;
      assert.equal(answer.status, 201, Buffer.from(answer.body).toString());
      if (answer.body.length === 0) continue;
      const opener = await prepareResults(task, vdaf, collectorKey);
      const { result, reportCount } = await opener.open(request, answer.body);
      const counts = (result as readonly (number | bigint)[]).map(Number);
      assert.ok(
        counts.every((count) => count === 0 || count === 1),
        `counts ${counts.join()}`,
      );
      assert.equal(
        counts.reduce<number>((sum, count) => sum + count, 0),
        reportCount,
      );
      for (const [bucket, count] of counts.entries()) this.counted.set(bucket, (this.counted.get(bucket) ?? 0) + count);
      const location = answer.header('location') ?? '';
      let isDeleted = false;
      while (!isDeleted) {
        const deleted = await this.attempt(leader, () => asCollector(this.deployment, 'DELETE', location));
        isDeleted = deleted?.status === 200;
      }
      return true;
    }
    return false;
  }
}

async function simulate(seed: number): Promise<void> {
  const simulation = new Simulation(seed);
  await simulation.start();
  const { deployment, dice, acknowledged, counted } = simulation;
  const isSelected = deployment.task.configuration.batchMode === BATCH_MODE_LEADER_SELECTED;
  const startMs = deployment.clock.nowMs;
  simulation.isLucky = true;
  const buckets = Array.from({ length: REPORTS }, (_, bucket) => bucket);
  const made: Report[] = [];
  for (const bucket of buckets) {
    const time = new Date(startMs + 60_000 * (bucket % 3));
    made.push(...(await makeReports(deployment, [bucket], time, dice.bytes)));
  }
  simulation.isLucky = false;
  // Some are kept back until there is a collection, so that uploads and collections meet.
  const early = buckets.slice(0, REPORTS / 2);
  let waiting = early;
  // Uploads among everything else, some of them twice, as long as they are not acknowledged.
  for (let i = 0; i < 40; i++) {
    const some = waiting.filter(() => dice.chance(0.15));
    const reports = some.map((bucket) => made[bucket]!);
    await Promise.all([simulation.upload(reports, some), simulation.upload(reports, some), simulation.step()]);
    waiting = early.filter((bucket) => !acknowledged.has(bucket) || dice.chance(0.1));
  }
  // Collections while things go wrong: of the first interval, or of a batch or two.
  const first = isSelected ? leaderSelectedQuery() : timeIntervalQuery({ start: START, duration: 1 });
  // What is uploaded while a collection goes on is in it, or in a later one, or was refused.
  const meanwhile = async (): Promise<void> => {
    const some = buckets.filter((bucket) => !acknowledged.has(bucket) && dice.chance(0.1));
    await simulation.upload(
      some.map((bucket) => made[bucket]!),
      some,
    );
  };
  const isFirst = await simulation.collect(first, 60, meanwhile);
  for (let i = 0; i < 5; i++) await Promise.all([simulation.step(), meanwhile()]);
  const rounds = isSelected && isFirst ? await simulation.collect(first, 60) : false;
  assert.ok(typeof rounds === 'boolean');
  simulation.isLucky = true;
  if (isSelected) {
    for (let i = 0; i < 400; i++) await simulation.step();
    while (await simulation.collect(first, 80));
  } else {
    if (!isFirst) assert.ok(await simulation.collect(first, 1200), 'the first interval never came');
    const rest = [...acknowledged].some((bucket) => bucket % 3 !== 0);
    if (rest) {
      assert.ok(
        await simulation.collect(timeIntervalQuery({ start: START + 1, duration: 2 }), 1200),
        'the rest never came',
      );
    }
  }
  const once = [...counted.values()].every((count) => count <= 1);
  assert.ok(once, 'a report was collected twice');
  const missing = [...acknowledged].filter((bucket) => counted.get(bucket) !== 1);
  // What does not fill a batch of the leader's choice is kept for the next.
  const allowed = isSelected ? deployment.task.configuration.minBatchSize - 1 : 0;
  assert.ok(missing.length <= allowed, `acknowledged reports are missing: ${missing.join()}`);
}

for (let i = 0; i < CASES; i++) {
  const seed = Number(process.env['PRIVACY_EDGE_SEED'] ?? 1000) + i;
  test(`simulation with seed ${seed}`, async () => {
    await simulate(seed);
  });
}

test('the made-up dice give the same numbers for the same seed', () => {
  assert.deepEqual(new Dice(1).bytes(8), new Dice(1).bytes(8));
  assert.notDeepEqual(new Dice(1).bytes(8), systemRandom(8));
});
