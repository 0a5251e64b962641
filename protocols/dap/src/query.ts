/** Queries and batch selectors. DAP §4.6.1, §4.6.4 and §5. */
import type { Codec } from '@privacy-edge/bytes';
import { codec, type Fields } from './codec.ts';
import { BATCH_ID_BYTES, checkLength } from './field.ts';
import { Interval } from './interval.ts';
import { BATCH_MODE_LEADER_SELECTED, BATCH_MODE_TIME_INTERVAL } from './registry.ts';

/** What a collector asks for; what is in it depends on the batch mode. */
export interface Query {
  /** 8 bits. */
  readonly batchMode: number;
  readonly config: Uint8Array;
}

/** Which batch the leader means; what is in it depends on the batch mode. */
export interface BatchSelector {
  /** 8 bits. */
  readonly batchMode: number;
  readonly config: Uint8Array;
}

/** How a {@link Query} or a {@link BatchSelector} stands inside of other messages. */
export const batchModeFields: Fields<Query> = {
  read: (reader) => ({ batchMode: reader.u8(), config: reader.vector(2) }),
  write: (writer, { batchMode, config }) => {
    writer.u8(batchMode).vector(2, config);
  },
};

/**
 * struct { BatchMode batch_mode; opaque config<0..2^16-1>; } Query;                                      DAP §4.6.1
 *
 * What is decoded shares memory with the input.
 */
export const Query: Codec<Query> = codec('query', batchModeFields);

/**
 * struct { BatchMode batch_mode; opaque config<0..2^16-1>; } BatchSelector;                              DAP §4.6.4
 *
 * What is decoded shares memory with the input.
 */
export const BatchSelector: Codec<BatchSelector> = codec('batch selector', batchModeFields);

/** Asks for the reports of an interval. DAP §5.1.1. */
export function timeIntervalQuery(interval: Interval): Query {
  return { batchMode: BATCH_MODE_TIME_INTERVAL, config: Interval.encode(interval) };
}

/** Asks for the next batch of the leader's choice. DAP §5.2.1. */
export function leaderSelectedQuery(): Query {
  return { batchMode: BATCH_MODE_LEADER_SELECTED, config: new Uint8Array(0) };
}

/** Names the reports of an interval. DAP §5.1.2. */
export function timeIntervalSelector(interval: Interval): BatchSelector {
  return timeIntervalQuery(interval);
}

/**
 * Names a batch of the leader's choice. DAP §5.2.3.
 *
 * @param batchId - 32 bytes
 */
export function leaderSelectedSelector(batchId: Uint8Array): BatchSelector {
  checkLength(batchId, BATCH_ID_BYTES, 'batch identifier');
  return { batchMode: BATCH_MODE_LEADER_SELECTED, config: batchId };
}
