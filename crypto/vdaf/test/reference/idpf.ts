/** The incremental distributed point function. VDAF §8.3. */
import { concat, packBits, split, unpackBits, xor } from './bytes.ts';
import { domainSeparationTag } from './domain-separation.ts';
import { FIELD64, FIELD255, type Field } from './field.ts';
import { demand } from './refusal.ts';
import { nextVector, type Stream } from './xof.ts';
import { XOF_FIXED_KEY_AES128 } from './xof-fixed-key-aes128.ts';
import { XOF_TURBOSHAKE128 } from './xof-turboshake128.ts';

/** What both keys need to know of one level. */
export interface CorrectionWord {
  readonly seed: Uint8Array;
  /** Of the left and of the right child. */
  readonly control: readonly [boolean, boolean];
  readonly payload: readonly bigint[];
}

/** Length of a key, bytes. */
export const KEY_SIZE: number = XOF_FIXED_KEY_AES128.seedSize;

/** A node of the tree as one aggregator sees it. */
interface Node {
  readonly seed: Uint8Array;
  readonly control: boolean;
}

/** Keys for inputs of `bits` bits and values of `valueLength` field elements. */
export class Idpf {
  readonly bits: number;
  readonly valueLength: number;

  constructor(valueLength: number, bits: number) {
    this.valueLength = valueLength;
    this.bits = bits;
  }

  /** Field of the values on a level; the last has a larger one. */
  fieldAt(level: number): Field {
    return level < this.bits - 1 ? FIELD64 : FIELD255;
  }

  /**
   * Correction words for a path that has `values[level]` on it, and nothing beside it. The two keys are free.
   *
   * @param alpha - the path, `bits` bits
   */
  generate(
    alpha: readonly boolean[],
    values: readonly (readonly bigint[])[],
    ctx: Uint8Array,
    nonce: Uint8Array,
    keys: readonly [Uint8Array, Uint8Array],
  ): CorrectionWord[] {
    demand(alpha.length === this.bits, 'an input has the wrong length');
    let [left, right]: [Node, Node] = [
      { seed: keys[0], control: false },
      { seed: keys[1], control: true },
    ];
    return alpha.map((bit, level) => {
      const [keep, lose] = [Number(bit), Number(!bit)];
      const field = this.fieldAt(level);
      const [ours, theirs] = [this.#extend(level, left.seed, ctx, nonce), this.#extend(level, right.seed, ctx, nonce)];
      const seed = xor(ours[lose]!.seed, theirs[lose]!.seed);
      const control: [boolean, boolean] = [
        (ours[0].control !== theirs[0].control) !== !bit,
        (ours[1].control !== theirs[1].control) !== bit,
      ];
      const step = (from: Node, child: Node): { node: Node; value: bigint[] } => {
        const corrected = from.control ? correct(child, seed, control[keep]!) : child;
        const converted = this.#convert(level, corrected.seed, ctx, nonce);
        return { node: { seed: converted.seed, control: corrected.control }, value: converted.value };
      };
      const [a, b] = [step(left, ours[keep]!), step(right, theirs[keep]!)];
      const difference = field.addVectors(field.subVectors(values[level]!, a.value), b.value);
      [left, right] = [a.node, b.node];
      return { seed, control, payload: right.control ? difference.map((value) => field.neg(value)) : difference };
    });
  }

  /** An aggregator's shares of the values at these prefixes, which all have `level + 1` bits. */
  evaluate(
    aggregatorId: number,
    words: readonly CorrectionWord[],
    key: Uint8Array,
    level: number,
    prefixes: readonly (readonly boolean[])[],
    ctx: Uint8Array,
    nonce: Uint8Array,
  ): bigint[][] {
    return prefixes.map((prefix) => {
      demand(prefix.length === level + 1, 'a prefix has the wrong length');
      const field = this.fieldAt(level);
      let node: Node = { seed: key, control: aggregatorId === 1 };
      let value: bigint[] = [];
      for (const [at, bit] of prefix.entries()) {
        const word = words[at]!;
        const child = this.#extend(at, node.seed, ctx, nonce)[Number(bit)]!;
        const { seed, control } = node.control ? correct(child, word.seed, word.control[Number(bit)]!) : child;
        const converted = this.#convert(at, seed, ctx, nonce);
        node = { seed: converted.seed, control };
        value = control ? this.fieldAt(at).addVectors(converted.value, word.payload) : converted.value;
      }
      return aggregatorId === 0 ? value : value.map((element) => field.neg(element));
    });
  }

  /** VDAF §8.2.6.1. */
  encodePublicShare(words: readonly CorrectionWord[]): Uint8Array {
    return concat(
      packBits(words.flatMap(({ control }) => control)),
      ...words.map(({ seed }) => seed),
      ...words.map(({ payload }, level) => this.fieldAt(level).encode(payload)),
    );
  }

  decodePublicShare(bytes: Uint8Array): CorrectionWord[] {
    const levels = Array.from({ length: this.bits }, (_, level) => level);
    const [packed, ...pieces] = split(bytes, [
      Math.ceil((2 * this.bits) / 8),
      ...levels.map(() => KEY_SIZE),
      ...levels.map((level) => this.fieldAt(level).size * this.valueLength),
    ]);
    const bits = unpackBits(packed!, 2 * this.bits);
    return levels.map((level) => ({
      seed: pieces[level]!,
      control: [bits[2 * level]!, bits[2 * level + 1]!],
      payload: this.fieldAt(level).decode(pieces[this.bits + level]!),
    }));
  }

  /** Both children of a node. The lowest bit of a seed is taken for the control bit. */
  #extend(level: number, seed: Uint8Array, ctx: Uint8Array, nonce: Uint8Array): [Node, Node] {
    const stream = this.#stream(level, seed, domainSeparationTag(1, 0, 0, ctx), nonce);
    const child = (): Node => {
      const bytes = stream.next(KEY_SIZE);
      return { seed: bytes.map((byte, i) => (i === 0 ? byte & 0xfe : byte)), control: (bytes[0]! & 1) === 1 };
    };
    return [child(), child()];
  }

  #convert(level: number, seed: Uint8Array, ctx: Uint8Array, nonce: Uint8Array): { seed: Uint8Array; value: bigint[] } {
    const stream = this.#stream(level, seed, domainSeparationTag(1, 0, 1, ctx), nonce);
    return { seed: stream.next(KEY_SIZE), value: nextVector(stream, this.fieldAt(level), this.valueLength) };
  }

  #stream(level: number, seed: Uint8Array, dst: Uint8Array, nonce: Uint8Array): Stream {
    return (level < this.bits - 1 ? XOF_FIXED_KEY_AES128 : XOF_TURBOSHAKE128).start(seed, dst, nonce);
  }
}

function correct(node: Node, seed: Uint8Array, control: boolean): Node {
  return { seed: xor(node.seed, seed), control: node.control !== control };
}
