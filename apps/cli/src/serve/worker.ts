/** A worker thread that serves one role. */
import { createLog, createMetrics, joinWorkers } from '@privacy-edge/node';
import type { LogSection } from '../config/types.ts';
import type { RunningRole } from './role.ts';
import { type RoleStart, type RoleUpdate, startRole } from './start.ts';

/** What the main thread gives to each worker. */
export interface WorkerData {
  readonly start: RoleStart;
  readonly log: LogSection;
}

/** What a worker tells the main thread. */
export interface WorkerReadiness {
  readonly ready: boolean;
}

/** Milliseconds between looks at whether the role can serve. */
const READINESS_MS = 250;

const metrics = createMetrics({ processMetrics: false });
/** Updates that came before the role served. */
const early: RoleUpdate[] = [];
let running: RunningRole<RoleUpdate> | undefined;

const host = joinWorkers<WorkerData>({
  drain: async (graceMs) => running?.drain(graceMs),
  metrics: () => metrics.snapshot(),
  onMessage: (message) => {
    const update = message as RoleUpdate;
    if (running === undefined) early.push(update);
    else running.apply(update);
  },
});
const log = createLog(host.data.log);
running = await startRole(host.data.start, { log: log.event, metrics });
for (const update of early) running.apply(update);
host.ready();
tellReadiness(running);

/** Tells the main thread when something that the role depends on goes away or comes back. */
function tellReadiness(role: RunningRole<RoleUpdate>): void {
  let told: boolean | undefined;
  const look = (): void => {
    const ready = role.ready();
    if (ready !== told) host.tell({ ready } satisfies WorkerReadiness);
    told = ready;
  };
  look();
  setInterval(look, READINESS_MS).unref();
}
