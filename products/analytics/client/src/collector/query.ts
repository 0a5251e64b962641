/** Which batch is collected. DAP §5. */
import {
  BATCH_MODE_LEADER_SELECTED,
  containsInterval,
  type Interval,
  intervalEnd,
  leaderSelectedQuery,
  type Query,
  type Task,
  timeIntervalQuery,
} from '@privacy-edge/dap';
import { AnalyticsError } from '../analytics-error.ts';

/** An interval of time, or whichever batch the leader has next. */
export type BatchQuery =
  | {
      readonly from: Date;
      /** Not included. */
      readonly to: Date;
    }
  | 'next';

/**
 * The query for a batch.
 *
 * @throws {@link AnalyticsError} `QUERY_INVALID` when it does not fit the batch mode, or is not made of whole units of the
 *   task's time precision
 * @see DAP §5.1.1 and §5.2.1
 */
export function queryOf({ configuration }: Task, query: BatchQuery): Query {
  const isLeaderSelected = configuration.batchMode === BATCH_MODE_LEADER_SELECTED;
  if (query === 'next') {
    if (!isLeaderSelected) throw queryInvalid('batches of the task are intervals of time');
    return leaderSelectedQuery();
  }
  if (isLeaderSelected) throw queryInvalid('batches of the task are chosen by the leader');
  const [start, end] = [query.from, query.to].map((date) => date.getTime() / 1000 / configuration.timePrecision);
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || Number(start) < 0 || Number(end) <= Number(start)) {
    throw queryInvalid('the interval is not made of whole units of the time precision');
  }
  return timeIntervalQuery({ start: Number(start), duration: Number(end) - Number(start) });
}

/** An interval in dates. */
export function datesOf({ configuration }: Task, interval: Interval): { readonly from: Date; readonly to: Date } {
  const dateOf = (units: number): Date => new Date(units * configuration.timePrecision * 1000);
  return { from: dateOf(interval.start), to: dateOf(intervalEnd(interval)) };
}

/** Whether an interval that the leader tells is inside of the one that was asked for. */
export function isInside({ configuration }: Task, query: BatchQuery, interval: Interval): boolean {
  if (query === 'next') return true;
  const unitMs = configuration.timePrecision * 1000;
  const start = query.from.getTime() / unitMs;
  return containsInterval({ start, duration: query.to.getTime() / unitMs - start }, interval);
}

function queryInvalid(state: string): AnalyticsError {
  return new AnalyticsError('QUERY_INVALID', `Cannot collect: ${state}`);
}
