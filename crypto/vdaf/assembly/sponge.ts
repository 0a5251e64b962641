/**
 * TurboSHAKE128 as a sponge in memory, and the samplers above it. RFC 9861 §2, VDAF §6.2.
 *
 * A sponge is 200 bytes of state and a position. It is absorbed into, finished once, then squeezed. One that has
 * absorbed what many messages begin with is copied for each of them.
 */
import * as field255 from './field255';

/** Bytes of a sponge. */
export const SPONGE_SIZE: usize = 208;

/** Modulus of Field64. */
export const MODULUS_64: u64 = 0xffffffff00000001;

const RATE: usize = 168;
const POSITION: usize = 200;

/** Round constants of the last 12 of the 24 rounds of Keccak-f[1600]. FIPS 202. */
const ROUND_CONSTANTS: usize = memory.data<u64>([
  0x000000008000808b,
  0x800000000000008b,
  0x8000000000008089,
  0x8000000000008003,
  0x8000000000008002,
  0x8000000000000080,
  0x000000000000800a,
  0x800000008000000a,
  0x8000000080008081,
  0x8000000000008080,
  0x0000000080000001,
  0x8000000080008008,
]);

/** Keccak-p[1600, 12] on the 200 bytes at `state`. FIPS 202. */
export function permute(state: usize): void {
  let a0 = load<u64>(state, 0);
  let a1 = load<u64>(state, 8);
  let a2 = load<u64>(state, 16);
  let a3 = load<u64>(state, 24);
  let a4 = load<u64>(state, 32);
  let a5 = load<u64>(state, 40);
  let a6 = load<u64>(state, 48);
  let a7 = load<u64>(state, 56);
  let a8 = load<u64>(state, 64);
  let a9 = load<u64>(state, 72);
  let a10 = load<u64>(state, 80);
  let a11 = load<u64>(state, 88);
  let a12 = load<u64>(state, 96);
  let a13 = load<u64>(state, 104);
  let a14 = load<u64>(state, 112);
  let a15 = load<u64>(state, 120);
  let a16 = load<u64>(state, 128);
  let a17 = load<u64>(state, 136);
  let a18 = load<u64>(state, 144);
  let a19 = load<u64>(state, 152);
  let a20 = load<u64>(state, 160);
  let a21 = load<u64>(state, 168);
  let a22 = load<u64>(state, 176);
  let a23 = load<u64>(state, 184);
  let a24 = load<u64>(state, 192);
  for (let round: usize = 0; round < 96; round += 8) {
    const c0 = a0 ^ a5 ^ a10 ^ a15 ^ a20;
    const c1 = a1 ^ a6 ^ a11 ^ a16 ^ a21;
    const c2 = a2 ^ a7 ^ a12 ^ a17 ^ a22;
    const c3 = a3 ^ a8 ^ a13 ^ a18 ^ a23;
    const c4 = a4 ^ a9 ^ a14 ^ a19 ^ a24;
    const d0 = c4 ^ rotl(c1, 1);
    const d1 = c0 ^ rotl(c2, 1);
    const d2 = c1 ^ rotl(c3, 1);
    const d3 = c2 ^ rotl(c4, 1);
    const d4 = c3 ^ rotl(c0, 1);
    const b0 = a0 ^ d0;
    const b1 = rotl(a6 ^ d1, 44);
    const b2 = rotl(a12 ^ d2, 43);
    const b3 = rotl(a18 ^ d3, 21);
    const b4 = rotl(a24 ^ d4, 14);
    const b5 = rotl(a3 ^ d3, 28);
    const b6 = rotl(a9 ^ d4, 20);
    const b7 = rotl(a10 ^ d0, 3);
    const b8 = rotl(a16 ^ d1, 45);
    const b9 = rotl(a22 ^ d2, 61);
    const b10 = rotl(a1 ^ d1, 1);
    const b11 = rotl(a7 ^ d2, 6);
    const b12 = rotl(a13 ^ d3, 25);
    const b13 = rotl(a19 ^ d4, 8);
    const b14 = rotl(a20 ^ d0, 18);
    const b15 = rotl(a4 ^ d4, 27);
    const b16 = rotl(a5 ^ d0, 36);
    const b17 = rotl(a11 ^ d1, 10);
    const b18 = rotl(a17 ^ d2, 15);
    const b19 = rotl(a23 ^ d3, 56);
    const b20 = rotl(a2 ^ d2, 62);
    const b21 = rotl(a8 ^ d3, 55);
    const b22 = rotl(a14 ^ d4, 39);
    const b23 = rotl(a15 ^ d0, 41);
    const b24 = rotl(a21 ^ d1, 2);
    a0 = b0 ^ (~b1 & b2) ^ load<u64>(ROUND_CONSTANTS + round);
    a1 = b1 ^ (~b2 & b3);
    a2 = b2 ^ (~b3 & b4);
    a3 = b3 ^ (~b4 & b0);
    a4 = b4 ^ (~b0 & b1);
    a5 = b5 ^ (~b6 & b7);
    a6 = b6 ^ (~b7 & b8);
    a7 = b7 ^ (~b8 & b9);
    a8 = b8 ^ (~b9 & b5);
    a9 = b9 ^ (~b5 & b6);
    a10 = b10 ^ (~b11 & b12);
    a11 = b11 ^ (~b12 & b13);
    a12 = b12 ^ (~b13 & b14);
    a13 = b13 ^ (~b14 & b10);
    a14 = b14 ^ (~b10 & b11);
    a15 = b15 ^ (~b16 & b17);
    a16 = b16 ^ (~b17 & b18);
    a17 = b17 ^ (~b18 & b19);
    a18 = b18 ^ (~b19 & b15);
    a19 = b19 ^ (~b15 & b16);
    a20 = b20 ^ (~b21 & b22);
    a21 = b21 ^ (~b22 & b23);
    a22 = b22 ^ (~b23 & b24);
    a23 = b23 ^ (~b24 & b20);
    a24 = b24 ^ (~b20 & b21);
  }
  store<u64>(state, a0, 0);
  store<u64>(state, a1, 8);
  store<u64>(state, a2, 16);
  store<u64>(state, a3, 24);
  store<u64>(state, a4, 32);
  store<u64>(state, a5, 40);
  store<u64>(state, a6, 48);
  store<u64>(state, a7, 56);
  store<u64>(state, a8, 64);
  store<u64>(state, a9, 72);
  store<u64>(state, a10, 80);
  store<u64>(state, a11, 88);
  store<u64>(state, a12, 96);
  store<u64>(state, a13, 104);
  store<u64>(state, a14, 112);
  store<u64>(state, a15, 120);
  store<u64>(state, a16, 128);
  store<u64>(state, a17, 136);
  store<u64>(state, a18, 144);
  store<u64>(state, a19, 152);
  store<u64>(state, a20, 160);
  store<u64>(state, a21, 168);
  store<u64>(state, a22, 176);
  store<u64>(state, a23, 184);
  store<u64>(state, a24, 192);
}

