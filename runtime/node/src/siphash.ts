/**
 * SipHash-2-4 (Aumasson and Bernstein, 2012): a keyed hash for table slots that peers must not be able to predict. Written
 * out on 32-bit halves because one call of node:crypto costs more than the whole function on the 32 to 133 bytes of an `enc`.
 */

/**
 * Hashes `bytes` under `key`.
 *
 * @param key - four 32-bit words, little-endian order, secret
 * @param bytes - peer-controlled
 * @param out - receives the 64-bit result: low word, then high word
 */
export function sipHash24(key: Int32Array, bytes: Uint8Array, out: Int32Array): void {
  const [k0l = 0, k0h = 0, k1l = 0, k1h = 0] = key;
  let v0l = k0l ^ 0x70736575;
  let v0h = k0h ^ 0x736f6d65;
  let v1l = k1l ^ 0x6e646f6d;
  let v1h = k1h ^ 0x646f7261;
  let v2l = k0l ^ 0x6e657261;
  let v2h = k0h ^ 0x6c796765;
  let v3l = k1l ^ 0x79746573;
  let v3h = k1h ^ 0x74656462;
  const length = bytes.length;
  const blocks = length >>> 3;
  for (let block = 0; block <= blocks + 1; block++) {
    const final = block === blocks + 1;
    const low = final ? 0 : word(bytes, block * 8);
    const high = final ? 0 : block < blocks ? word(bytes, block * 8 + 4) : lastWord(bytes, block * 8 + 4);
    if (final) v2l ^= 0xff;
    v3l ^= low;
    v3h ^= high;
    for (let round = final ? 4 : 2; round > 0; round--) {
      let sum = (v0l >>> 0) + (v1l >>> 0);
      v0h = (v0h + v1h + (sum > 0xffffffff ? 1 : 0)) | 0;
      v0l = sum | 0;
      let swap = (v1l << 13) | (v1h >>> 19);
      v1h = ((v1h << 13) | (v1l >>> 19)) ^ v0h;
      v1l = swap ^ v0l;
      swap = v0l;
      v0l = v0h;
      v0h = swap;
      sum = (v2l >>> 0) + (v3l >>> 0);
      v2h = (v2h + v3h + (sum > 0xffffffff ? 1 : 0)) | 0;
      v2l = sum | 0;
      swap = (v3l << 16) | (v3h >>> 16);
      v3h = ((v3h << 16) | (v3l >>> 16)) ^ v2h;
      v3l = swap ^ v2l;
      sum = (v0l >>> 0) + (v3l >>> 0);
      v0h = (v0h + v3h + (sum > 0xffffffff ? 1 : 0)) | 0;
      v0l = sum | 0;
      swap = (v3l << 21) | (v3h >>> 11);
      v3h = ((v3h << 21) | (v3l >>> 11)) ^ v0h;
      v3l = swap ^ v0l;
      sum = (v2l >>> 0) + (v1l >>> 0);
      v2h = (v2h + v1h + (sum > 0xffffffff ? 1 : 0)) | 0;
      v2l = sum | 0;
      swap = (v1l << 17) | (v1h >>> 15);
      v1h = ((v1h << 17) | (v1l >>> 15)) ^ v2h;
      v1l = swap ^ v2l;
      swap = v2l;
      v2l = v2h;
      v2h = swap;
    }
    v0l ^= low;
    v0h ^= high;
  }
  out[0] = v0l ^ v1l ^ v2l ^ v3l;
  out[1] = v0h ^ v1h ^ v2h ^ v3h;
}

/** Four bytes, little-endian; bytes past the end count as zero. */
function word(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
}

/** The last half block ends with the length of the input, modulo 256. */
function lastWord(bytes: Uint8Array, at: number): number {
  return (word(bytes, at) & 0xffffff) | (bytes.length << 24);
}
