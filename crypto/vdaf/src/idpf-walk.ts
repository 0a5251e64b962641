/**
 * Walks down the tree of one report after another. VDAF §8.3.3.
 *
 * Narrow levels are left to the kernel in one call. Wide ones go phase by phase, with the platform's AES between them
 * where there is one.
 */
import type { BlockCipher, PlatformAes } from './aes.ts';
import { KEY_SIZE } from './poplar1-layout.ts';
import type { Sponges } from './poplar1-sponges.ts';
import type { WalkPlan } from './prefix-tree.ts';
import type { AggregatorId } from './vdaf.ts';
import type { Workspace } from './workspace.ts';

/** Bytes of expanded AES keys of a report. */
export const FIXED_KEYS_SIZE = 352;

/** Bytes of the same keys as they are. */
export const RAW_KEYS_SIZE = 32;

/** Bytes of the kernel's work space for each node. */
const NODE_SIZE = 34;

/** Addresses of the parts of a report that the walk needs. */
export interface WalkedReport {
  readonly publicShare: number;
  readonly nonce: number;
  readonly key: number;
}

/** Walks of one plan for reports of one application context. */
export class IdpfWalk {
  readonly #space: Workspace;
  readonly #bits: number;
  readonly #plan: WalkPlan;
  readonly #sponges: Sponges;
  readonly #aggregator: AggregatorId;
  readonly #capacity: number;
  readonly #keys: number;
  readonly #rawKeys: number;
  readonly #nodes: number;
  readonly #hashed: number;
  readonly #children: number;
  readonly #aes: PlatformAes | undefined;
  /** The level that ends the kernel's plain walk, and where its part of the plan begins. */
  readonly #narrowEnd: number;
  readonly #restOfChildren: number;
  readonly #isWide: boolean;

