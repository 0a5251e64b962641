/** Verification by one aggregator, step by step. VDAF §8.2.2. */
import type { PlatformAes } from './aes.ts';
import { IdpfWalk } from './idpf-walk.ts';
import {
  correlatedAt,
  elementSize,
  INNER_SIZE,
  inputShareSize,
  KEY_SIZE,
  LEAF_SIZE,
  NONCE_SIZE,
  publicShareSize,
  SEED_SIZE,
} from './poplar1-layout.ts';
import type { PrefixSet } from './poplar1-parameter.ts';
import { makeSponges, type Sponges } from './poplar1-sponges.ts';
import type { WalkPlan } from './prefix-tree.ts';
import type { AggregatorId, ReportShare } from './vdaf.ts';
import type { Workspace } from './workspace.ts';

/** What the first step gives. Shares and corrections are secret to the aggregator. */
export interface FirstStep {
  /** Three elements, for the peer. */
  readonly verifierShare: Uint8Array;
  /** Shares of A and B. */
  readonly corrections: Uint8Array;
  /** One element for each prefix. */
  readonly outShare: Uint8Array;
  /** The nodes at the end of the walk, if they were wanted. */
  readonly settled: Uint8Array | undefined;
}

/** What is the same for all reports of one call of the first step. */
export interface FirstStepOptions {
  readonly bits: number;
  readonly aggregator: AggregatorId;
  readonly verifyKey: Uint8Array;
  readonly ctx: Uint8Array;
  readonly set: PrefixSet;
  readonly plan: WalkPlan;
  readonly aes: PlatformAes | undefined;
  /** Whether to keep the nodes of an inner level. */
  readonly settle: boolean;
}

/** The first step for one report after another. */
export class FirstSteps {
  readonly #space: Workspace;
  readonly #options: FirstStepOptions;
  readonly #sponges: Sponges;
  readonly #walk: IdpfWalk;
  readonly #nonce: number;
  readonly #publicShare: number;
  readonly #inputShare: number;
  readonly #values: number;
  readonly #sketch: number;
  readonly #outShare: number;

