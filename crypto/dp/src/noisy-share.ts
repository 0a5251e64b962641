/** Noise in aggregate shares, which are vectors over a prime field. */
import { DpError } from './dp-error.ts';
import type { Noise } from './mechanism.ts';
import { floorSqrt } from './rational.ts';

/** A field as aggregate shares encode it: elements of fixed length, little-endian. */
export interface FieldShape {
  /** The prime. */
  readonly modulus: bigint;
  /** Length of an element, bytes. */
  readonly encodedSize: number;
}

/** Scales of noise that must fit below half of the modulus: beyond them lies less than one draw in 2^80. */
const MARGIN = 64n;

/**
 * Adds noise to an aggregate share.
 *
 * @param share - coordinates from 0 up to the modulus
 * @param noise - as many signed integers; secret to this aggregator
 * @param modulus - of the field
 * @returns coordinates from 0 up to the modulus
 * @throws RangeError when lengths differ or a coordinate is outside of the field
 */
export function addNoise(share: readonly bigint[], noise: readonly bigint[], modulus: bigint): bigint[] {
  requireLength(share.length, noise.length);
  return share.map((value, i) => addSigned(value, noise[i] ?? 0n, modulus));
}

/**
 * Adds noise to an encoded aggregate share, as DAP stores it.
 *
 * @param share - encoded coordinates; is not changed
 * @param noise - as many signed integers; secret to this aggregator
 * @returns a new encoding of the same length
 * @throws RangeError when lengths differ or a coordinate is outside of the field
 */
export function addNoiseEncoded(share: Uint8Array, noise: readonly bigint[], field: FieldShape): Uint8Array {
  requireLength(share.length, noise.length * field.encodedSize);
  const noisy = new Uint8Array(share.length);
  for (const [i, item] of noise.entries()) {
    const at = i * field.encodedSize;
    const value = readElement(share.subarray(at, at + field.encodedSize));
    writeElement(noisy.subarray(at, at + field.encodedSize), addSigned(value, item, field.modulus));
  }
  return noisy;
}

/**
 * Reads a field element as a signed integer: what lies above half of the modulus is negative. For collectors, since a
 * count of zero with noise is below zero half of the time.
 *
 * @param value - from 0 up to the modulus
 * @throws RangeError when it is outside of the field
 */
export function toSigned(value: bigint, modulus: bigint): bigint {
  requireElement(value, modulus);
  return 2n * value > modulus ? value - modulus : value;
}

/**
 * Checks that an aggregate and the noise of both aggregators stay within half of the modulus, so that `toSigned` reads
 * the result back: otherwise it is nonsense that looks like a number.
 *
 * @param noise - of one aggregator
 * @param largest - largest value that a coordinate can reach without noise
 * @throws {DpError} `NOISE_TOO_WIDE` when it does not fit
 */
export function requireNoiseFits(noise: readonly Noise[], largest: bigint, modulus: bigint): void {
  for (const item of new Set(noise)) {
    const scale =
      item.kind === 'laplace' ? item.scale.numerator / item.scale.denominator : floorSqrt(item.sigmaSquared);
    if (2n * (largest + 2n * MARGIN * (scale + 1n)) >= modulus) {
      throw new DpError('NOISE_TOO_WIDE', 'Cannot add noise: the result would wrap around the field');
    }
  }
}

function addSigned(value: bigint, noise: bigint, modulus: bigint): bigint {
  requireElement(value, modulus);
  const sum = (value + noise) % modulus;
  return sum < 0n ? sum + modulus : sum;
}

function readElement(bytes: Uint8Array): bigint {
  let value = 0n;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = bytes.length;
  for (; at >= 8; at -= 8) value = (value << 64n) | view.getBigUint64(at - 8, true);
  for (; at > 0; at--) value = (value << 8n) | BigInt(view.getUint8(at - 1));
  return value;
}

function writeElement(bytes: Uint8Array, value: bigint): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const head = bytes.length % 8;
  let rest = value;
  for (let i = 0; i < head; i++, rest >>= 8n) view.setUint8(i, Number(rest & 0xffn));
  for (let i = head; i < bytes.length; i += 8, rest >>= 64n) view.setBigUint64(i, rest & 0xffff_ffff_ffff_ffffn, true);
}

function requireElement(value: bigint, modulus: bigint): void {
  if (value < 0n || value >= modulus) throw new RangeError('Cannot use coordinate: it is outside of the field');
}

function requireLength(share: number, noise: number): void {
  if (share !== noise) throw new RangeError(`Cannot add noise: its length is ${noise}, that of the share ${share}`);
}