/** Adds `length` bytes to the message of a sponge. */
export function absorb(sponge: usize, from: usize, length: usize): void {
  let position = <usize>load<u32>(sponge, POSITION);
  const end = from + length;
  while (from < end) {
    if (end - from >= 8 && position <= RATE - 8) {
      store<u64>(sponge + position, load<u64>(sponge + position) ^ load<u64>(from));
      position += 8;
      from += 8;
    } else {
      store<u8>(sponge + position, load<u8>(sponge + position) ^ load<u8>(from));
      position += 1;
      from += 1;
    }
    if (position == RATE) {
      permute(sponge);
      position = 0;
    }
  }
  store<u32>(sponge, <u32>position, POSITION);
}

/** Ends the message of a sponge; from now on it is squeezed. */
export function finish(sponge: usize, domain: u8): void {
  const position = <usize>load<u32>(sponge, POSITION);
  store<u8>(sponge + position, load<u8>(sponge + position) ^ domain);
  store<u8>(sponge, load<u8>(sponge, RATE - 1) ^ 0x80, RATE - 1);
  permute(sponge);
  store<u32>(sponge, 0, POSITION);
}

/** The next `length` bytes of a finished sponge. */
export function squeeze(sponge: usize, to: usize, length: usize): void {
  let position = <usize>load<u32>(sponge, POSITION);
  while (length > 0) {
    if (position == RATE) {
      permute(sponge);
      position = 0;
    }
    const room = RATE - position;
    const count = length < room ? length : room;
    memory.copy(to, sponge + position, count);
    position += count;
    to += count;
    length -= count;
  }
  store<u32>(sponge, <u32>position, POSITION);
}

/** A copy of a sponge. */
@inline
export function fork(sponge: usize, copy: usize): void {
  memory.copy(copy, sponge, SPONGE_SIZE);
}

/** The next `count` elements of Field64. Time shows which candidates were out of range, and nothing of the others. */
export function sampleField64(sponge: usize, to: usize, count: usize): void {
  for (const end = to + count * 8; to < end; ) {
    squeeze(sponge, to, 8);
    if (load<u64>(to) < MODULUS_64) to += 8;
  }
}

/** The next `count` elements of Field255. */
export function sampleField255(sponge: usize, to: usize, count: usize): void {
  for (const end = to + count * field255.SIZE; to < end; ) {
    squeeze(sponge, to, field255.SIZE);
    store<u8>(to, load<u8>(to, 31) & 0x7f, 31);
    if (field255.isCanonical(to)) to += field255.SIZE;
  }
}
