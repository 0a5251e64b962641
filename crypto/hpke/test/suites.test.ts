/** Identifiers, rows, and the plain KDF and AEAD behind them. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, it } from 'node:test';
import { utf8 } from '@privacy-edge/bytes';
import { backend as node } from '../src/backend-node.ts';
import { backend as web } from '../src/backend-web.ts';
import * as published from '../src/index.ts';
import { BACKENDS, hex, hpkeError, toHex } from './backends.ts';

const EMPTY = new Uint8Array(0);
const REFUSED_KEMS = [0, 0x0021, 0x0030, 0x0040, 0x0041, 0x0042, 0x0050, 0x0051, 0xffff, -1, 1.5, Number.NaN];
const REFUSED_KDFS = [0, 4, 0x0010, 0x0011, 0x0012, 0x0013, 0xffff];
const REFUSED_AEADS = [0, 4, 0xfffe, 0x10001];

/** RFC 5869, appendix A, cases 1 to 3. */
const HKDF_CASES = [
  {
    ikm: '0b'.repeat(22),
    salt: '000102030405060708090a0b0c',
    info: 'f0f1f2f3f4f5f6f7f8f9',
    length: 42,
    prk: '077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5',
    okm: '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
  },
  {
    ikm: range(0x00, 80),
    salt: range(0x60, 80),
    info: range(0xb0, 80),
    length: 82,
    prk: '06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244',
    okm:
      'b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c' +
      '59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87',
  },
  {
    ikm: '0b'.repeat(22),
    salt: '',
    info: '',
    length: 42,
    prk: '19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04',
    okm: '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8',
  },
];

function range(first: number, count: number): string {
  return toHex(Uint8Array.from({ length: count }, (_, i) => first + i));
}

for (const { name, hpke } of BACKENDS) {
  describe(`rows on ${name}`, () => {
    it('refuse every identifier that is not implemented', () => {
      for (const id of REFUSED_KEMS) {
        assert.throws(() => hpke.kemById(id), hpkeError('SUITE_UNSUPPORTED'));
        assert.throws(() => hpke.suiteOf(id, 1, 1), hpkeError('SUITE_UNSUPPORTED'));
        assert.throws(() => hpke.importPublicKey(id, EMPTY), hpkeError('SUITE_UNSUPPORTED'));
        assert.throws(() => hpke.importPrivateKey(id, EMPTY), hpkeError('SUITE_UNSUPPORTED'));
        assert.throws(() => hpke.generateKeyPair(id, hpke.systemRandom), hpkeError('SUITE_UNSUPPORTED'));
        assert.equal(hpke.isKemSupported(id), false);
        assert.equal(hpke.isSuiteSupported(id, 1, 1), false);
      }
      for (const id of REFUSED_KDFS) {
        assert.throws(() => hpke.kdfById(id), hpkeError('SUITE_UNSUPPORTED'));
        assert.throws(() => hpke.suiteOf(0x20, id, 1), hpkeError('SUITE_UNSUPPORTED'));
        assert.equal(hpke.isSuiteSupported(0x20, id, 1), false);
      }
      for (const id of REFUSED_AEADS) {
        assert.throws(() => hpke.aeadById(id), hpkeError('SUITE_UNSUPPORTED'));
        assert.throws(() => hpke.suiteOf(0x20, 1, id), hpkeError('SUITE_UNSUPPORTED'));
        assert.equal(hpke.isSuiteSupported(0x20, 1, id), false);
      }
      for (const mode of [1, 2, 3, 255]) {
        assert.throws(() => hpke.suiteOf(0x20, 1, 1, mode), hpkeError('SUITE_UNSUPPORTED'));
      }
    });

    it('carry the lengths of the registry', () => {
      const lengths = [0x10, 0x11, 0x12, 0x20, 0x647a].map((id) => {
        const { Nsecret, Nenc, Npk, Nsk } = hpke.kemById(id);
        return [Nsecret, Nenc, Npk, Nsk];
      });
      assert.deepEqual(lengths, [
        [32, 65, 65, 32],
        [48, 97, 97, 48],
        [64, 133, 133, 66],
        [32, 32, 32, 32],
        [32, 1120, 1216, 32],
      ]);
      assert.deepEqual(
        [1, 2, 3].map((id) => hpke.kdfById(id).Nh),
        [32, 48, 64],
      );
      assert.deepEqual(
        [1, 2, 3, 0xffff].map((id) => {
          const { Nk, Nn, Nt } = hpke.aeadById(id);
          return [Nk, Nn, Nt];
        }),
        [
          [16, 12, 16],
          [32, 12, 16],
          [32, 12, 16],
          [0, 0, 0],
        ],
      );
    });

    it('cannot be changed', () => {
      const suite = hpke.suiteOf(0x20, 1, 1);
      for (const row of [suite, suite.kem, suite.kdf, suite.aead]) assert.ok(Object.isFrozen(row));
    });
  });

  describe(`HKDF on ${name}`, () => {
    it('matches RFC 5869, appendix A', async () => {
      const kdf = hpke.kdfById(1);
      for (const { ikm, salt, info, length, prk, okm } of HKDF_CASES) {
        assert.equal(toHex(await kdf.extract(hex(salt), hex(ikm))), prk);
        assert.equal(toHex(await kdf.expand(hex(prk), hex(info), length)), okm);
      }
    });

    it('gives at most 255 hashes', async () => {
      for (const id of [1, 2, 3]) {
        const kdf = hpke.kdfById(id);
        const prk = new Uint8Array(kdf.Nh).fill(1);
        assert.equal((await kdf.expand(prk, EMPTY, 255 * kdf.Nh)).length, 255 * kdf.Nh);
        await assert.rejects(async () => kdf.expand(prk, EMPTY, 255 * kdf.Nh + 1), RangeError);
      }
    });
  });

  describe(`AEAD keys on ${name}`, () => {
    it('match the example of RFC 8439 §2.8.2', async () => {
      const key = await hpke.aeadById(3).importKey(hex(range(0x80, 32)));
      const aad = hex('50515253c0c1c2c3c4c5c6c7');
      const text = utf8(
        "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
      );
      const sealed = await key.seal(hex('070000004041424344454647'), aad, text);
      assert.equal(toHex(sealed.slice(0, 16)), 'd31a8d34648e60db7b86afbc53ef7ec2');
      assert.equal(toHex(sealed.slice(-16)), '1ae10b594f09e26a7e902ecbd0600691');
      assert.deepEqual(await key.open(hex('070000004041424344454647'), aad, sealed), text);
    });

    it('match the first AES-GCM test cases of NIST', async () => {
      const short = await hpke.aeadById(1).importKey(new Uint8Array(16));
      assert.equal(toHex(await short.seal(new Uint8Array(12), EMPTY, EMPTY)), '58e2fccefa7e3061367f1d57a4e7455a');
      const long = await hpke.aeadById(2).importKey(new Uint8Array(32));
      assert.equal(
        toHex(await long.seal(new Uint8Array(12), EMPTY, new Uint8Array(16))),
        'cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919',
      );
    });

    it('refuse keys and nonces of other lengths', async () => {
      for (const id of [1, 2, 3]) {
        const aead = hpke.aeadById(id);
        for (const length of [0, aead.Nk - 1, aead.Nk + 1, aead.Nk === 16 ? 32 : 16]) {
          await assert.rejects(async () => aead.importKey(new Uint8Array(length)), RangeError);
        }
        const key = await aead.importKey(new Uint8Array(aead.Nk));
        for (const length of [0, 8, 11, 13, 16]) {
          await assert.rejects(async () => key.seal(new Uint8Array(length), EMPTY, EMPTY), RangeError);
          await assert.rejects(async () => key.open(new Uint8Array(length), EMPTY, new Uint8Array(16)), RangeError);
        }
      }
    });

    it('keep their own copy of the key', async () => {
      for (const id of [1, 2, 3]) {
        const aead = hpke.aeadById(id);
        const bytes = new Uint8Array(aead.Nk).fill(5);
        const key = await aead.importKey(bytes);
        const before = await key.seal(new Uint8Array(12), EMPTY, EMPTY);
        bytes.fill(0);
        assert.deepEqual(await key.seal(new Uint8Array(12), EMPTY, EMPTY), before);
      }
    });
  });
}

