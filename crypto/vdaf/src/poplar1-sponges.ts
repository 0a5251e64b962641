/**
 * Sponges that have absorbed what the inputs of all reports begin with: the domain separation tag, and the length of the
 * seed. VDAF §6.2.3, §8.2, §8.3.4.
 */
import { Writer } from '@privacy-edge/bytes';
import { KEY_SIZE, SEED_SIZE } from './poplar1-layout.ts';
import type { Workspace } from './workspace.ts';

/** Wire version of the draft. */
const VERSION = 18;

/** Identifier of Poplar1. VDAF §10. */
export const POPLAR1 = 0x00000006;

/** Bytes of a sponge in the kernel's memory. */
export const SPONGE_SIZE = 208;

/** Longest application context: a domain separation tag has a length of 16 bits, and starts with eight more bytes. */
const MAX_CONTEXT_SIZE: number = 65535 - 8;

const CLASS_VDAF = 0;
const CLASS_IDPF = 1;
const USAGE_SHARD_RAND = 1;
const USAGE_CORR_INNER = 2;
const USAGE_CORR_LEAF = 3;
const USAGE_VERIFY_RAND = 4;
const USAGE_EXTEND = 0;
const USAGE_CONVERT = 1;

/** Addresses of the sponges. */
export interface Sponges {
  /** Two, of the fixed AES keys for extending and for converting. */
  readonly fixedKeys: number;
  /** Two, for extending to a leaf and for converting there. */
  readonly leaf: number;
  readonly shard: number;
  readonly correlatedInner: number;
  readonly correlatedLeaf: number;
  readonly verify: number;
}

function tag(algorithmClass: number, algorithm: number, usage: number, ctx: Uint8Array): Uint8Array {
  return new Writer(8 + ctx.length).u8(VERSION).u8(algorithmClass).u32(algorithm).u16(usage).bytes(ctx).finish();
}

/** The domain separation tag after its length in two bytes, low one first. */
function prefixedTag(algorithmClass: number, algorithm: number, usage: number, ctx: Uint8Array): Uint8Array {
  const bytes = tag(algorithmClass, algorithm, usage, ctx);
  return new Writer(3 + bytes.length)
    .u8(bytes.length & 0xff)
    .u8(bytes.length >> 8)
    .bytes(bytes)
    .finish();
}

/** Absorbs into a new sponge. */
export function spongeOf(space: Workspace, ...parts: readonly Uint8Array[]): number {
  const sponge = space.reserve(SPONGE_SIZE);
  for (const part of parts) space.kernel.absorb(sponge, space.put(part), part.length);
  return sponge;
}

/** Makes two sponges that lie one after the other. */
function idpfPair(space: Workspace, ctx: Uint8Array, after: Uint8Array): number {
  const first = space.reserve(2 * SPONGE_SIZE);
  for (const [index, usage] of [USAGE_EXTEND, USAGE_CONVERT].entries()) {
    space.copy(
      first + index * SPONGE_SIZE,
      spongeOf(space, prefixedTag(CLASS_IDPF, 0, usage, ctx), after),
      SPONGE_SIZE,
    );
  }
  return first;
}

/**
 * Makes the sponges of one application context.
 *
 * @param ctx - at most {@link MAX_CONTEXT_SIZE} bytes
 * @throws RangeError when it is longer
 */
export function makeSponges(space: Workspace, ctx: Uint8Array): Sponges {
  if (ctx.length > MAX_CONTEXT_SIZE) throw new RangeError('Cannot use the application context: it is too long');
  const seedLength = Uint8Array.of(SEED_SIZE);
  const vdaf = (usage: number) => spongeOf(space, prefixedTag(CLASS_VDAF, POPLAR1, usage, ctx), seedLength);
  return {
    fixedKeys: idpfPair(space, ctx, new Uint8Array(0)),
    leaf: idpfPair(space, ctx, Uint8Array.of(KEY_SIZE)),
    shard: vdaf(USAGE_SHARD_RAND),
    correlatedInner: vdaf(USAGE_CORR_INNER),
    correlatedLeaf: vdaf(USAGE_CORR_LEAF),
    verify: vdaf(USAGE_VERIFY_RAND),
  };
}
