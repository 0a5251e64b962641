/**
 * Memory of Poplar1's kernel for the time of one call. Nothing in this package waits, so there is one call at a time: it
 * takes the memory from the start, and clears what it used when it ends.
 *
 * The memory grows to what the largest call so far needed and never shrinks.
 */
import { type Poplar1Kernel, poplar1Kernel } from './poplar1-kernel.ts';

const PAGE = 65536;

/** A region that grows from the front. Addresses are multiples of 16. */
export class Workspace {
  readonly kernel: Poplar1Kernel;
  readonly #start: number;
  #end: number;
  #bytes: Uint8Array<ArrayBuffer>;

  private constructor(kernel: Poplar1Kernel) {
    this.kernel = kernel;
    this.#start = kernel.arenaStart();
    this.#end = this.#start;
    this.#bytes = new Uint8Array(kernel.memory.buffer);
  }

  /** Runs one call, and clears what it left behind, which includes secrets. */
  static use<T>(call: (space: Workspace) => T): T {
    const space = new Workspace(poplar1Kernel());
    try {
      return call(space);
    } finally {
      space.kernel.wipe();
      space.#bytes.fill(0, space.#start, space.#end);
    }
  }

  /** The address of `length` bytes, all zero. */
  reserve(length: number): number {
    const at = this.#end;
    const end = at + ((length + 15) & ~15);
    const missing = end - this.#bytes.length;
    if (missing > 0) {
      this.kernel.memory.grow(Math.ceil(missing / PAGE));
      this.#bytes = new Uint8Array(this.kernel.memory.buffer);
    }
    this.#end = end;
    return at;
  }

  /** The address of a copy of `bytes`. */
  put(bytes: Uint8Array): number {
    const at = this.reserve(bytes.length);
    this.#bytes.set(bytes, at);
    return at;
  }

  /** Copies `bytes` to an address. */
  write(at: number, bytes: Uint8Array): void {
    this.#bytes.set(bytes, at);
  }

  /** A copy of what is at an address. */
  read(at: number, length: number): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(at, at + length);
  }

  /** What is at an address, only until the next {@link Workspace.reserve}. */
  view(at: number, length: number): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(at, at + length);
  }

  /** Copies inside of the memory. */
  copy(to: number, from: number, length: number): void {
    this.#bytes.copyWithin(to, from, from + length);
  }

  /** Runs a step and gives back what it reserved. */
  release<T>(step: () => T): T {
    const mark = this.#end;
    try {
      return step();
    } finally {
      this.#bytes.fill(0, mark, this.#end);
      this.#end = mark;
    }
  }
}
