/**
 * The WebAssembly kernel of Poplar1, from `assembly/poplar1.ts`. Addresses are bytes in its memory; elements of a field
 * lie there as they are encoded.
 */
import { poplar1Module } from '#poplar1-module';

/** What the kernel exports; each function is described where it is written. */
export interface Poplar1Kernel {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  arenaStart(): number;
  wipe(): void;

  absorb(sponge: number, from: number, length: number): void;
  finishSponge(sponge: number, domain: number): void;
  squeeze(sponge: number, to: number, length: number): void;
  sampleField64(sponge: number, to: number, count: number): void;
  sampleField255(sponge: number, to: number, count: number): void;
  expandKey(key: number, keys: number): void;
  hashBlocks(keys: number, blocks: number, count: number): void;
  xorInto(to: number, from: number, length: number): void;

  fixedKeys(prefixes: number, nonce: number, keys: number, raw: number): void;
  plant(space: number, capacity: number, key: number, aggregator: number): void;
  extend(plan: number, count: number): number;
  correct(share: number, bits: number, level: number, children: number, values: number): void;
  walk(keys: number, share: number, bits: number, from: number, to: number, plan: number, count: number): number;
  arrive(keys: number, share: number, bits: number, level: number, plan: number, count: number): number;
  settle(keys: number, children: number): void;
  innerValues(
    keys: number,
    share: number,
    bits: number,
    level: number,
    children: number,
    aggregator: bigint,
    out: number,
  ): void;
  leafValues(
    prefixes: number,
    nonce: number,
    share: number,
    bits: number,
    plan: number,
    count: number,
    aggregator: bigint,
    out: number,
  ): number;
  generate(
    bits: number,
    keys: number,
    prefixes: number,
    nonce: number,
    alpha: number,
    beta: number,
    rand: number,
    share: number,
  ): void;

  isPublicShare(share: number, bits: number): number;
  isInputShare(share: number, bits: number): number;
  canonical64(elements: number, count: number): number;
  canonical255(elements: number, count: number): number;
  sum64(to: number, from: number, count: number): void;
  sum255(to: number, from: number, count: number): void;

  correlated64(prefix: number, seed: number, aggregator: number, nonce: number, level: number, out: number): void;
  correlated255(prefix: number, seed: number, aggregator: number, nonce: number, out: number): void;
  sketch64(
    prefix: number,
    nonce: number,
    level: number,
    values: number,
    count: number,
    out: number,
    sketch: number,
  ): void;
  sketch255(
    prefix: number,
    nonce: number,
    level: number,
    values: number,
    count: number,
    out: number,
    sketch: number,
  ): void;
  reveal64(aggregator: bigint, sketch: number, shares: number, out: number): void;
  reveal255(aggregator: bigint, sketch: number, shares: number, out: number): void;
  program(stream: number, bits: number, beta: number): void;
  addCorrelated(
    bits: number,
    innerPrefix: number,
    leafPrefix: number,
    seed: number,
    aggregator: number,
    nonce: number,
    offsets: number,
  ): void;
  correlate(bits: number, stream: number, offsets: number, beta: number, leader: number, helper: number): void;
}

let instance: Poplar1Kernel | undefined;

/** The kernel, compiled when it is first needed. */
export function poplar1Kernel(): Poplar1Kernel {
  instance ??= new WebAssembly.Instance(poplar1Module()).exports as unknown as Poplar1Kernel;
  return instance;
}
