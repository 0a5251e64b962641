/** MLKEM768-X25519 below HPKE, against the vectors of draft-connolly-cfrg-xwing-kem (its `spec/test-vectors.json`). */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { backend as node } from '../src/backend-node.ts';
import { backend as web } from '../src/backend-web.ts';
import { KEM_MLKEM768_X25519 } from '../src/registry.ts';
import { fixedRandom, hex, hpkeError, toHex } from './backends.ts';

/** Long values are compared by their SHA-256. */
const VECTORS = [
  {
    sk: '7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26',
    eseed:
      '3cb1eea988004b93103cfb0aeefd2a686e01fa4a58e8a3639ca8a1e3f9ae57e2' +
      '35b8cc873c23dc62b8d260169afa2f75ab916a58d974918835d25e6a435085b2',
    ss: 'd2df0522128f09dd8e2c92b1e905c793d8f57a54c3da25861f10bf4ca613e384',
    pkSha256: '2e816deebcd76c5c80d0cd2d174478871658e8e2ff42bc9d4a6e486372e856bb',
    ctSha256: '17cd532d657e44c897ca6583e548a5424fc70bf54f99515a4d2bcf99e3469f33',
  },
  {
    sk: 'badfd6dfaac359a5efbb7bcc4b59d538df9a04302e10c8bc1cbf1a0b3a5120ea',
    eseed:
      '17cda7cfad765f5623474d368ccca8af0007cd9f5e4c849f167a580b14aabdef' +
      'aee7eef47cb0fca9767be1fda69419dfb927e9df07348b196691abaeb580b32d',
    ss: 'f2e86241c64d60f6649fbc6c5b7d17180b780a3f34355e64a85749949c45f150',
    pkSha256: 'c42ba5f8430d7d2c83739338203819f090e8303ce9c8b02107c272bfa5376916',
    ctSha256: '1661ea86d608a1924ba30840cb0a65f13ae051e3aec9cf0f064efc0bc92f2154',
  },
  {
    sk: 'ef58538b8d23f87732ea63b02b4fa0f4873360e2841928cd60dd4cee8cc0d4c9',
    eseed:
      '22a96188d032675c8ac850933c7aff1533b94c834adbb69c6115bad4692d8619' +
      'f90b0cdf8a7b9c264029ac185b70b83f2801f2f4b3f70c593ea3aeeb613a7f1b',
    ss: '953f7f4e8c5b5049bdc771d1dffada0dd961477d1a2ae0988baa7ea6898d893f',
    pkSha256: '6b080d6b84f095342092fa7a22423e58bd681397ad0ef00eac92bd254db4fa95',
    ctSha256: 'd3ca5578500344b5896cffc4fd740c9311946b82951df155e6fd86a7966b43c6',
  },
];

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

for (const [name, backend] of Object.entries({ node, web })) {
  const kem = await backend.moreKem(KEM_MLKEM768_X25519);
  describe(`X-Wing on ${name}`, () => {
    for (const [index, vector] of VECTORS.entries()) {
      it(`matches vector ${index + 1}`, async () => {
        const { handle, publicBytes } = await kem.importPrivate(hex(vector.sk));
        assert.equal(sha256(publicBytes), vector.pkSha256);
        const { enc, sharedSecret } = await kem.encap(publicBytes, fixedRandom(hex(vector.eseed)));
        assert.equal(sha256(enc), vector.ctSha256);
        assert.equal(toHex(sharedSecret), vector.ss);
        assert.equal(toHex(await kem.decap(handle, publicBytes, enc)), vector.ss);
      });
    }

    it('agrees with itself when the platform draws the randomness', async () => {
      const { handle, publicBytes } = await kem.importPrivate(hex(VECTORS[0]!.sk));
      const first = await kem.encap(publicBytes, backend.random);
      const second = await kem.encap(publicBytes, backend.random);
      assert.notDeepEqual(first.enc.subarray(0, 1088), second.enc.subarray(0, 1088));
      assert.notDeepEqual(first.enc.subarray(1088), second.enc.subarray(1088));
      assert.deepEqual(await kem.decap(handle, publicBytes, first.enc), first.sharedSecret);
    });

    it('answers a changed ML-KEM ciphertext with another secret, as implicit rejection asks', async () => {
      const { handle, publicBytes } = await kem.importPrivate(hex(VECTORS[0]!.sk));
      const { enc, sharedSecret } = await kem.encap(publicBytes, fixedRandom(hex(VECTORS[0]!.eseed)));
      enc[0]! ^= 1;
      assert.notDeepEqual(await kem.decap(handle, publicBytes, enc), sharedSecret);
    });

    it('refuses an X25519 half of low order', async () => {
      const { handle, publicBytes } = await kem.importPrivate(hex(VECTORS[0]!.sk));
      const { enc } = await kem.encap(publicBytes, fixedRandom(hex(VECTORS[0]!.eseed)));
      await assert.rejects(
        async () => kem.decap(handle, publicBytes, new Uint8Array(enc).fill(0, 1088)),
        hpkeError('OPEN_FAILED'),
      );
      await assert.rejects(
        async () => kem.checkPublic(new Uint8Array(publicBytes).fill(0, 1184)),
        hpkeError('KEY_INVALID'),
      );
    });

    it('refuses an ML-KEM half with a coefficient out of range', async () => {
      const { publicBytes } = await kem.importPrivate(hex(VECTORS[0]!.sk));
      // Twelve bits all set are 4095, above the modulus 3329.
      const bad = new Uint8Array(publicBytes);
      bad.set([0xff, 0xff], 0);
      await assert.rejects(async () => kem.checkPublic(bad), hpkeError('KEY_INVALID'));
      await assert.rejects(async () => kem.encap(bad, backend.random), hpkeError('KEY_INVALID'));
    });
  });
}
