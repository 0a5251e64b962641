/**
 * Memory of Prio3's kernel. From the bottom: what the module itself uses; tables of roots, one for each field and size,
 * which stay; and the region of the running call, which is cleared when the call ends. Nothing in this package waits,
 * so there is one call at a time.
 *
 * The memory grows to what the largest call so far needed, 256 MiB at most, and never shrinks.
 */
import { type Prio3Kernel, prio3Kernel } from './prio3-kernel.ts';

const PAGE = 65536;

/** The maximum of the kernel's memory, bytes. */
const MEMORY_SIZE = 4096 * PAGE;

/** Most that the region of a call may take, bytes. All tables that there can be leave room for it. */
export const REGION_LIMIT: number = 128 * 1024 * 1024;

let top: number | undefined;
const tables = new Map<string, number>();

function align(length: number): number {
  return (length + 15) & ~15;
}

function reach(kernel: Prio3Kernel, end: number): void {
  const size = kernel.memory.buffer.byteLength;
  if (end <= size) return;
  // Growing takes milliseconds, so it is done in large steps; up to the maximum that the module declares.
  const wanted = Math.max(end, Math.min(2 * size, MEMORY_SIZE));
  kernel.memory.grow(Math.ceil((wanted - size) / PAGE));
}

/**
 * The address of a table, which is made when it is first asked for. Must not be called during a call.
 *
 * @param name - identifies the table
 * @param size - bytes
 * @param fill - writes it
 */
export function tableAt(name: string, size: number, fill: (address: number) => void): number {
  const known = tables.get(name);
  if (known !== undefined) return known;
  const kernel = prio3Kernel();
  const address = top ?? align(kernel.heapStart());
  reach(kernel, address + size);
  fill(address);
  top = address + align(size);
  tables.set(name, address);
  return address;
}

/** The region of one call. It grows from the front; addresses are multiples of 16. */
export class Arena {
  readonly kernel: Prio3Kernel;
  readonly #start: number;
  #end: number;
  #view: Uint8Array<ArrayBuffer>;

  private constructor(kernel: Prio3Kernel) {
    this.kernel = kernel;
    this.#start = top ?? align(kernel.heapStart());
    this.#end = this.#start;
    this.#view = new Uint8Array(kernel.memory.buffer);
  }

  /** Runs one call, and clears what it left behind, which includes secrets. */
  static use<T>(call: (arena: Arena) => T): T {
    const arena = new Arena(prio3Kernel());
    try {
      return call(arena);
    } finally {
      arena.kernel.wipe();
      arena.#view.fill(0, arena.#start, arena.#end);
    }
  }

  /** The address of `length` bytes, all zero. */
  reserve(length: number): number {
    const at = this.#end;
    this.#end = at + align(length);
    reach(this.kernel, this.#end);
    if (this.#view.length === 0) this.#view = new Uint8Array(this.kernel.memory.buffer);
    return at;
  }

  /** The address of a copy of `bytes`. */
  put(bytes: Uint8Array): number {
    const at = this.reserve(bytes.length);
    this.write(at, bytes);
    return at;
  }

  /** Copies `bytes` to an address. */
  write(at: number, bytes: Uint8Array): void {
    this.#view.set(bytes, at);
  }

  /** Sets one byte, to the lowest eight bits of a number. */
  writeByte(at: number, byte: number): void {
    this.#view[at] = byte;
  }

  /** Sets `length` bytes to zero. */
  clear(at: number, length: number): void {
    this.#view.fill(0, at, at + length);
  }

  /** Copies inside of the memory. */
  copy(to: number, from: number, length: number): void {
    this.#view.copyWithin(to, from, from + length);
  }

  /** A copy of what is at an address. */
  read(at: number, length: number): Uint8Array<ArrayBuffer> {
    return this.#view.slice(at, at + length);
  }

  /** What is at an address, until the next {@link Arena.reserve}. */
  view(at: number, length: number): Uint8Array<ArrayBuffer> {
    return this.#view.subarray(at, at + length);
  }

  /** Writes an integer from 0 to 2^64 - 1, little-endian; a number must be below 2^53. */
  writeInteger(at: number, value: number | bigint): void {
    if (typeof value === 'number') this.#words(at, value % 0x1_0000_0000, Math.floor(value / 0x1_0000_0000));
    else this.#words(at, Number(value & 0xffff_ffffn), Number(value >> 32n));
  }

  #words(at: number, low: number, high: number): void {
    for (let i = 0; i < 4; i++) {
      this.#view[at + i] = low >>> (8 * i);
      this.#view[at + 4 + i] = high >>> (8 * i);
    }
  }
}
