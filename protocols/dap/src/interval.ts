/** Times and intervals. DAP §4.1.1. */
import type { Codec, Reader, Writer } from '@privacy-edge/bytes';
import { codec, type Fields } from './codec.ts';

/** A half-open interval of time. */
export interface Interval {
  /** First time inside, in units of the task's time precision since the epoch. */
  readonly start: number;
  /** Length, in units of the task's time precision. */
  readonly duration: number;
}

/** How an {@link Interval} stands inside of other messages. */
export const intervalFields: Fields<Interval> = {
  read: (reader: Reader) => ({ start: reader.u64(), duration: reader.u64() }),
  write: (writer: Writer, { start, duration }) => {
    writer.u64(start).u64(duration);
  },
};

/**
 * struct { Time start; Duration duration; } Interval;                                                    DAP §4.1.1
 *
 * Numbers above 2^53 - 1 are refused: they are some 10^8 years away.
 */
export const Interval: Codec<Interval> = codec('interval', intervalFields);

/** The first time after an interval. */
export function intervalEnd({ start, duration }: Interval): number {
  return start + duration;
}

/** Whether every time of `inner` is inside of `outer`. */
export function containsInterval(outer: Interval, inner: Interval): boolean {
  return inner.start >= outer.start && intervalEnd(inner) <= intervalEnd(outer);
}

/** The smallest interval that contains both; an interval without duration contains nothing. */
export function spanIntervals(a: Interval, b: Interval): Interval {
  if (a.duration === 0) return b;
  if (b.duration === 0) return a;
  const start = Math.min(a.start, b.start);
  return { start, duration: Math.max(intervalEnd(a), intervalEnd(b)) - start };
}
