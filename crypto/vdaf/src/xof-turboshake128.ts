/**
 * Inputs of XofTurboShake128 in kernel memory. Of the input of one usage only the seed and the binder change from
 * report to report, so that the rest is written once for a batch. VDAF §6.2.1.
 */
import type { Arena } from './prio3-arena.ts';

/** Bytes of a seed. */
export const SEED_SIZE = 32;

/** The version in every domain separation tag. VDAF §6.2.3. */
const VERSION = 18;

/** The class of VDAFs in domain separation tags. VDAF §6.2.3. */
const CLASS_VDAF = 0;

/** Bytes of a domain separation tag before the application context. */
const TAG_SIZE = 8;

/** Longest application context: the length of tag and context has 16 bits. */
export const MAX_CONTEXT_SIZE: number = 0xffff - TAG_SIZE;

/** One input, laid out at an address. */
export interface XofInput {
  /** Where it starts. */
  readonly at: number;
  /** Bytes. */
  readonly length: number;
  /** Where the seed is; 32 bytes. */
  readonly seed: number;
  /** Where the binder is. */
  readonly binder: number;
}

/**
 * Lays an input out; seed and binder are zero.
 *
 * @param algorithm - identifier of the VDAF
 * @param usage - what the output is for
 * @param ctx - application context
 * @param binderSize - bytes
 * @see VDAF §6.2.3
 */
export function xofInput(
  arena: Arena,
  algorithm: number,
  usage: number,
  ctx: Uint8Array,
  binderSize: number,
): XofInput {
  const tagLength = TAG_SIZE + ctx.length;
  const length = 2 + tagLength + 1 + SEED_SIZE + binderSize;
  const at = arena.reserve(length);
  const seed = at + 2 + tagLength + 1;
  arena.writeByte(at, tagLength);
  arena.writeByte(at + 1, tagLength >> 8);
  arena.writeByte(at + 2, VERSION);
  arena.writeByte(at + 3, CLASS_VDAF);
  for (let i = 0; i < 4; i++) arena.writeByte(at + 4 + i, algorithm >>> (24 - 8 * i));
  arena.writeByte(at + 8, usage >> 8);
  arena.writeByte(at + 9, usage);
  arena.write(at + 2 + TAG_SIZE, ctx);
  arena.writeByte(seed - 1, SEED_SIZE);
  return { at, length, seed, binder: seed + SEED_SIZE };
}
