/** Leader and helper composed with their ports: handler, database, way to helpers, and the loops beside requests. */
import {
  type Aggregator,
  type AggregatorHandler,
  createAggregator,
  type ObserveAggregator,
  type PeerTransport,
  type TaskRow,
} from '@privacy-edge/analytics-roles';
import { Secret } from '@privacy-edge/bytes';
import type { RoleHandler, RoleResponse } from '@privacy-edge/http-exchange';
import {
  createPeerTransport,
  errorFields,
  type LogEvent,
  type OutboundOptions,
  type PeerConnections,
  serve,
  systemClock,
  systemRandom,
} from '@privacy-edge/node';
import { openPostgresStore, openSqliteStore, SqlError, type SqlStore } from '@privacy-edge/sql';
import type { AggregatorSection, AnalyticsHelperSection, AnalyticsLeaderSection } from '../config/types.ts';
import { parseDuration } from '../config/units.ts';
import { aggregatorMetrics } from './analytics-metrics.ts';
import { helperPrivacy, leaderPrivacy } from './analytics-privacy.ts';
import type { AggregatorSecrets } from './analytics-secrets.ts';
import { helperSettings, leaderSettings } from './analytics-settings.ts';
import type { FoundTask } from './analytics-tasks.ts';
import {
  listenerOptions,
  type Place,
  type RoleHost,
  type RunningRole,
  runningRole,
  withPrivacyNotice,
} from './role.ts';
import { type StepLoop, startLoop } from './step-loop.ts';

/** What a thread of an aggregator starts from. Holds secrets. */
export type AggregatorStart = {
  readonly place: Place;
  readonly secrets: AggregatorSecrets;
  /** Absolute; undefined for PostgreSQL. */
  readonly sqliteFile: string | undefined;
  readonly tasks: readonly FoundTask[];
  /** PEM certificates to trust for helpers besides the usual ones. */
  readonly extraRoots: readonly string[];
} & (
  | { readonly role: 'analyticsLeader'; readonly section: AnalyticsLeaderSection }
  | { readonly role: 'analyticsHelper'; readonly section: AnalyticsHelperSection }
);

/** What an aggregator takes up while it runs. */
export interface TasksUpdate {
  readonly kind: 'tasks';
  readonly tasks: readonly FoundTask[];
}

/** Parts of an aggregator that a demonstration replaces; nothing in a configuration leads here. */
export interface AggregatorHooks {
  readonly wrap?: (handler: RoleHandler) => RoleHandler;
  readonly wrapTransport?: (transport: PeerTransport) => PeerTransport;
  readonly outbound?: OutboundOptions;
}

/**
 * Starts an aggregator in this thread.
 *
 * @throws SqlError when the database cannot be opened
 * @throws RuntimeError when the listener cannot
 */
export async function startAggregator(
  start: AggregatorStart,
  host: RoleHost,
  hooks: AggregatorHooks = {},
): Promise<RunningRole<TasksUpdate>> {
  const store = await openStore(start);
  const connections = start.role === 'analyticsLeader' ? connect(start, hooks) : undefined;
  try {
    const observe = aggregatorMetrics(host.metrics, connections && (() => connections.inFlight));
    const aggregator = makeAggregator(start, store, connections, hooks, observe, host.log);
    await putTasks(store, start.tasks, host.log);
    // Clients find no key before this has run once.
    await aggregator.rotateKeys();
    return await run(start, host, hooks, { store, connections, aggregator });
  } catch (error) {
    await connections?.close();
    await store.close();
    throw error;
  }
}

interface Parts {
  readonly store: SqlStore;
  readonly connections: PeerConnections | undefined;
  readonly aggregator: Aggregator;
}

async function run(
  start: AggregatorStart,
  host: RoleHost,
  hooks: AggregatorHooks,
  { store, connections, aggregator }: Parts,
): Promise<RunningRole<TasksUpdate>> {
  const { section, role } = start;
  const declaration = role === 'analyticsLeader' ? leaderPrivacy(section) : helperPrivacy(section);
  const handler = withPrivacyNotice(
    declaration,
    unavailable((request) => aggregator.handle(request)),
  );
  const listener = await serve(hooks.wrap?.(handler) ?? handler, listenerOptions(section, start.place, host.log));
  const loops = startLoops(role, section, aggregator, host.log);
  const watch = watchStore(store, host.log);
  let puts: Promise<unknown> = Promise.resolve();
  const running = runningRole<TasksUpdate>(listener, {
    update: ({ tasks }) => {
      puts = puts.then(() => putTasks(store, tasks, host.log)).catch((error: unknown) => fault(host.log, error));
    },
    ready: () => watch.isReachable,
    close: async () => {
      await Promise.all(loops.map((loop) => loop.stop()));
      await connections?.close();
      await watch.stop();
      await puts;
      await store.close();
    },
  });
  return {
    ...running,
    drain: async (graceMs) => {
      // No lease is taken from now on; what is under way has as long as the requests, then helpers are not waited for.
      for (const loop of loops) void loop.stop();
      const late = setTimeout(() => void connections?.close(), graceMs);
      const clean = await running.drain(graceMs);
      clearTimeout(late);
      return clean;
    },
  };
}

function openStore({ section, secrets, sqliteFile }: AggregatorStart): Promise<SqlStore> {
  const columnKeys = secrets.columnKeys.map((key) => new Secret(key));
  if (sqliteFile !== undefined) return openSqliteStore(sqliteFile, { columnKeys });
  const { maxConnections } = section.storage;
  return openPostgresStore(new Secret(secrets.postgresUrl ?? ''), { columnKeys, maxConnections });
}

