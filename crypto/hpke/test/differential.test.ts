/** Messages sealed by two independent implementations are opened here, and the other way round. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as core from '@hpke/core';
import * as noble from '@panva/hpke-noble';
import * as panva from 'hpke';
import type { Suite } from '../src/types.ts';
import { BACKENDS, hpkeError } from './backends.ts';
import type { Hpke } from './hpke-over.ts';

/** A recipient and a sender of the other implementation, reduced to bytes. */
interface Peer {
  readonly name: string;
  /** Undefined where the other implementation lacks the suite. */
  supports(suite: Suite): boolean;
  /** Public key of the key pair derived from `ikm`. */
  derive(suite: Suite, ikm: Uint8Array): Promise<Uint8Array>;
  seal(suite: Suite, publicKey: Uint8Array, messages: readonly Message[]): Promise<Sealed>;
  open(suite: Suite, privateKey: Uint8Array, sealed: Sealed, messages: readonly Message[]): Promise<Opened>;
}

interface Message {
  readonly aad: Uint8Array;
  readonly plaintext: Uint8Array;
}

interface Sealed {
  readonly enc: Uint8Array;
  readonly ciphertexts: readonly Uint8Array[];
  readonly exported: Uint8Array;
}

interface Opened {
  readonly plaintexts: readonly Uint8Array[];
  readonly exported: Uint8Array;
}

const INFO = new TextEncoder().encode('differential');
const CONTEXT = new TextEncoder().encode('exported');
const LENGTH = 77;

function panvaSuite({ kem, kdf, aead }: Suite): panva.CipherSuite {
  const kems: Record<number, panva.KEMFactory> = {
    16: noble.KEM_DHKEM_P256_HKDF_SHA256,
    17: noble.KEM_DHKEM_P384_HKDF_SHA384,
    18: noble.KEM_DHKEM_P521_HKDF_SHA512,
    32: noble.KEM_DHKEM_X25519_HKDF_SHA256,
    25722: noble.KEM_MLKEM768_X25519,
  };
  const kdfs: Record<number, panva.KDFFactory> = {
    1: noble.KDF_HKDF_SHA256,
    2: noble.KDF_HKDF_SHA384,
    3: noble.KDF_HKDF_SHA512,
  };
  const aeads: Record<number, panva.AEADFactory> = {
    1: noble.AEAD_AES_128_GCM,
    2: noble.AEAD_AES_256_GCM,
    3: noble.AEAD_ChaCha20Poly1305,
    65535: panva.AEAD_EXPORT_ONLY,
  };
  return new panva.CipherSuite(kems[kem.id]!, kdfs[kdf.id]!, aeads[aead.id]!);
}

const PANVA: Peer = {
  name: 'hpke with @panva/hpke-noble',
  supports: () => true,
  derive: async (suite, ikm) => {
    const other = panvaSuite(suite);
    return other.SerializePublicKey((await other.DeriveKeyPair(ikm, true)).publicKey);
  },
  seal: async (suite, publicKey, messages) => {
    const other = panvaSuite(suite);
    const recipient = await other.DeserializePublicKey(publicKey);
    const { encapsulatedSecret, ctx } = await other.SetupSender(recipient, { info: INFO });
    const ciphertexts: Uint8Array[] = [];
    for (const { aad, plaintext } of messages) ciphertexts.push(await ctx.Seal(plaintext, aad));
    return { enc: encapsulatedSecret, ciphertexts, exported: await ctx.Export(CONTEXT, LENGTH) };
  },
  open: async (suite, privateKey, { enc, ciphertexts }, messages) => {
    const other = panvaSuite(suite);
    const ctx = await other.SetupRecipient(await other.DeserializePrivateKey(privateKey), enc, { info: INFO });
    const plaintexts: Uint8Array[] = [];
    for (const [i, { aad }] of messages.entries()) plaintexts.push(await ctx.Open(ciphertexts[i]!, aad));
    return { plaintexts, exported: await ctx.Export(CONTEXT, LENGTH) };
  },
};

function coreSuite({ kem, kdf, aead }: Suite): core.CipherSuite {
  const kems: Record<number, () => core.KemInterface> = {
    16: () => new core.DhkemP256HkdfSha256(),
    17: () => new core.DhkemP384HkdfSha384(),
    18: () => new core.DhkemP521HkdfSha512(),
    32: () => new core.DhkemX25519HkdfSha256(),
  };
  const kdfs = { 1: core.HkdfSha256, 2: core.HkdfSha384, 3: core.HkdfSha512 };
  const aeads = { 1: core.Aes128Gcm, 2: core.Aes256Gcm, 65535: core.ExportOnly };
  return new core.CipherSuite({
    kem: kems[kem.id]!(),
    kdf: new kdfs[kdf.id as 1](),
    aead: new aeads[aead.id as 1](),
  });
}

