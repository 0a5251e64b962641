/**
 * The shape that every VDAF of this package has, in bytes: what travels and what is stored is encoded, so that
 * protocols never hold a field element. Measurements and results are the only structured values.
 */

/** A report's parts as they leave the client: one public share and one input share per aggregator. */
export interface Shards {
  /** Sent to both aggregators in clear; may be empty. */
  readonly publicShare: Uint8Array;
  /** Leader's share first, helper's second. Secret: sealed to its aggregator at once. */
  readonly inputShares: readonly [Uint8Array, Uint8Array];
}

/** Lengths in bytes of what every honest client and aggregator encodes, whatever the measurement. */
export interface ShareSizes {
  readonly publicShare: number;
  /** Leader's share first, helper's second. */
  readonly inputShares: readonly [number, number];
  /** The most that the leader's first message may have, at whatever level. */
  readonly firstMessage: number;
}

/** Which of the two aggregators runs a step: 0 is the leader, 1 the helper. */
export type AggregatorId = 0 | 1;

/** The part of a report that an aggregator holds when verification starts. Everything here is chosen by the client. */
export interface ReportShare {
  /** The report identifier, 16 bytes. */
  readonly nonce: Uint8Array;
  /** The encoded public share. */
  readonly publicShare: Uint8Array;
  /** This aggregator's encoded input share. */
  readonly inputShare: Uint8Array;
}

/** Result of one verification step for one report. `state` and `outShare` are secret to this aggregator. */
export type Transition =
  /** More rounds to come: keep `state` (an encoding that may be stored), send `outbound` to the peer. */
  | { readonly kind: 'continued'; readonly state: Uint8Array; readonly outbound: Uint8Array }
  /** Verified; `outbound` is present when the peer still needs a message. */
  | { readonly kind: 'finished'; readonly outShare: Uint8Array; readonly outbound?: Uint8Array }
  /**
   * The report is invalid, or the peer's message is: nothing of it may be aggregated. `malformed` when the public share or
   * this aggregator's input share does not even decode, which DAP tells apart.
   */
  | { readonly kind: 'rejected'; readonly malformed?: true };

/** What is the same for all reports of one verification call. */
export interface VerifyContext {
  /** Secret that both aggregators share, `verifyKeySize` bytes. */
  readonly verifyKey: Uint8Array;
  /** Application context, for DAP the version tag followed by the task identifier. */
  readonly ctx: Uint8Array;
  /** Encoded aggregation parameter, chosen by the collector; empty for Prio3. */
  readonly aggregationParameter: Uint8Array;
}

/**
 * One VDAF with fixed parameters, as the ping-pong topology drives it. All methods that take many reports answer in
 * the same order, one entry for each; a bad report spoils only its own entry.
 */
export interface Vdaf<Measurement, Result> {
  /** Algorithm identifier, 32 bits. */
  readonly id: number;
  /** Length of the verification key, bytes. */
  readonly verifyKeySize: number;
  /** Length of the randomness that `shard` consumes, bytes. */
  readonly randSize: number;
  /** Of reports: one with other lengths is not valid. */
  readonly sizes: ShareSizes;
  /** Rounds of verification: 1 for Prio3, 2 for Poplar1. */
  readonly rounds: number;
  /** Client: split a measurement. `rand` has `randSize` bytes and must be fresh. */
  shard(ctx: Uint8Array, measurement: Measurement, nonce: Uint8Array, rand: Uint8Array): Shards;
  /** Leader: the first step. */
  leaderInit(context: VerifyContext, reports: readonly ReportShare[]): Transition[];
  /** Helper: the first step, with the leader's message of each report. */
  helperInit(
    context: VerifyContext,
    reports: readonly (ReportShare & { readonly inbound: Uint8Array })[],
  ): Transition[];
  /** Either side: a stored state and the peer's next message. */
  resume(
    context: VerifyContext,
    role: AggregatorId,
    reports: readonly { readonly state: Uint8Array; readonly inbound: Uint8Array }[],
  ): Transition[];
  /** Whether an aggregation parameter is well formed and allowed after the ones already used, in that order. */
  isValidParameter(aggregationParameter: Uint8Array, previous: readonly Uint8Array[]): boolean;
  /** The encoded aggregate share of no report at all. */
  emptyAggregate(aggregationParameter: Uint8Array): Uint8Array;
  /** Adds encoded output shares into a copy of an encoded aggregate share. */
  aggregate(aggregationParameter: Uint8Array, aggregateShare: Uint8Array, outShares: readonly Uint8Array[]): Uint8Array;
  /** Merges encoded aggregate shares, which are added like output shares. */
  merge(aggregationParameter: Uint8Array, aggregateShares: readonly Uint8Array[]): Uint8Array;
  /** Collector: both aggregate shares and the number of reports in them. */
  unshard(
    aggregationParameter: Uint8Array,
    aggregateShares: readonly [Uint8Array, Uint8Array],
    reportCount: number,
  ): Result;
}
