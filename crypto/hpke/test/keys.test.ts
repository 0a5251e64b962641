/** What is no key, and what is no encapsulated secret. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import { HpkeError } from '../src/error.ts';
import { BACKENDS, fixedRandom, hex, hpkeError, toHex } from './backends.ts';
import type { Hpke } from './hpke-over.ts';

const KEMS = [0x10, 0x11, 0x12, 0x20, 0x647a];
const NIST = [0x10, 0x11, 0x12];
const INFO = new Uint8Array(0);

/**
 * Every encoding of a u-coordinate of low order: 0, 1, the two of order 8, p - 1, p, p + 1; and the same with the top
 * bit set, which RFC 7748 §5 has receivers ignore.
 */
const LOW_ORDER = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
].flatMap((text) => {
  const point = hex(text);
  const topBit = new Uint8Array(point);
  topBit[31]! |= 0x80;
  return [point, topBit];
});

const ORDERS: Readonly<Record<number, string>> = {
  16: 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551',
  17: 'ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973',
  18: '01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409',
};

/** The order plus `add`, as a private key. */
function nearOrder(kemId: number, add: bigint): Uint8Array {
  const text = ORDERS[kemId]!;
  return hex((BigInt(`0x${text}`) + add).toString(16).padStart(text.length, '0'));
}

async function refusesEverywhere(hpke: Hpke, kemId: number, enc: Uint8Array, message?: string): Promise<void> {
  const suite = hpke.suiteOf(kemId, 1, 1);
  const privateKey = await hpke.generateKeyPair(kemId, hpke.systemRandom);
  await assert.rejects(
    async () => hpke.setupBaseRecipient(suite, privateKey, enc, INFO),
    (error: unknown) => {
      assert.ok(error instanceof HpkeError);
      assert.equal(error.code, 'OPEN_FAILED');
      assert.equal(error.cause, undefined);
      if (message !== undefined) assert.equal(error.message, message);
      return true;
    },
  );
  if (enc.length === suite.kem.Npk) {
    await assert.rejects(async () => hpke.importPublicKey(kemId, enc), hpkeError('KEY_INVALID'));
  }
}

