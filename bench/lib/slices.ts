/** CPU time of operations that may take long: the number of calls follows from the time, not the other way round. */

/** How much is measured. */
export interface Slices {
  readonly count: number;
  readonly milliseconds: number;
}

/** Best CPU microseconds of one call, over several slices after one to warm up: other work can only add to it. */
export async function bestOfSlices(operation: () => unknown, { count, milliseconds }: Slices): Promise<number> {
  const isAsync = operation() instanceof Promise;
  let best = Number.POSITIVE_INFINITY;
  for (let slice = 0; slice <= count; slice++) {
    const until = performance.now() + milliseconds;
    const before = process.cpuUsage();
    let calls = 0;
    do {
      if (isAsync) await operation();
      else operation();
      calls++;
    } while (performance.now() < until);
    const { user, system } = process.cpuUsage(before);
    if (slice > 0) best = Math.min(best, (user + system) / calls);
  }
  return best;
}
