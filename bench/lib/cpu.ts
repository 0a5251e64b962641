/** CPU time of other processes, read from the kernel, and of operations in this one. Linux only. */

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const ticksPerSecond = Number(spawnSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }).stdout.trim()) || 100;

/** User and system CPU of a process with all its threads, microseconds. */
export function processCpuMicros(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The command name is in parentheses and may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) / ticksPerSecond) * 1e6;
}

/** Best CPU microseconds of one call, over several slices: other work on the machine can only add. */
export function measureSync(operation: () => void, slices = 15, sliceMs = 100): number {
  for (let i = 0; i < 3000; i++) operation();
  let best = Number.POSITIVE_INFINITY;
  for (let slice = 0; slice < slices; slice++) {
    const until = performance.now() + sliceMs;
    const before = process.cpuUsage();
    let calls = 0;
    do {
      for (let i = 0; i < 25; i++) operation();
      calls += 25;
    } while (performance.now() < until);
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / calls);
  }
  return best;
}

/** Like {@link measureSync} for operations that return promises, one after the other. */
export async function measureAsync(operation: () => Promise<unknown>, slices = 15, sliceMs = 100): Promise<number> {
  for (let i = 0; i < 2000; i++) await operation();
  let best = Number.POSITIVE_INFINITY;
  for (let slice = 0; slice < slices; slice++) {
    const until = performance.now() + sliceMs;
    const before = process.cpuUsage();
    let calls = 0;
    do {
      for (let i = 0; i < 25; i++) await operation();
      calls += 25;
    } while (performance.now() < until);
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / calls);
  }
  return best;
}