  constructor(space: Workspace, options: FirstStepOptions) {
    const { bits, set } = options;
    if (options.verifyKey.length !== SEED_SIZE) throw new RangeError('Cannot verify: the key does not have 32 bytes');
    this.#space = space;
    this.#options = options;
    this.#sponges = makeSponges(space, options.ctx);
    space.kernel.absorb(this.#sponges.verify, space.put(options.verifyKey), SEED_SIZE);
    this.#walk = new IdpfWalk(space, this.#sponges, bits, options.plan, options.aggregator, options.aes);
    this.#nonce = space.reserve(NONCE_SIZE);
    this.#publicShare = space.reserve(publicShareSize(bits));
    this.#inputShare = space.reserve(inputShareSize(bits));
    this.#values = space.reserve(2 * this.#size * set.count);
    this.#sketch = space.reserve(3 * this.#size);
    this.#outShare = space.reserve(this.#size * set.count);
  }

  get #size(): number {
    return elementSize(this.#options.bits, this.#options.set.level);
  }

  /**
   * Runs the step.
   *
   * @param report - chosen by the client
   * @param known - settled nodes from which the plan starts
   * @returns `undefined` when a part of the report does not decode
   */
  run(report: ReportShare, known: Uint8Array | undefined): FirstStep | undefined {
    if (!this.#load(report)) return undefined;
    const { bits, set, settle } = this.#options;
    const walked = { publicShare: this.#publicShare, nonce: this.#nonce, key: this.#inputShare };
    this.#walk.run(walked, known, this.#values);
    this.#sketchValues();
    const corrections = correlatedAt(set.level);
    return {
      verifierShare: this.#space.read(this.#sketch, 3 * this.#size),
      corrections: report.inputShare.slice(corrections, corrections + 2 * this.#size),
      outShare: this.#space.read(this.#outShare, this.#size * set.count),
      settled: settle && set.level < bits - 1 ? this.#walk.settle() : undefined,
    };
  }

  /** The values of the IDPF at the prefixes, for conformance tests. */
  evaluate(report: Omit<ReportShare, 'inputShare'>, key: Uint8Array): Uint8Array {
    this.#space.write(this.#nonce, report.nonce);
    this.#space.write(this.#publicShare, report.publicShare);
    this.#space.write(this.#inputShare, key);
    const walked = { publicShare: this.#publicShare, nonce: this.#nonce, key: this.#inputShare };
    this.#walk.run(walked, undefined, this.#values);
    return this.#space.read(this.#values, 2 * this.#size * this.#options.set.count);
  }

  #load(report: ReportShare): boolean {
    const { bits } = this.#options;
    const { nonce, publicShare, inputShare } = report;
    if (nonce.length !== NONCE_SIZE) return false;
    if (publicShare.length !== publicShareSize(bits) || inputShare.length !== inputShareSize(bits)) return false;
    this.#space.write(this.#nonce, nonce);
    this.#space.write(this.#publicShare, publicShare);
    this.#space.write(this.#inputShare, inputShare);
    const { kernel } = this.#space;
    return kernel.isPublicShare(this.#publicShare, bits) === 1 && kernel.isInputShare(this.#inputShare, bits) === 1;
  }

  #sketchValues(): void {
    const { kernel } = this.#space;
    const { bits, aggregator, set } = this.#options;
    const { verify, correlatedInner, correlatedLeaf } = this.#sponges;
    const seed = this.#inputShare + KEY_SIZE;
    const [nonce, level, values, out, sketch] = [this.#nonce, set.level, this.#values, this.#outShare, this.#sketch];
    if (level === bits - 1) {
      kernel.correlated255(correlatedLeaf, seed, aggregator, nonce, sketch);
      kernel.sketch255(verify, nonce, level, values, set.count, out, sketch);
    } else {
      kernel.correlated64(correlatedInner, seed, aggregator, nonce, level, sketch);
      kernel.sketch64(verify, nonce, level, values, set.count, out, sketch);
    }
  }
}

/** Puts `count` elements into the work space; `undefined` when they are not that. */
function putElements(space: Workspace, bytes: Uint8Array, size: number, count: number): number | undefined {
  if (bytes.length !== size * count) return undefined;
  const at = space.put(bytes);
  const canonical = size === LEAF_SIZE ? space.kernel.canonical255(at, count) : space.kernel.canonical64(at, count);
  return canonical === 1 ? at : undefined;
}

/**
 * Adds the verifier shares of the first round, or of the second.
 *
 * @param size - bytes of an element
 * @returns the sum, or `undefined` when one of them does not decode
 */
export function addShares(
  space: Workspace,
  size: number,
  count: number,
  left: Uint8Array,
  right: Uint8Array,
): Uint8Array | undefined {
  const to = putElements(space, left, size, count);
  const from = putElements(space, right, size, count);
  if (to === undefined || from === undefined) return undefined;
  if (size === INNER_SIZE) space.kernel.sum64(to, from, count);
  else space.kernel.sum255(to, from, count);
  return space.read(to, size * count);
}

/**
 * The verifier share of the second round.
 *
 * @param message - the verifier message of the first round: three elements, chosen by the peer
 * @param corrections - the aggregator's shares of A and B
 * @returns one element, or `undefined` when an argument does not decode
 */
export function revealShare(
  space: Workspace,
  size: number,
  aggregator: AggregatorId,
  message: Uint8Array,
  corrections: Uint8Array,
): Uint8Array | undefined {
  const sketch = putElements(space, message, size, 3);
  const shares = putElements(space, corrections, size, 2);
  if (sketch === undefined || shares === undefined) return undefined;
  const out = space.reserve(size);
  if (size === INNER_SIZE) space.kernel.reveal64(BigInt(aggregator), sketch, shares, out);
  else space.kernel.reveal255(BigInt(aggregator), sketch, shares, out);
  return space.read(out, size);
}
