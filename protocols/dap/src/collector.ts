/** The collector: from a query to a result. DAP §4.6.1, §4.6.6 and §4.6.7. */
import { type Awaitable, andThen, DecodeError } from '@privacy-edge/bytes';
import type { Vdaf } from '@privacy-edge/vdaf';
import { aggregateShareAad } from './aad.ts';
import { CollectionJobReq, CollectionJobResp } from './collection-job.ts';
import { DapError } from './dap-error.ts';
import { forEachItem } from './each.ts';
import type { Interval } from './interval.ts';
import type { Query } from './query.ts';
import { ROLE_HELPER, ROLE_LEADER } from './registry.ts';
import { type HpkeKey, prepareOpener, type ShareOpener } from './sealing.ts';
import type { Task } from './task.ts';
import { unshardPlain, unshardSigned } from './unshard.ts';
import { aggregateShareInfo } from './version.ts';

/** What was measured. */
export interface CollectedResult<Result> {
  readonly result: Result;
  /** Reports in the batch, as the leader says. */
  readonly reportCount: number;
  /** The smallest interval that contains their times, in units of the task's time precision, as the leader says. */
  readonly interval: Interval;
}

/** Both aggregate shares of a batch, opened. */
export interface OpenedShares extends Omit<CollectedResult<never>, 'result'> {
  /** Leader's and helper's, encoded by the VDAF. Whoever has both has the result. */
  readonly aggregateShares: readonly [Uint8Array, Uint8Array];
}

/**
 * The request for a collection.
 *
 * @param aggregationParameter - encoded for the VDAF; empty for Prio3
 * @returns encoded `CollectionJobReq`, which is needed again to open the answer
 * @see DAP §4.6.1
 */
export function createCollectionJobReq(query: Query, aggregationParameter: Uint8Array): Uint8Array {
  return CollectionJobReq.encode({ query, aggParam: aggregationParameter, extensions: [] });
}

/** Opens results of one task. */
export class ResultOpener<Result> {
  readonly task: Task;
  readonly #vdaf: Vdaf<never, Result>;
  readonly #openers: readonly [leader: ShareOpener, helper: ShareOpener];

  /** Made by {@link prepareResults}. */
  constructor(task: Task, vdaf: Vdaf<never, Result>, leader: ShareOpener, helper: ShareOpener) {
    this.task = task;
    this.#vdaf = vdaf;
    this.#openers = [leader, helper];
  }

  /**
   * Opens both aggregate shares and joins them. Noise can make sums negative: where a task has noise, they are.
   *
   * @param request - from {@link createCollectionJobReq}, the very bytes that were sent
   * @param response - body; controlled by the leader, but for the helper's share
   * @throws {@link DapError} `INVALID_MESSAGE` for a malformed answer, `OPEN_FAILED` for shares that were not sealed for
   *   this request and task
   * @throws `VdafError` for shares that do not fit the VDAF
   * @see DAP §4.6.6
   */
  open(request: Uint8Array, response: Uint8Array): Awaitable<CollectedResult<Result>> {
    return andThen(this.openShares(request, response), ({ aggregateShares, reportCount, interval }) => {
      const { aggParam } = CollectionJobReq.decode(request);
      const hasNoise = this.task.extensions.dp !== undefined;
      const unshard = hasNoise ? unshardSigned : unshardPlain;
      return { result: unshard(this.#vdaf, aggParam, aggregateShares, reportCount), reportCount, interval };
    });
  }

  /**
   * Opens both aggregate shares, for who wants to join them in another way.
   *
   * @param request - from {@link createCollectionJobReq}, the very bytes that were sent
   * @param response - body; controlled by the leader, but for the helper's share
   * @throws {@link DapError} `INVALID_MESSAGE`, `OPEN_FAILED`
   * @see DAP §4.6.7
   */
  openShares(request: Uint8Array, response: Uint8Array): Awaitable<OpenedShares> {
    const { leaderEncryptedAggShare, helperEncryptedAggShare, reportCount, interval } = decodeResponse(response);
    const aad = aggregateShareAad(this.task, request);
    const [leader, helper] = this.#openers;
    return andThen(leader.open(aad, leaderEncryptedAggShare), (leaderShare) =>
      andThen(helper.open(aad, helperEncryptedAggShare), (helperShare) => ({
        aggregateShares: [leaderShare, helperShare] as const,
        reportCount,
        interval,
      })),
    );
  }
}

function decodeResponse(response: Uint8Array): CollectionJobResp {
  try {
    return CollectionJobResp.decode(response);
  } catch (cause) {
    if (!(cause instanceof DecodeError)) throw cause;
    throw new DapError('INVALID_MESSAGE', 'Cannot open result: it is malformed', { cause });
  }
}

/**
 * Does once what all results of a task have in common.
 *
 * @param vdaf - for the task's configuration
 * @param key - the collector's
 */
export function prepareResults<Result>(
  task: Task,
  vdaf: Vdaf<never, Result>,
  key: HpkeKey,
): Awaitable<ResultOpener<Result>> {
  const openers = forEachItem([ROLE_LEADER, ROLE_HELPER] as const, (sender) =>
    prepareOpener(key, aggregateShareInfo(task.version, sender)),
  );
  return andThen(
    openers,
    ([leader, helper]) => new ResultOpener(task, vdaf, leader as ShareOpener, helper as ShareOpener),
  );
}
