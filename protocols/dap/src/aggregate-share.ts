/** Messages about the helper's aggregate share. DAP §4.6.4. */
import type { Codec } from '@privacy-edge/bytes';
import { codec } from './codec.ts';
import { type CollectionJobReq, collectionJobReqFields } from './collection-job.ts';
import { CHECKSUM_BYTES, writeFixed } from './field.ts';
import { type HpkeCiphertext, hpkeCiphertextFields } from './hpke-ciphertext.ts';
import { type BatchSelector, batchModeFields } from './query.ts';

/** Asks the helper for its aggregate share of a batch. */
export interface AggregateShareReq {
  /** What the collector asked for. */
  readonly collectionJobReq: CollectionJobReq;
  readonly batchSelector: BatchSelector;
  /** Reports in the batch, as the leader counts. */
  readonly reportCount: number;
  /** 32 bytes: XOR of the hashes of their identifiers. */
  readonly checksum: Uint8Array;
}

/**
 * struct { CollectionJobReq collection_job_req; BatchSelector batch_selector; uint64 report_count;
 *          opaque checksum[32]; } AggregateShareReq;                                                     DAP §4.6.4
 *
 * What is decoded shares memory with the input.
 */
export const AggregateShareReq: Codec<AggregateShareReq> = codec(
  'request for an aggregate share',
  {
    read: (reader) => ({
      collectionJobReq: collectionJobReqFields.read(reader),
      batchSelector: batchModeFields.read(reader),
      reportCount: reader.u64(),
      checksum: reader.bytes(CHECKSUM_BYTES),
    }),
    write: (writer, { collectionJobReq, batchSelector, reportCount, checksum }) => {
      collectionJobReqFields.write(writer, collectionJobReq);
      batchModeFields.write(writer, batchSelector);
      writer.u64(reportCount);
      writeFixed(writer, checksum, CHECKSUM_BYTES, 'checksum');
    },
  },
  'aggregate-share-req',
);

/** The helper's answer. */
export interface AggregateShare {
  /** For the collector; the leader cannot open it. */
  readonly encryptedAggregateShare: HpkeCiphertext;
}

/**
 * struct { HpkeCiphertext encrypted_aggregate_share; } AggregateShare;                                   DAP §4.6.4
 *
 * What is decoded shares memory with the input.
 */
export const AggregateShare: Codec<AggregateShare> = codec(
  'aggregate share',
  {
    read: (reader) => ({ encryptedAggregateShare: hpkeCiphertextFields.read(reader) }),
    write: (writer, { encryptedAggregateShare }) => hpkeCiphertextFields.write(writer, encryptedAggregateShare),
  },
  'aggregate-share',
);
