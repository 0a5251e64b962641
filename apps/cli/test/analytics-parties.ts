/** A leader and a helper on loopback: the real handlers over storage in memory, with a clock that runs while others wait. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after } from 'node:test';
import { type HelperTask, type LeaderTask, parseHelperTask, parseLeaderTask } from '@privacy-edge/analytics/task';
import {
  type Aggregator,
  createAggregator,
  hashToken,
  type PeerTransport,
  type TaskRow,
} from '@privacy-edge/analytics-roles';
import { HpkeConfig, ROLE_HELPER, ROLE_LEADER, systemRandom } from '@privacy-edge/dap';
import { type Listener, serve } from '@privacy-edge/node';
import { MemoryAggregatorStore, MemoryTables } from '@privacy-edge/testing';

interface Party {
  readonly aggregator: Aggregator;
  readonly store: MemoryAggregatorStore;
  readonly listener: Listener;
}

/** Both aggregators. */
export class Parties {
  #aheadMs = 0;
  #leader: Party | undefined;
  #helper: Party | undefined;

  static async start(): Promise<Parties> {
    const parties = new Parties();
    const helper = await parties.#party(
      () => Promise.reject(new TypeError('A helper asks nobody')),
      () => Promise.resolve(),
    );
    const leader = await parties.#party(send, () => parties.#settle());
    parties.#helper = helper;
    parties.#leader = leader;
    after(() => Promise.all([leader.listener.close(0), helper.listener.close(0)]));
    return parties;
  }

  get leaderUrl(): string {
    return `${this.#leader!.listener.url}`.replace(/\/$/, '');
  }

  get helperUrl(): string {
    return `${this.#helper!.listener.url}`.replace(/\/$/, '');
  }

  /** Takes the files of a task, as operators would. */
  async take(folder: string, leaderFile = 'leader.json', helperFile = 'helper.json'): Promise<void> {
    const read = (name: string): unknown => JSON.parse(readFileSync(join(folder, name), 'utf8'));
    const leader = await parseLeaderTask(read(leaderFile));
    const helper = await parseHelperTask(read(helperFile));
    await this.#leader!.store.putTask(rowOf(leader, ROLE_LEADER));
    await this.#helper!.store.putTask(rowOf(helper, ROLE_HELPER));
  }

  async #party(transport: PeerTransport, beforeCollection: () => Promise<void>): Promise<Party> {
    const store = new MemoryAggregatorStore(new MemoryTables());
    const clock = (): number => Date.now() + this.#aheadMs;
    const resourceKey = systemRandom(32).slice();
    const aggregator = createAggregator(
      { store, clock, random: systemRandom, transport },
      { resourceKey, minJobSize: 1, retryAfterMs: 1000 },
    );
    await aggregator.rotateKeys();
    const listener = await serve(
      async (request) => {
        if (request.method === 'GET' && request.path.includes('/collection_jobs/')) await beforeCollection();
        return aggregator.handle(request);
      },
      { log: () => undefined },
    );
    return { aggregator, store, listener };
  }

  /** Works until nothing moves any more; time passes where something waits. */
  async #settle(): Promise<void> {
    const { aggregator } = this.#leader!;
    let idle = 0;
    for (let i = 0; i < 80 && idle < 4; i++) {
      const created = await aggregator.createJobs();
      const { acquired } = await aggregator.driveLeaderJobs();
      await aggregator.driveCollectionJobs();
      idle = created + acquired === 0 ? idle + 1 : 0;
      this.#aheadMs += 15_000;
    }
  }
}

const send: PeerTransport = async ({ method, url, fields, body }) => {
  const answer = await fetch(url, {
    method,
    headers: fields.map(([name, value]) => [name, value] as [string, string]),
    ...(body !== null && { body: body as Uint8Array<ArrayBuffer> }),
  });
  const bytes = new Uint8Array(await answer.arrayBuffer());
  return { status: answer.status, header: (name) => answer.headers.get(name) ?? undefined, body: bytes };
};

function rowOf(read: LeaderTask | HelperTask, role: TaskRow['task']['role']): TaskRow {
  const { task, collectorConfig } = read.task;
  const token = read.aggregatorToken.reveal();
  return {
    task: {
      taskId: task.taskId,
      version: task.version,
      role,
      configuration: task.configuration.encoded,
      verifyKey: read.verifyKey.reveal(),
      collectorConfig: HpkeConfig.encode(collectorConfig),
      clockToleranceSeconds: 300,
    },
    access: {
      peerAuthorization: `Bearer ${token}`,
      peerTokenHashes: role === ROLE_HELPER ? [hashToken(token)] : [],
      collectorTokenHashes: 'collectorToken' in read ? [hashToken(read.collectorToken.reveal())] : [],
      peerNames: [],
      collectorNames: [],
    },
    processing: 'synchronous',
    isAdvertised: false,
    rememberedSince: 0,
    createdAt: new Date(),
  };
}
