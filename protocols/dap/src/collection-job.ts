/** Messages between collector and leader. DAP §4.6.1. */
import type { Codec } from '@privacy-edge/bytes';
import { codec, type Fields } from './codec.ts';
import { type Extension, extensionsFields } from './extension.ts';
import { type HpkeCiphertext, hpkeCiphertextFields } from './hpke-ciphertext.ts';
import { type Interval, intervalFields } from './interval.ts';
import { batchModeFields, type Query } from './query.ts';

/** Asks for an aggregate result. */
export interface CollectionJobReq {
  readonly query: Query;
  /** Encoded for the VDAF; empty for Prio3. */
  readonly aggParam: Uint8Array;
  /** Collection job extensions; their order has not been checked. */
  readonly extensions: readonly Extension[];
}

/** How a {@link CollectionJobReq} stands inside of other messages. */
export const collectionJobReqFields: Fields<CollectionJobReq> = {
  read: (reader) => ({
    query: batchModeFields.read(reader),
    aggParam: reader.vector(4),
    extensions: extensionsFields.read(reader),
  }),
  write: (writer, { query, aggParam, extensions }) => {
    batchModeFields.write(writer, query);
    writer.vector(4, aggParam);
    extensionsFields.write(writer, extensions);
  },
};

/**
 * struct { Query query; opaque agg_param<0..2^32-1>; CollectionJobExtension extensions<0..2^16-1>; } CollectionJobReq;
 *                                                                                                        DAP §4.6.1
 *
 * What is decoded shares memory with the input. The encoding is unique: encoding what was decoded gives the same bytes.
 */
export const CollectionJobReq: Codec<CollectionJobReq> = codec(
  'collection request',
  collectionJobReqFields,
  'collection-job-req',
);

/** Both sealed aggregate shares. */
export interface CollectionJobResp {
  /** Reports in the batch. */
  readonly reportCount: number;
  /** The smallest interval that contains the times of all of them. */
  readonly interval: Interval;
  readonly leaderEncryptedAggShare: HpkeCiphertext;
  readonly helperEncryptedAggShare: HpkeCiphertext;
}

/**
 * struct { uint64 report_count; Interval interval; HpkeCiphertext leader_encrypted_agg_share;
 *          HpkeCiphertext helper_encrypted_agg_share; } CollectionJobResp;                               DAP §4.6.1
 *
 * What is decoded shares memory with the input.
 */
export const CollectionJobResp: Codec<CollectionJobResp> = codec(
  'collection result',
  {
    read: (reader) => ({
      reportCount: reader.u64(),
      interval: intervalFields.read(reader),
      leaderEncryptedAggShare: hpkeCiphertextFields.read(reader),
      helperEncryptedAggShare: hpkeCiphertextFields.read(reader),
    }),
    write: (writer, { reportCount, interval, leaderEncryptedAggShare, helperEncryptedAggShare }) => {
      writer.u64(reportCount);
      intervalFields.write(writer, interval);
      hpkeCiphertextFields.write(writer, leaderEncryptedAggShare);
      hpkeCiphertextFields.write(writer, helperEncryptedAggShare);
    },
  },
  'collection-job-resp',
);
