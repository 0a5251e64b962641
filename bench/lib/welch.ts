/** Whether two kinds of input take different times: Welch's t over interleaved calls. */

/**
 * One operation and two kinds of input for it. The operation finds its input in the same place, whichever it is: other code
 * or another address would show as a difference by itself.
 */
export interface TimingPair {
  readonly name: string;
  /** Puts an input in place; not measured. */
  readonly prepare: (kind: 0 | 1) => void;
  readonly operation: () => unknown;
}

/** What came out. */
export interface TimingResult {
  readonly name: string;
  /** Calls of each kind that are in the figures. */
  readonly samples: readonly [number, number];
  /** Mean nanoseconds of a call. */
  readonly means: readonly [number, number];
  /** Welch's t: its size grows with the root of the number of calls where there is a difference, and else does not. */
  readonly t: number;
}

/** Slow calls were interrupted by something else; this part of all calls is kept. */
const KEPT = 0.9;

/** Measures for so long, in random order, after a tenth of it to warm up. */
export function compareTimes(pair: TimingPair, seconds: number): TimingResult {
  run(pair, seconds / 10);
  const calls = run(pair, seconds);
  const limit = calls.nanoseconds.toSorted((a, b) => a - b)[Math.floor(KEPT * calls.nanoseconds.length)] ?? 0;
  const [one, other] = [0, 1].map((kind) =>
    describe(calls.nanoseconds.filter((time, i) => calls.kinds[i] === kind && time <= limit)),
  ) as [Sample, Sample];
  const t = (one.mean - other.mean) / Math.sqrt(one.variance / one.count + other.variance / other.count);
  return { name: pair.name, samples: [one.count, other.count], means: [one.mean, other.mean], t };
}

function run({ prepare, operation }: TimingPair, seconds: number): { nanoseconds: number[]; kinds: number[] } {
  const until = performance.now() + 1000 * seconds;
  const [nanoseconds, kinds]: [number[], number[]] = [[], []];
  while (performance.now() < until) {
    const kind = Math.random() < 0.5 ? 0 : 1;
    prepare(kind);
    const before = process.hrtime.bigint();
    operation();
    nanoseconds.push(Number(process.hrtime.bigint() - before));
    kinds.push(kind);
  }
  return { nanoseconds, kinds };
}

interface Sample {
  readonly count: number;
  readonly mean: number;
  readonly variance: number;
}

function describe(times: readonly number[]): Sample {
  const count = times.length;
  const mean = times.reduce((sum, time) => sum + time, 0) / count;
  const variance = times.reduce((sum, time) => sum + (time - mean) ** 2, 0) / Math.max(1, count - 1);
  return { count, mean, variance };
}