const CORE: Peer = {
  name: '@hpke/core',
  supports: ({ kem, aead }) => kem.id !== 0x647a && aead.id !== 3,
  derive: async (suite, ikm) => {
    const { kem } = coreSuite(suite);
    return new Uint8Array(await kem.serializePublicKey((await kem.deriveKeyPair(bufferOf(ikm))).publicKey));
  },
  seal: async (suite, publicKey, messages) => {
    const other = coreSuite(suite);
    const recipientPublicKey = await other.kem.deserializePublicKey(bufferOf(publicKey));
    const sender = await other.createSenderContext({ recipientPublicKey, info: bufferOf(INFO) });
    const ciphertexts: Uint8Array[] = [];
    for (const { aad, plaintext } of messages) {
      ciphertexts.push(new Uint8Array(await sender.seal(bufferOf(plaintext), bufferOf(aad))));
    }
    const exported = new Uint8Array(await sender.export(bufferOf(CONTEXT), LENGTH));
    return { enc: new Uint8Array(sender.enc), ciphertexts, exported };
  },
  open: async (suite, privateKey, { enc, ciphertexts }, messages) => {
    const other = coreSuite(suite);
    const recipientKey = await other.kem.deserializePrivateKey(bufferOf(privateKey));
    const recipient = await other.createRecipientContext({ recipientKey, enc: bufferOf(enc), info: bufferOf(INFO) });
    const plaintexts: Uint8Array[] = [];
    for (const [i, { aad }] of messages.entries()) {
      plaintexts.push(new Uint8Array(await recipient.open(bufferOf(ciphertexts[i]!), bufferOf(aad))));
    }
    return { plaintexts, exported: new Uint8Array(await recipient.export(bufferOf(CONTEXT), LENGTH)) };
  },
};

function bufferOf(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}

function messagesFor(suite: Suite): readonly Message[] {
  if (suite.aead.Nk === 0) return [];
  return [0, 1, 200, 3000].map((length, i) => ({
    aad: new Uint8Array(i * 5).fill(i),
    plaintext: new Uint8Array(length).fill(length),
  }));
}

async function compare(hpke: Hpke, peer: Peer, suite: Suite): Promise<void> {
  const messages = messagesFor(suite);
  const privateKey = await hpke.generateKeyPair(suite.kem.id, hpke.systemRandom);
  const publicKey = privateKey.publicKey.bytes;

  const ikm = hpke.systemRandom(66);
  assert.deepEqual(await peer.derive(suite, ikm), (await hpke.deriveKeyPair(suite.kem.id, ikm)).publicKey.bytes);

  const theirs = await peer.seal(suite, publicKey, messages);
  const recipient = await hpke.setupBaseRecipient(suite, privateKey, theirs.enc, INFO);
  for (const [i, { aad, plaintext }] of messages.entries()) {
    assert.deepEqual(await recipient.open(aad, theirs.ciphertexts[i]!), plaintext);
  }
  assert.deepEqual(await recipient.export(CONTEXT, LENGTH), theirs.exported);

  const imported = await hpke.importPublicKey(suite.kem.id, publicKey);
  const { enc, context } = await hpke.setupBaseSender(suite, imported, INFO, hpke.systemRandom);
  const ciphertexts: Uint8Array[] = [];
  for (const { aad, plaintext } of messages) ciphertexts.push(await context.seal(aad, plaintext));
  const exported = await context.export(CONTEXT, LENGTH);
  const opened = await peer.open(suite, hpke.exportPrivateKey(privateKey), { enc, ciphertexts, exported }, messages);
  assert.deepEqual(
    opened.plaintexts,
    messages.map(({ plaintext }) => plaintext),
  );
  assert.deepEqual(opened.exported, exported);
}

for (const { name, hpke } of BACKENDS) {
  for (const peer of [PANVA, CORE]) {
    describe(`${name} against ${peer.name}`, () => {
      for (const kem of [0x10, 0x11, 0x12, 0x20, 0x647a]) {
        for (const kdf of [1, 2, 3]) {
          for (const aead of [1, 2, 3, 0xffff]) {
            const suite = hpke.suiteOf(kem, kdf, aead);
            if (!peer.supports(suite)) continue;
            it(`${suite.kem.name}, ${suite.kdf.name}, ${suite.aead.name}`, () => compare(hpke, peer, suite));
          }
        }
      }
    });
  }
}

describe('the two backends', () => {
  it('make the same contexts from the same randomness', async () => {
    for (const kem of [0x10, 0x11, 0x12, 0x20, 0x647a]) {
      const results = await Promise.all(
        BACKENDS.map(async ({ hpke }) => {
          const suite = hpke.suiteOf(kem, 1, 3);
          const privateKey = await hpke.deriveKeyPair(kem, new Uint8Array(66).fill(kem));
          const { publicKey } = privateKey;
          const random = (length: number): Uint8Array => new Uint8Array(length).fill(1, 1);
          const { enc, context } = await hpke.setupBaseSender(suite, publicKey, INFO, random);
          return { publicKey: publicKey.bytes, enc, exported: await context.export(CONTEXT, LENGTH) };
        }),
      );
      assert.deepEqual(results[0], results[1]);
    }
  });

  it('refuse a message of the other side of one bit', async () => {
    for (const { hpke } of BACKENDS) {
      const suite = hpke.suiteOf(0x20, 1, 1);
      const privateKey = await hpke.generateKeyPair(0x20, hpke.systemRandom);
      const sealed = await PANVA.seal(suite, privateKey.publicKey.bytes, messagesFor(suite));
      const recipient = await hpke.setupBaseRecipient(suite, privateKey, sealed.enc, INFO);
      const flipped = new Uint8Array(sealed.ciphertexts[0]!);
      flipped[0]! ^= 1;
      await assert.rejects(async () => recipient.open(new Uint8Array(0), flipped), hpkeError('OPEN_FAILED'));
    }
  });
});
