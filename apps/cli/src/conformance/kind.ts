/** What a driver for one kind of vector file is. */
import type { Vector } from './vector.ts';

/** How one vector came out, when it did not fail. */
export type Verdict =
  /** Our values are the recorded ones. */
  | { readonly kind: 'same' }
  /** The vector is about something this kit does not offer, and it was refused exactly as it should be. */
  | { readonly kind: 'refused'; readonly what: string }
  /** The recording is a peer's fault, and our outcome is the one a rule lists. */
  | { readonly kind: 'diverged'; readonly rule: DivergenceRule };

/** Where we differ from what a peer did, on purpose. A rule is about a property of the input, never about a case's name. */
export interface DivergenceRule {
  readonly name: string;
  readonly reason: string;
  /** What we do instead. */
  readonly outcome: string;
}

/** A kind of vector file. */
export interface VectorKind {
  /** Path of such files below the area, `*` for any characters but a slash: `ohttp/hpke-*.json`. */
  readonly pattern: string;
  /** What is checked, for the summary. */
  readonly title: string;
  /** Whether a file is one vector instead of a list of them. */
  readonly single?: boolean;
  /** Checks one vector; throws for a failure. */
  readonly check: (vector: Vector) => Promise<Verdict>;
}

/** The verdict of most vectors. */
export const SAME: Verdict = { kind: 'same' };