describe('HMAC of the backends', () => {
  it('is HMAC for keys and messages of every length around a block', async () => {
    for (const [hash, algorithm, block] of [
      ['SHA-256', 'sha256', 64],
      ['SHA-384', 'sha384', 128],
      ['SHA-512', 'sha512', 128],
    ] as const) {
      // Long ones first, so that what they leave in a reused buffer would show.
      for (const keyLength of [block + 1, 1200, block, block - 1, 32, 1]) {
        for (const length of [600, 512, 511, 510, 200, block, 1, 0]) {
          const key = new Uint8Array(keyLength).map((_, i) => i * 7 + length);
          const message = new Uint8Array(length).map((_, i) => i * 3 + keyLength);
          for (const counter of [undefined, 1, 255]) {
            const expected = createHmac(algorithm, key).update(message);
            if (counter !== undefined) expected.update(Uint8Array.of(counter));
            const mac = new Uint8Array(expected.digest());
            assert.deepEqual(await node.hmac(hash, key, message, counter), mac);
            assert.deepEqual(await web.hmac(hash, key, message, counter), mac);
          }
        }
      }
    }
  });
});

describe('the package', () => {
  it('answers at once on Node', () => {
    const suite = published.suiteOf(published.KEM_X25519_HKDF_SHA256, published.KDF_HKDF_SHA256, 1);
    const key = published.generateKeyPair(suite.kem.id, published.systemRandom);
    assert.ok('publicKey' in key);
    const setup = published.setupBaseSender(suite, key.publicKey, EMPTY, published.systemRandom);
    assert.ok('context' in setup && setup.context.seal(EMPTY, EMPTY) instanceof Uint8Array);
    const context = published.setupBaseRecipient(suite, key, setup.enc, EMPTY);
    assert.ok('open' in context && context.export(EMPTY, 9) instanceof Uint8Array);
  });

  it('does not hand out random bytes twice', () => {
    for (const { hpke } of BACKENDS) {
      const draws = Array.from({ length: 2000 }, (_, i) => toHex(hpke.systemRandom(16 + (i % 17))).slice(0, 32));
      assert.equal(new Set(draws).size, draws.length);
      assert.deepEqual(
        [0, 1, 255, 256, 257, 4096, 5000].map((length) => hpke.systemRandom(length).length),
        [0, 1, 255, 256, 257, 4096, 5000],
      );
    }
  });
});