  constructor(
    space: Workspace,
    sponges: Sponges,
    bits: number,
    plan: WalkPlan,
    aggregator: AggregatorId,
    aes: PlatformAes | undefined,
  ) {
    this.#space = space;
    this.#sponges = sponges;
    this.#bits = bits;
    this.#plan = plan;
    this.#aggregator = aggregator;
    this.#capacity = plan.nodes.reduce((most, count) => Math.max(most, count), 1);
    this.#keys = space.reserve(FIXED_KEYS_SIZE);
    this.#rawKeys = space.reserve(RAW_KEYS_SIZE);
    this.#nodes = space.reserve(this.#capacity * NODE_SIZE);
    this.#hashed = space.reserve(this.#capacity * KEY_SIZE);
    this.#children = space.put(plan.children);
    this.#aes = aes;
    const wideFrom = this.#firstWideLevel();
    this.#isWide = wideFrom <= plan.to;
    // The values of the last level are never part of the plain walk.
    this.#narrowEnd = Math.min(wideFrom, plan.to);
    const before = plan.nodes.subarray(0, this.#narrowEnd - plan.from);
    this.#restOfChildren = this.#children + before.reduce((sum, count) => sum + count, 0);
  }

  /** Nodes at the end of the walk. */
  get count(): number {
    return this.#plan.nodes.at(-1) ?? 0;
  }

  /**
   * Evaluates one report at the prefixes.
   *
   * @param known - seeds and control bits of the nodes from which the plan starts, unless that is the root
   * @param out - address for two elements of each prefix
   */
  run(report: WalkedReport, known: Uint8Array | undefined, out: number): void {
    const { kernel } = this.#space;
    const { from } = this.#plan;
    kernel.fixedKeys(this.#sponges.fixedKeys, report.nonce, this.#keys, this.#rawKeys);
    kernel.plant(this.#nodes, this.#capacity, report.key, this.#aggregator);
    if (known !== undefined) this.#restore(known);
    const [end, children] = [this.#narrowEnd, this.#children];
    const count = kernel.walk(this.#keys, report.publicShare, this.#bits, from, end, children, this.#planned(from));
    if (this.#isWide && this.#aes !== undefined) this.#runWide(this.#aes, report, count, out);
    else this.#arrive(report, this.#restOfChildren, count, out);
  }

  /** The nodes at the end, for {@link IdpfWalk.run} of a deeper plan; only after a walk that ended at an inner level. */
  settle(): Uint8Array {
    this.#space.kernel.settle(this.#keys, this.count);
    const kept = new Uint8Array(this.count * (KEY_SIZE + 1));
    kept.set(this.#space.view(this.#nodes, this.count * KEY_SIZE));
    kept.set(this.#space.view(this.#controls, this.count), this.count * KEY_SIZE);
    return kept;
  }

  /** Bytes of {@link IdpfWalk.settle} for some nodes. */
  static settledSize(count: number): number {
    return count * (KEY_SIZE + 1);
  }

  get #controls(): number {
    return this.#nodes + 2 * KEY_SIZE * this.#capacity;
  }

  /** Parents at a level. */
  #planned(level: number): number {
    return this.#plan.nodes[level - this.#plan.from] ?? 0;
  }

  /** The first level that is wide enough for the platform's AES; the levels after it are no narrower. */
  #firstWideLevel(): number {
    const { from, to } = this.#plan;
    const { worthwhileFrom } = this.#aes ?? { worthwhileFrom: Number.POSITIVE_INFINITY };
    for (let level = from; level <= to; level++) if (this.#planned(level + 1) >= worthwhileFrom) return level;
    return to + 1;
  }

  #restore(known: Uint8Array): void {
    const count = this.#planned(this.#plan.from);
    this.#space.write(this.#nodes, known.subarray(0, count * KEY_SIZE));
    this.#space.write(this.#controls, known.subarray(count * KEY_SIZE));
  }

  /** The last level, by the kernel alone. */
  #arrive(report: WalkedReport, children: number, count: number, out: number): void {
    const { kernel } = this.#space;
    const { publicShare, nonce } = report;
    const { to } = this.#plan;
    const aggregator = BigInt(this.#aggregator);
    if (to === this.#bits - 1) {
      kernel.leafValues(this.#sponges.leaf, nonce, publicShare, this.#bits, children, count, aggregator, out);
      return;
    }
    const arrived = kernel.arrive(this.#keys, publicShare, this.#bits, to, children, count);
    kernel.innerValues(this.#keys, publicShare, this.#bits, to, arrived, aggregator, out);
  }

  /** The wide levels, and the last one in any case. */
  #runWide(aes: PlatformAes, report: WalkedReport, parents: number, out: number): void {
    const { kernel } = this.#space;
    const { to } = this.#plan;
    const bits = this.#bits;
    const extend = aes.blockCipher(this.#space.view(this.#rawKeys, KEY_SIZE));
    const convert = aes.blockCipher(this.#space.view(this.#rawKeys + KEY_SIZE, KEY_SIZE));
    const blocks = this.#nodes + KEY_SIZE * this.#capacity;
    let count = parents;
    let children = this.#restOfChildren;
    for (let level = this.#narrowEnd; level <= to; level++) {
      if (level === bits - 1) {
        this.#arrive(report, children, count, out);
        return;
      }
      const arrived = kernel.extend(children, count);
      this.#hash(extend, blocks, arrived);
      kernel.correct(report.publicShare, bits, level, arrived, level === to ? 1 : 0);
      this.#hash(convert, level === to ? blocks : this.#nodes, arrived);
      children += count;
      count = arrived;
    }
    kernel.innerValues(this.#keys, report.publicShare, bits, to, count, BigInt(this.#aggregator), out);
  }

  /** Replaces each block x by AES(x) + x. */
  #hash(cipher: BlockCipher, blocks: number, count: number): void {
    const length = count * KEY_SIZE;
    this.#space.write(this.#hashed, cipher(this.#space.view(blocks, length)));
    this.#space.kernel.xorInto(blocks, this.#hashed, length);
  }
}
