/** What the rows need of an implementation of VDAFs: the steps of every party, with everything that travels encoded. */
import type { AggregatorId, Shards, VdafConfiguration } from '@privacy-edge/vdaf';

/** What is the same for all steps about a batch of reports. */
export interface Batch {
  readonly configuration: VdafConfiguration;
  readonly ctx: Uint8Array;
  readonly verifyKey: Uint8Array;
  readonly aggregationParameter: Uint8Array;
}

/** A report as one aggregator gets it. */
export interface ReceivedReport {
  readonly nonce: Uint8Array;
  readonly publicShare: Uint8Array;
  readonly inputShare: Uint8Array;
}

/** What a step leads to. The state belongs to the implementation that gave it. */
export type Step =
  | { readonly kind: 'continued'; readonly state: unknown; readonly outbound: Uint8Array }
  | { readonly kind: 'finished'; readonly outShare: Uint8Array; readonly outbound: Uint8Array | undefined }
  | { readonly kind: 'rejected' };

/** An implementation in every role. */
export interface Implementation {
  readonly name: string;
  shard(batch: Batch, measurement: unknown, nonce: Uint8Array): Promise<Shards>;
  leaderInit(batch: Batch, report: ReceivedReport): Promise<Step>;
  helperInit(batch: Batch, report: ReceivedReport, inbound: Uint8Array): Promise<Step>;
  resume(batch: Batch, side: AggregatorId, state: unknown, inbound: Uint8Array): Promise<Step>;
  aggregate(batch: Batch, outShares: readonly Uint8Array[]): Promise<Uint8Array>;
  /** The result as decimal text, or a list of it. */
  unshard(batch: Batch, shares: readonly [Uint8Array, Uint8Array], reportCount: number): Promise<unknown>;
}
