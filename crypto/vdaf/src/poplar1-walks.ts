/** First steps of many reports, from the root or from where an earlier level left each of them. */
import { concatBytes, equalBytes } from '@privacy-edge/bytes';
import type { PlatformAes } from './aes.ts';
import { IdpfWalk } from './idpf-walk.ts';
import { decodePrefixes, type PrefixSet, parameterInvalid } from './poplar1-parameter.ts';
import { parameterDigest } from './poplar1-state.ts';
import type { Poplar1Context, Poplar1Report } from './poplar1-types.ts';
import { type FirstStep, FirstSteps } from './poplar1-verify.ts';
import { planWalk, type WalkPlan } from './prefix-tree.ts';
import type { AggregatorId } from './vdaf.ts';
import type { Workspace } from './workspace.ts';

/** Of the encoding of walks. */
const VERSION = 1;

/** The parameter of a call, and the plans for reports without and with a walk. */
export class Walks {
  readonly set: PrefixSet;
  readonly digest: Uint8Array;
  readonly #aes: PlatformAes | undefined;
  readonly #bits: number;
  readonly #context: Poplar1Context;
  readonly #known: { readonly plan: WalkPlan; readonly digest: Uint8Array; readonly count: number } | undefined;

  constructor(aes: PlatformAes | undefined, bits: number, context: Poplar1Context) {
    this.#aes = aes;
    this.#bits = bits;
    this.#context = context;
    this.set = decodePrefixes(context.aggregationParameter, bits);
    this.digest = parameterDigest(context.aggregationParameter);
    if (context.previousParameter === undefined) return;
    const earlier = decodePrefixes(context.previousParameter, bits);
    const plan = planWalk(this.set, earlier);
    if (plan === undefined) throw parameterInvalid();
    this.#known = { plan, digest: parameterDigest(context.previousParameter), count: earlier.count };
  }

  /** The first steps of one call, each of which is made when it is first needed. */
  steps(space: Workspace, aggregator: AggregatorId): (report: Poplar1Report) => FirstStep | undefined {
    const make = (plan: WalkPlan | undefined) => {
      if (plan === undefined) throw parameterInvalid();
      const { verifyKey, ctx, keepWalks: settle = false } = this.#context;
      const { set } = this;
      return new FirstSteps(space, { bits: this.#bits, aggregator, verifyKey, ctx, set, plan, aes: this.#aes, settle });
    };
    let fromRoot: FirstSteps | undefined;
    let fromKnown: FirstSteps | undefined;
    return (report) => {
      const nodes = this.#nodesOf(aggregator, report);
      if (nodes === undefined) {
        fromRoot ??= make(planWalk(this.set));
        return fromRoot.run(report, undefined);
      }
      fromKnown ??= make(this.#known?.plan);
      return fromKnown.run(report, nodes);
    };
  }

  #nodesOf(aggregator: AggregatorId, { walk, nonce }: Poplar1Report): Uint8Array | undefined {
    if (walk === undefined || this.#known === undefined) return undefined;
    const head = headOf(aggregator, this.#known.digest, nonce);
    if (walk.length !== head.length + IdpfWalk.settledSize(this.#known.count)) return undefined;
    return equalBytes(walk.subarray(0, head.length), head) ? walk.subarray(head.length) : undefined;
  }

  /** The answer's `walk`, if there is one. */
  walkOf(aggregator: AggregatorId, nonce: Uint8Array, settled: Uint8Array | undefined): { readonly walk?: Uint8Array } {
    return settled === undefined ? {} : { walk: concatBytes(headOf(aggregator, this.digest, nonce), settled) };
  }
}

/** What a walk begins with: it says to whom, to which parameter and to which report it belongs. */
function headOf(aggregator: AggregatorId, digest: Uint8Array, nonce: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(VERSION, aggregator), digest, nonce);
}