for (const { name, hpke } of BACKENDS) {
  describe(`keys on ${name}`, () => {
    it('refuses every X25519 point of low order, as key and as enc', async () => {
      for (const point of LOW_ORDER) await refusesEverywhere(hpke, 0x20, point);
    });

    it('refuses NIST points that are not uncompressed points of the curve', async () => {
      for (const kemId of NIST) {
        const good = (await hpke.generateKeyPair(kemId, hpke.systemRandom)).publicKey.bytes;
        const { Npk, Nsk } = hpke.kemById(kemId);
        const parity = good[Npk - 1]! & 1;
        const withByte = (at: number, value: number): Uint8Array => {
          const bytes = new Uint8Array(good);
          bytes[at] = value;
          return bytes;
        };
        const bad = [
          new Uint8Array(Npk),
          new Uint8Array(Npk).fill(4, 0, 1),
          new Uint8Array(Npk).fill(0xff).fill(4, 0, 1),
          withByte(Npk - 1, good[Npk - 1]! ^ 1),
          withByte(Nsk, good[Nsk]! ^ 1),
          // The hybrid form with the right parity and the wrong one, and the tags of shorter forms.
          withByte(0, 6 | parity),
          withByte(0, 7 ^ parity),
          withByte(0, 2 | parity),
          withByte(0, 0),
        ];
        for (const bytes of bad) await refusesEverywhere(hpke, kemId, bytes);
        // A compressed point and the point at infinity are points, but have another length.
        const compressed = good.slice(0, 1 + Nsk);
        compressed[0] = 2 | (good[Npk - 1]! & 1);
        for (const bytes of [compressed, new Uint8Array(1)]) {
          await refusesEverywhere(hpke, kemId, bytes);
          await assert.rejects(async () => hpke.importPublicKey(kemId, bytes), hpkeError('KEY_INVALID'));
        }
      }
    });

    it('refuses wrong lengths with one message', async () => {
      for (const kemId of KEMS) {
        const { Npk, Nsk, Nenc } = hpke.kemById(kemId);
        for (const length of [0, 1, Npk - 1, Npk + 1]) {
          await assert.rejects(
            async () => hpke.importPublicKey(kemId, new Uint8Array(length)),
            hpkeError('KEY_INVALID'),
          );
        }
        for (const length of [0, Nsk - 1, Nsk + 1]) {
          const bytes = new Uint8Array(length).fill(1);
          await assert.rejects(async () => hpke.importPrivateKey(kemId, bytes), hpkeError('KEY_INVALID'));
        }
        const expected = 'Cannot open message: it does not authenticate';
        for (const length of [0, 1, Nenc - 1, Nenc + 1]) {
          await refusesEverywhere(hpke, kemId, new Uint8Array(length).fill(4), expected);
        }
      }
    });

    it('takes NIST private keys from 1 to the order minus 1 only', async () => {
      for (const kemId of NIST) {
        const { Nsk } = hpke.kemById(kemId);
        const one = new Uint8Array(Nsk).fill(1, Nsk - 1);
        for (const good of [one, nearOrder(kemId, -1n)]) {
          const key = await hpke.importPrivateKey(kemId, good);
          assert.deepEqual(hpke.exportPrivateKey(key), good);
        }
        const bad = [new Uint8Array(Nsk), new Uint8Array(Nsk).fill(0xff), nearOrder(kemId, 0n), nearOrder(kemId, 1n)];
        for (const bytes of bad) {
          await assert.rejects(async () => hpke.importPrivateKey(kemId, bytes), hpkeError('KEY_INVALID'));
        }
      }
    });

    it('asks again for a NIST scalar that is out of range, and gives up in the end', async () => {
      for (const kemId of NIST) {
        const { Nsk } = hpke.kemById(kemId);
        const good = new Uint8Array(Nsk).fill(1, Nsk - 1);
        const random = fixedRandom(new Uint8Array(Nsk), nearOrder(kemId, 0n), good);
        assert.deepEqual(hpke.exportPrivateKey(await hpke.generateKeyPair(kemId, random)), good);
        const stuck = (length: number): Uint8Array => new Uint8Array(length);
        await assert.rejects(async () => hpke.generateKeyPair(kemId, stuck), hpkeError('KEY_INVALID'));
      }
      const key = await hpke.generateKeyPair(0x12, fixedRandom(new Uint8Array(66).fill(0xff, 0, 1).fill(2, 1)));
      assert.equal(hpke.exportPrivateKey(key)[0], 1);
    });

    it('notices a random source of the wrong length', async () => {
      const short = (length: number): Uint8Array => new Uint8Array(length - 1).fill(1);
      for (const kemId of KEMS) await assert.rejects(async () => hpke.generateKeyPair(kemId, short), RangeError);
    });

    it('copies what it is given', async () => {
      for (const kemId of KEMS) {
        const original = await hpke.generateKeyPair(kemId, hpke.systemRandom);
        const secret = hpke.exportPrivateKey(original);
        const publicBytes = new Uint8Array(original.publicKey.bytes);
        const [privateKey, publicKey] = await Promise.all([
          hpke.importPrivateKey(kemId, secret),
          hpke.importPublicKey(kemId, publicBytes),
        ]);
        secret.fill(0);
        publicBytes.fill(0);
        hpke.exportPrivateKey(privateKey).fill(0);
        assert.deepEqual(hpke.exportPrivateKey(privateKey), hpke.exportPrivateKey(original));
        assert.deepEqual(publicKey.bytes, original.publicKey.bytes);
      }
    });

    it('never prints a private key', async () => {
      for (const kemId of KEMS) {
        const key = await hpke.generateKeyPair(kemId, hpke.systemRandom);
        const secret = hpke.exportPrivateKey(key);
        const printed = [
          inspect(key, { showHidden: true, depth: Number.POSITIVE_INFINITY, maxArrayLength: null }),
          JSON.stringify(key),
          inspect(key),
          JSON.stringify(Object.entries(key)),
        ].join();
        for (const form of [toHex(secret), secret.join(', '), secret.join(',')]) assert.ok(!printed.includes(form));
        assert.ok(!printed.includes('material') && !printed.includes('handle'));
      }
    });

    it('keeps a key to its KEM', async () => {
      const p256 = await hpke.generateKeyPair(0x10, hpke.systemRandom);
      const suite = hpke.suiteOf(0x20, 1, 1);
      await assert.rejects(async () => hpke.prepareRecipient(suite, p256, INFO), TypeError);
      await assert.rejects(async () => hpke.prepareSender(suite, p256.publicKey, INFO), TypeError);
      const forged = { kem: suite.kem, bytes: new Uint8Array(32).fill(9) } as never;
      await assert.rejects(async () => hpke.prepareSender(suite, forged, INFO), TypeError);
    });

    it('returns Uint8Array proper, never a Buffer', async () => {
      for (const kemId of KEMS) {
        const suite = hpke.suiteOf(kemId, 1, 1);
        const key = await hpke.importPrivateKey(kemId, hpke.systemRandom(suite.kem.Nsk).fill(0, 0, 1));
        const { enc, context } = await hpke.setupBaseSender(suite, key.publicKey, INFO, hpke.systemRandom);
        const recipient = await hpke.setupBaseRecipient(suite, key, Buffer.from(enc), INFO);
        const sealed = await context.seal(INFO, Buffer.from('text'));
        const outputs = [
          key.publicKey.bytes,
          hpke.exportPrivateKey(key),
          enc,
          sealed,
          await recipient.open(INFO, Buffer.from(sealed)),
          await recipient.export(INFO, 20),
          hpke.systemRandom(5),
          hpke.systemRandom(5000),
        ];
        for (const bytes of outputs) {
          assert.equal(Object.getPrototypeOf(bytes), Uint8Array.prototype);
          assert.equal(bytes.byteLength, bytes.buffer.byteLength);
        }
      }
    });
  });
}
