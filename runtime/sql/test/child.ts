/**
 * A process that works on a store until it is killed or has nothing left to do, and says on standard output what was acknowledged.
 *
 * node child.ts put <backend> <address> <name>     uploads reports without end; prints each identifier once it is stored
 * node child.ts drive <backend> <address> <name>   acquires jobs and prints their identifiers, until there are none
 */
import { createHash } from 'node:crypto';
import { openStore } from './backends.ts';
import { taskRow } from './stores.ts';

const [work, backend = '', address = '', name = ''] = process.argv.slice(2);
const { taskId } = taskRow(1).task;

/** Identifiers that no other process makes. */
function reportId(serial: number): Uint8Array {
  return new Uint8Array(createHash('sha256').update(`${name} ${serial}`).digest().subarray(0, 16));
}

function say(identifier: Uint8Array): void {
  process.stdout.write(`${identifier.toHex()}\n`);
}

async function put(): Promise<never> {
  const store = await openStore(backend, address);
  let serial = 0;
  const upload = async (): Promise<never> => {
    for (;;) {
      const reports = Array.from({ length: 3 }, () => ({
        reportId: reportId(++serial),
        time: 1,
        report: new Uint8Array(300),
      }));
      await store.putReports(taskId, reports, new Date(serial), true, { upload_other: reports.length });
      for (const report of reports) say(report.reportId);
    }
  };
  return Promise.race(Array.from({ length: 16 }, upload));
}

async function drive(): Promise<void> {
  const store = await openStore(backend, address);
  for (let turn = 0; ; turn++) {
    const token = reportId(turn);
    const leased = await store.acquireLeaderJobs({ now: new Date(1), until: new Date(2), token, limit: 2 });
    if (leased.length === 0) break;
    for (const { job } of leased) say(job.jobId);
  }
  await store.close();
}

await (work === 'put' ? put() : drive());
