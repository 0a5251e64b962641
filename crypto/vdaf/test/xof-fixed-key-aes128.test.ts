/** The kernel's AES and the XOF above it, against other implementations of AES and TurboSHAKE. */
import assert from 'node:assert/strict';
import { createCipheriv } from 'node:crypto';
import { it } from 'node:test';
import { turboshake128 } from '@noble/hashes/sha3-addons.js';
import fc from 'fast-check';
import { platformAes as nodeAes } from '../src/aes-node.ts';
import { xofFixedKeyAes128 } from '../src/poplar1-steps.ts';
import { Workspace } from '../src/workspace.ts';
import { FUZZ_RUNS, hex } from './poplar1-cases.ts';

const numRuns = Math.max(20, FUZZ_RUNS / 10);
const key16 = fc.uint8Array({ minLength: 16, maxLength: 16 });

/** AES(x) + x of each block, by the kernel. */
function hashed(key: Uint8Array, blocks: Uint8Array): Uint8Array {
  return Workspace.use((space) => {
    const keys = space.reserve(176);
    space.kernel.expandKey(space.put(key), keys);
    const at = space.put(blocks);
    space.kernel.hashBlocks(keys, at, blocks.length / 16);
    return space.read(at, blocks.length);
  });
}

/** The same by OpenSSL. */
function expected(key: Uint8Array, blocks: Uint8Array): Uint8Array {
  const encrypted = createCipheriv('aes-128-ecb', key, null).update(blocks);
  return blocks.map((byte, at) => byte ^ encrypted[at]!);
}

it('hashBlocks() has the example of FIPS 197, Appendix B', () => {
  const block = hex('3243f6a8885a308d313198a2e0370734');
  const result = hashed(hex('2b7e151628aed2a6abf7158809cf4f3c'), block);
  assert.equal(result.map((byte, at) => byte ^ block[at]!).toHex(), '3925841d02dc09fbdc118597196a0b32');
});

it('hashBlocks() has every value of the S-box in every place', () => {
  for (let byte = 0; byte < 256; byte++) {
    const [key, block] = [new Uint8Array(16).fill(byte), Uint8Array.from({ length: 16 }, (_, at) => byte ^ (at * 17))];
    assert.deepEqual(hashed(key, block), expected(key, block));
  }
});

it('hashBlocks() is AES(x) + x for any number of blocks', () => {
  const blocks = fc
    .integer({ min: 0, max: 13 })
    .chain((count) => fc.uint8Array({ minLength: 16 * count, maxLength: 16 * count }));
  fc.assert(
    fc.property(key16, blocks, (key, input) => assert.deepEqual(hashed(key, input), expected(key, input))),
    { numRuns },
  );
});

it("the platform's AES is the one of the kernel", () => {
  const blocks = Uint8Array.from({ length: 160 }, (_, at) => at);
  const key = Uint8Array.from({ length: 16 }, (_, at) => 255 - at);
  const cipher = nodeAes!.blockCipher(key);
  for (const input of [blocks, blocks.toReversed()]) {
    assert.deepEqual(
      cipher(input).map((byte, at) => byte ^ input[at]!),
      Buffer.from(hashed(key, input)),
    );
  }
});

/** XofFixedKeyAes128 as the draft words it, block by block. VDAF §6.2.2. */
function reference(seed: Uint8Array, dst: Uint8Array, binder: Uint8Array, length: number): Uint8Array {
  const message = Uint8Array.from([dst.length & 0xff, dst.length >> 8, ...dst, ...binder]);
  const key = turboshake128(message, { D: 2, dkLen: 16 });
  const stream = Array.from({ length: Math.ceil(length / 16) }, (_, index) => {
    const block = seed.slice();
    block[0]! ^= index & 0xff;
    block[1]! ^= index >> 8;
    const [low, high] = [block.slice(0, 8), block.slice(8)];
    const sigma = Uint8Array.from([...high, ...low.map((byte, at) => byte ^ high[at]!)]);
    return [...expected(key, sigma)];
  });
  return Uint8Array.from(stream.flat().slice(0, length));
}

it('xofFixedKeyAes128() is what the draft says, also for inputs of many blocks', () => {
  const bytes = fc.uint8Array({ maxLength: 400 });
  fc.assert(
    fc.property(key16, bytes, bytes, fc.nat(5000), (seed, dst, binder, length) => {
      assert.deepEqual(xofFixedKeyAes128(seed, dst, binder, length), reference(seed, dst, binder, length));
    }),
    { numRuns: Math.ceil(numRuns / 4) },
  );
});

it('xofFixedKeyAes128() refuses what has no encoding', () => {
  assert.throws(() => xofFixedKeyAes128(new Uint8Array(15), new Uint8Array(0), new Uint8Array(0), 16), RangeError);
  assert.throws(() => xofFixedKeyAes128(new Uint8Array(16), new Uint8Array(65536), new Uint8Array(0), 16), RangeError);
});
