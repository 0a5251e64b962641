/** What callers of Poplar1 see. */
import type { ReportShare, Transition, Vdaf, VerifyContext } from './vdaf.ts';

/** What is the same for all reports of one first step. */
export interface Poplar1Context extends VerifyContext {
  /** The aggregation parameter from which the walks of the reports are, if they have any. */
  readonly previousParameter?: Uint8Array;
  /** Whether to answer with the walk of each report. Off unless `true`; there is none at the last level. */
  readonly keepWalks?: boolean;
}

/** A report, perhaps with what an earlier level left behind. */
export interface Poplar1Report extends ReportShare {
  /**
   * The walk that the first step under `previousParameter` gave for this report: the nodes reached then, so that only
   * the levels since then are visited. One that does not belong to the report or the parameter is not used.
   */
  readonly walk?: Uint8Array;
}

/** A transition; after a first step perhaps with a walk, which is as secret as the state. */
export type Poplar1Transition = Transition & { readonly walk?: Uint8Array };

/**
 * Poplar1 for strings of a fixed length. A measurement is a packed string of bits: the first bit is the highest of the
 * first byte, and the bits after the last are zero. A result is one count for each prefix, in the order of the
 * aggregation parameter.
 */
export interface Poplar1 extends Vdaf<Uint8Array, bigint[]> {
  /** Length of the clients' strings. */
  readonly bits: number;
  leaderInit(context: Poplar1Context, reports: readonly Poplar1Report[]): Poplar1Transition[];
  helperInit(
    context: Poplar1Context,
    reports: readonly (Poplar1Report & { readonly inbound: Uint8Array })[],
  ): Poplar1Transition[];
}
