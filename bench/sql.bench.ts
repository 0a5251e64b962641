/**
 * What the storage of an aggregator does in a second: uploads and commits, on SQLite and on PostgreSQL, at several numbers of calls at
 * once. All of it durable: every call resolves after its commit is on the disk. Compare the columns, not the absolutes: the disk decides.
 *
 * Run: npm run bench -- sql [seconds for each figure]
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AggregatorStore, TaskRow } from '@privacy-edge/analytics-roles';
import { bucketOf, ROLE_LEADER } from '@privacy-edge/dap';
import { openPostgresStore, openSqliteStore, type SqlStore } from '@privacy-edge/sql';
import { startPostgres } from '@privacy-edge/testing/postgres-server';

const seconds = Number(process.argv[3] ?? 2);
const REPORT_BYTES = 1024;
const JOB_REPORTS = 100;
const taskId = new Uint8Array(32);

const task: TaskRow = {
  task: {
    taskId,
    version: 'dap-18',
    role: ROLE_LEADER,
    configuration: new Uint8Array(150),
    verifyKey: new Uint8Array(32),
    collectorConfig: new Uint8Array(41),
    clockToleranceSeconds: 60,
  },
  access: {
    peerAuthorization: undefined,
    peerTokenHashes: [],
    collectorTokenHashes: [],
    peerNames: [],
    collectorNames: [],
  },
  processing: 'synchronous',
  isAdvertised: false,
  rememberedSince: 0,
  createdAt: new Date(0),
};

/** Rows a second of calls that are made by so many callers, each of which waits for its last call. */
async function rate(callers: number, call: () => Promise<number>): Promise<number> {
  const until = performance.now() + seconds * 1000;
  const started = performance.now();
  let rows = 0;
  const caller = async (): Promise<void> => {
    while (performance.now() < until) {
      const done = await call();
      rows += done;
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return rows / ((performance.now() - started) / 1000);
}

function upload(store: AggregatorStore, count: number): () => Promise<number> {
  return async () => {
    const reports = Array.from({ length: count }, () => ({
      reportId: new Uint8Array(randomBytes(16)),
      time: 1,
      report: new Uint8Array(REPORT_BYTES),
    }));
    await store.putReports(taskId, reports, new Date(0), true, {});
    return count;
  };
}

/** A helper's whole job: what is known about the reports, then the commit. */
function job(store: AggregatorStore): () => Promise<number> {
  return async () => {
    const bucket = bucketOf(1, undefined);
    const reports = Array.from({ length: JOB_REPORTS }, () => ({
      reportId: new Uint8Array(randomBytes(16)),
      time: 1,
      bucket,
    }));
    await store.readCommitmentFacts(taskId, reports);
    const none = new Uint8Array();
    const outcome = await store.commitHelperStep({
      at: undefined,
      job: {
        taskId,
        jobId: new Uint8Array(randomBytes(16)),
        aggregationParameter: none,
        batchId: undefined,
        step: 0,
        requestDigest: new Uint8Array(32),
        request: undefined,
        response: new Uint8Array(JOB_REPORTS * 25),
        pending: none,
        state: 'ready',
      },
      commit: {
        rememberedAs: none,
        reports: reports.map((report) => ({ ...report, aggregated: 0, collected: 0 })),
        buckets: [
          {
            bucket,
            aggregationParameter: none,
            aggregateShare: new Uint8Array(1600),
            reportCount: JOB_REPORTS,
            checksum: new Uint8Array(32),
            interval: { start: 1, duration: 1 },
          },
        ],
      },
      counters: { aggregated: JOB_REPORTS },
      now: new Date(0),
    });
    if (outcome !== 'committed') throw new Error(`A job was answered with ${outcome}`);
    return JOB_REPORTS;
  };
}

async function measure(name: string, store: SqlStore): Promise<void> {
  await store.putTask(task);
  const line = async (what: string, callers: number, call: () => Promise<number>): Promise<void> => {
    const perSecond = await rate(callers, call);
    console.log(`${name}, ${what}, ${callers} at once: ${Math.round(perSecond).toLocaleString('en')} reports/s`);
  };
  for (const callers of [1, 16, 128, 512]) await line('uploads of 1 report of 1 KiB', callers, upload(store, 1));
  for (const callers of [1, 8]) await line('uploads of 100 reports of 1 KiB', callers, upload(store, 100));
  for (const callers of [1, 8]) await line(`jobs of ${JOB_REPORTS} reports`, callers, job(store));
  await store.close();
}

const folder = mkdtempSync(join(tmpdir(), 'privacy-edge-bench-'));
try {
  await measure('SQLite', await openSqliteStore(join(folder, 'bench.db')));
  const server = await startPostgres();
  if (server === undefined) console.log('There is no PostgreSQL here; its rows are left out');
  else {
    await measure('PostgreSQL', await openPostgresStore(await server.database()));
    await server.stop();
  }
} finally {
  rmSync(folder, { recursive: true });
}