function connect(
  { section, extraRoots }: AggregatorStart & { readonly role: 'analyticsLeader' },
  hooks: AggregatorHooks,
): PeerConnections {
  const { allowPrivate, timeout } = section.helpers;
  return createPeerTransport({ allowPrivate, idleTimeoutMs: parseDuration(timeout), extraRoots, ...hooks.outbound });
}

function makeAggregator(
  start: AggregatorStart,
  store: SqlStore,
  connections: PeerConnections | undefined,
  hooks: AggregatorHooks,
  observe: ObserveAggregator,
  log: LogEvent,
): Aggregator {
  const { resourceKey } = start.secrets;
  const settings =
    start.role === 'analyticsLeader'
      ? leaderSettings(start.section, resourceKey)
      : helperSettings(start.section, resourceKey);
  const own = connections?.transport ?? noTransport;
  return createAggregator(
    {
      store,
      clock: systemClock,
      random: systemRandom,
      transport: hooks.wrapTransport?.(own) ?? own,
      observe,
      onFault: (error) => fault(log, error),
    },
    settings,
  );
}

/** A helper asks nobody. */
const noTransport: PeerTransport = () => Promise.reject(new TypeError('A helper has no peers to ask'));

function fault(log: LogEvent, error: unknown): void {
  log('error', 'step_failed', errorFields(error));
}

/** A database that is away is for the client to wait for, and no defect. */
function unavailable(handle: AggregatorHandler): RoleHandler {
  return async (request) => {
    try {
      return await handle(request);
    } catch (error) {
      if (error instanceof SqlError && PASSING.has(error.code)) return UNAVAILABLE;
      throw error;
    }
  };
}

const PASSING: ReadonlySet<SqlError['code']> = new Set(['BUSY', 'FULL', 'READONLY', 'UNAVAILABLE', 'CLOSED']);

const UNAVAILABLE: RoleResponse = {
  status: 503,
  fields: [
    ['retry-after', '2'],
    ['cache-control', 'no-store'],
  ],
  body: null,
};

/** A task never changes: a document that says something else for the same identifier is a mistake, and changes nothing. */
async function putTasks(store: SqlStore, tasks: readonly FoundTask[], log: LogEvent): Promise<void> {
  let created = 0;
  for (const { file, row } of tasks) {
    const outcome = await putTask(store, row);
    if (outcome === 'created') created++;
    if (outcome === 'different') log('error', 'task_differs_from_stored', { path: file });
  }
  if (created > 0) log('info', 'tasks_taken_up', { count: created });
}

/** How a task is worked on was decided when it was new, and may be decided otherwise for the next one. */
async function putTask(store: SqlStore, row: TaskRow): Promise<'created' | 'same' | 'different'> {
  const stored = await store.readTask(row.task.taskId);
  if (stored === undefined) return store.putTask(row);
  const { processing, task } = stored;
  const { clockToleranceSeconds } = task;
  return store.putTask({ ...row, processing, task: { ...row.task, clockToleranceSeconds } });
}

function startLoops(
  role: AggregatorStart['role'],
  section: AggregatorSection,
  aggregator: Aggregator,
  log: LogEvent,
): readonly StepLoop[] {
  const { paces, drivers } = section;
  const loop = (pace: string, step: () => Promise<boolean>): StepLoop =>
    startLoop({ step, paceMs: parseDuration(pace), random: Math.random, onFault: (error) => fault(log, error) });
  const times = (step: () => Promise<boolean>): StepLoop[] =>
    Array.from({ length: drivers }, () => loop(paces.work, step));
  const common = [
    loop(paces.upkeep, async () => (await aggregator.rotateKeys()) < 0),
    loop(paces.upkeep, async () => (await aggregator.mergeBuckets()) > 0),
    loop(paces.garbage, () => aggregator.collectGarbage()),
  ];
  if (role === 'analyticsHelper')
    return [...common, ...times(async () => isProgress(await aggregator.driveHelperJobs()))];
  const drive = times(async () => isProgress(await aggregator.driveLeaderJobs()));
  const create = loop(paces.work, async () => {
    const created = await aggregator.createJobs();
    if (created > 0) for (const driver of drive) driver.wake();
    return created > 0;
  });
  return [...common, create, ...drive, ...times(async () => isProgress(await aggregator.driveCollectionJobs()))];
}

/** Jobs that wait or fail are not available at once, so there is no hurry because of them. */
function isProgress({ outcomes }: Awaited<ReturnType<Aggregator['driveLeaderJobs']>>): boolean {
  return (outcomes.progress ?? 0) + (outcomes.finished ?? 0) > 0;
}

/** Milliseconds between two looks at whether the database is there. */
const WATCH_MS = 2000;

interface StoreWatch {
  readonly isReachable: boolean;
  stop(): Promise<void>;
}

function watchStore(store: SqlStore, log: LogEvent): StoreWatch {
  let isReachable = true;
  const tell = (now: boolean): void => {
    if (now !== isReachable) log(now ? 'info' : 'error', now ? 'database_back' : 'database_away');
    isReachable = now;
  };
  const loop = startLoop({
    step: async () => {
      await store.readHpkeKeys().then(
        () => tell(true),
        () => tell(false),
      );
      return false;
    },
    paceMs: WATCH_MS,
    random: Math.random,
    onFault: () => tell(false),
  });
  return {
    get isReachable() {
      return isReachable;
    },
    stop: () => loop.stop(),
  };
}
