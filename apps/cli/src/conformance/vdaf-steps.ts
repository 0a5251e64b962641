/** A VDAF one step at a time, as the vectors of the draft drive it. VDAF §5. */

/** A step of an aggregator that is not its last. The state belongs to whoever gave it. */
export interface Continued {
  readonly kind: 'continued';
  readonly state: unknown;
  readonly verifierShare: Uint8Array;
}

/** The last step of an aggregator. */
export interface Finished {
  readonly kind: 'finished';
  readonly outShare: Uint8Array;
}

/** What an aggregator holds of a report. */
export interface ReportInput {
  readonly verifyKey: Uint8Array;
  readonly ctx: Uint8Array;
  readonly aggregatorId: number;
  readonly aggregationParameter: Uint8Array;
  readonly nonce: Uint8Array;
  readonly publicShare: Uint8Array;
  readonly inputShare: Uint8Array;
}

/** Steps with everything that travels encoded. What a peer or client can spoil gives undefined when it is spoiled. */
export interface VdafSteps {
  shard(
    ctx: Uint8Array,
    measurement: unknown,
    nonce: Uint8Array,
    rand: Uint8Array,
  ): { readonly publicShare: Uint8Array; readonly inputShares: readonly Uint8Array[] } | undefined;
  verifyInit(input: ReportInput): Continued | undefined;
  verifierSharesToMessage(
    ctx: Uint8Array,
    aggregationParameter: Uint8Array,
    verifierShares: readonly Uint8Array[],
  ): Uint8Array | undefined;
  verifyNext(state: unknown, message: Uint8Array): Continued | Finished | undefined;
  aggregate(aggregationParameter: Uint8Array, outShares: readonly Uint8Array[]): Uint8Array;
  unshard(aggregationParameter: Uint8Array, aggregateShares: readonly Uint8Array[], reportCount: number): unknown;
}
