/** Elements of fields, for vectors that hold them as numbers. */

/** An integer in so many bytes, least significant first. */
function littleEndian(value: bigint, size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
}

/** The encoding of a vector of elements. */
export function encodeElements(values: readonly bigint[], size: number): Uint8Array {
  return Uint8Array.from(values.flatMap((value) => Array.from(littleEndian(value, size))));
}

/** The elements that an encoding holds, whether they are below a modulus or not. */
export function decodeElements(bytes: Uint8Array, size: number): bigint[] {
  return Array.from({ length: Math.floor(bytes.length / size) }, (_, i) =>
    bytes.subarray(i * size, (i + 1) * size).reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n),
  );
}

/** Bits in bytes, the first in the highest place of the first byte. */
export function packBits(bits: readonly boolean[]): Uint8Array {
  return Uint8Array.from({ length: Math.ceil(bits.length / 8) }, (_, i) =>
    bits.slice(8 * i, 8 * i + 8).reduce((byte, bit, at) => byte | (Number(bit) << (7 - at)), 0),
  );
}

/** Modulus of Field64. VDAF §6.1.4. */
export const MODULUS64: bigint = 2n ** 64n - 2n ** 32n + 1n;
/** Modulus of Field128. VDAF §6.1.4. */
export const MODULUS128: bigint = 2n ** 128n - 28n * 2n ** 64n + 1n;
/** Modulus of Field255. VDAF §6.1.4. */
export const MODULUS255: bigint = 2n ** 255n - 19n;

/** The element that an integer stands for. */
export function modulo(value: bigint, modulus: bigint): bigint {
  return ((value % modulus) + modulus) % modulus;
}

/** The inverse modulo a prime; 0 for 0. */
export function inverse(value: bigint, modulus: bigint): bigint {
  let result = 1n;
  let square = value;
  for (let exponent = modulus - 2n; exponent > 0n; exponent >>= 1n) {
    if (exponent % 2n === 1n) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
}
