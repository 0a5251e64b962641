/**
 * AES of the platform, for batches: it has instructions for AES, but a call costs as much as dozens of blocks in the
 * kernel. `#aes` is a module with this shape.
 */

/** Encrypts a whole number of blocks, each by itself. */
export type BlockCipher = (blocks: Uint8Array) => Uint8Array;

/** What a platform offers. */
export interface PlatformAes {
  /** Blocks from which on a call is cheaper than the kernel's own AES. */
  readonly worthwhileFrom: number;
  /** AES-128 under a key of 16 bytes. */
  blockCipher(key: Uint8Array): BlockCipher;
}

/** Absent where the kernel does everything. */
export declare const platformAes: PlatformAes | undefined;
