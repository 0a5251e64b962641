/** What a VDAF is, step by step, with everything that travels encoded. VDAF §5. */

/** A report as the client makes it. */
export interface Report {
  readonly publicShare: Uint8Array;
  /** One for each aggregator. */
  readonly inputShares: readonly Uint8Array[];
}

/** What an aggregator has after a step of verification that is not the last. */
export interface Continued<State> {
  readonly state: State;
  readonly verifierShare: Uint8Array;
}

/** What an aggregator has after the last step. */
export interface Finished {
  readonly outShare: Uint8Array;
}

/** A VDAF with its parameters. Steps throw a `Refusal` when they fail. */
export interface Vdaf<Measurement, Result, State> {
  /** Identifier of the algorithm. */
  readonly id: number;
  /** Number of aggregators. */
  readonly shares: number;
  readonly rounds: number;
  /** How many random bytes a client needs. */
  readonly randSize: number;
  shard(ctx: Uint8Array, measurement: Measurement, nonce: Uint8Array, rand: Uint8Array): Report;
  isValid(parameter: Uint8Array, previous: readonly Uint8Array[]): boolean;
  verifyInit(
    verifyKey: Uint8Array,
    ctx: Uint8Array,
    aggregatorId: number,
    parameter: Uint8Array,
    nonce: Uint8Array,
    publicShare: Uint8Array,
    inputShare: Uint8Array,
  ): Continued<State>;
  verifierSharesToMessage(ctx: Uint8Array, parameter: Uint8Array, verifierShares: readonly Uint8Array[]): Uint8Array;
  verifyNext(ctx: Uint8Array, state: State, message: Uint8Array): Continued<State> | Finished;
  aggregate(parameter: Uint8Array, outShares: readonly Uint8Array[]): Uint8Array;
  unshard(parameter: Uint8Array, aggregateShares: readonly Uint8Array[], reportCount: number): Result;
}

/** Length of every nonce, bytes. */
export const NONCE_SIZE = 16;
/** Length of every verification key, bytes. */
export const VERIFY_KEY_SIZE = 32;
