/** Keys and HPKE contexts made by two libraries that must agree, and the hpke-*.json files. */

import type { CipherSuite as CoreSuite } from '@hpke/core';
import { ml_kem768_x25519 } from '@noble/post-quantum/hybrid.js';
import type { CipherSuite, Key, KeyPair } from 'hpke';
import { agree, concat, hex, random, uint16, utf8, view } from './bytes.ts';
import { exportSecret, keySchedule, scheduleFields, sequenceNonce } from './key-schedule.ts';
import {
  coreSuite,
  EXPORT_ONLY,
  KEMS,
  openRaw,
  P256,
  P384,
  P521,
  panvaSuite,
  REFUSED_KEMS,
  type SuiteIds,
  sealRaw,
  X_WING,
  X25519,
} from './suites.ts';

/** A recipient's key pair, the same bytes in every library that has the KEM. */
export interface Recipient {
  readonly ids: SuiteIds;
  readonly ikm: Uint8Array;
  readonly secretKey: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly suite: CipherSuite;
  readonly pair: KeyPair<Key>;
}

/** A sender context whose ephemeral key is known where a library allows fixing it. */
export interface Sender {
  readonly enc: Uint8Array;
  /** For the hybrid KEM both `ikm` and `secretKey` are the 64 bytes its encapsulation draws. */
  readonly ephemeral?: { ikm: Uint8Array; secretKey: Uint8Array; publicKey: Uint8Array; sharedSecret: Uint8Array };
  seal(plain: Uint8Array, aad: Uint8Array): Promise<Uint8Array>;
  export(context: Uint8Array, length: number): Promise<Uint8Array>;
}

/** Derives a key pair from fresh keying material, in every library at hand. */
export async function newRecipient(ids: SuiteIds): Promise<Recipient> {
  const row = KEMS.get(ids.kem) ?? REFUSED_KEMS.get(ids.kem)!;
  const ikm = random(row.ikm);
  const suite = panvaSuite(ids);
  const pair = await suite.DeriveKeyPair(ikm, true);
  const secretKey = await suite.SerializePrivateKey(pair.privateKey);
  const publicKey = await suite.SerializePublicKey(pair.publicKey);

  const pure = panvaSuite(ids, 'noble');
  const purePair = await pure.DeriveKeyPair(ikm, true);
  agree('public key', publicKey, await pure.SerializePublicKey(purePair.publicKey));
  agree('private key', secretKey, await pure.SerializePrivateKey(purePair.privateKey));
  const core = coreSuite(ids);
  if (core !== undefined) {
    const corePair = await core.kem.deriveKeyPair(ikm);
    agree('public key', publicKey, await core.kem.serializePublicKey(corePair.publicKey));
    agree('private key', secretKey, await core.kem.serializePrivateKey(corePair.privateKey));
  }
  return { ids, ikm, secretKey, publicKey, suite, pair };
}

/**
 * Sets up a sender: in @hpke/core with a recorded ephemeral key; for the hybrid KEM, which that lacks, with noble's KEM
 * and recorded randomness; in panva's library for the KEMs that are only made to be refused.
 */
export async function newSender(to: Recipient, info: Uint8Array): Promise<Sender> {
  const core = coreSuite(to.ids);
  if (core !== undefined) return coreSender(core, to, info);
  if (to.ids.kem === X_WING) return hybridSender(to, info);
  const { encapsulatedSecret, ctx } = await to.suite.SetupSender(to.pair.publicKey, { info });
  return {
    enc: encapsulatedSecret,
    seal: (plain, aad) => ctx.Seal(plain, aad),
    export: (context, length) => ctx.Export(context, length),
  };
}

async function coreSender(core: CoreSuite, to: Recipient, info: Uint8Array): Promise<Sender> {
  const ikm = random(KEMS.get(to.ids.kem)!.ikm);
  const pair = await core.kem.deriveKeyPair(ikm);
  const recipientPublicKey = await core.kem.deserializePublicKey(to.publicKey);
  const { sharedSecret } = await core.kem.encap({ recipientPublicKey, ekm: pair });
  const context = await core.createSenderContext({ recipientPublicKey, info, ekm: pair });
  return {
    enc: view(context.enc),
    ephemeral: {
      ikm,
      secretKey: view(await core.kem.serializePrivateKey(pair.privateKey)),
      publicKey: view(await core.kem.serializePublicKey(pair.publicKey)),
      sharedSecret: view(sharedSecret),
    },
    seal: async (plain, aad) => view(await context.seal(plain, aad)),
    export: async (label, length) => view(await context.export(label, length)),
  };
}

/** MLKEM768-X25519 with noble's KEM, the key schedule of this folder and node:crypto. */
function hybridSender(to: Recipient, info: Uint8Array): Sender {
  const randomness = random(64);
  const { cipherText, sharedSecret } = ml_kem768_x25519.encapsulate(to.publicKey, randomness);
  const { key, baseNonce, exporterSecret } = keySchedule(to.ids, sharedSecret, info);
  let seq = 0;
  return {
    enc: cipherText,
    ephemeral: { ikm: randomness, secretKey: randomness, publicKey: new Uint8Array(0), sharedSecret },
    seal: async (plain, aad) => sealRaw(to.ids.aead, key, sequenceNonce(baseNonce, seq++), plain, aad),
    export: async (context, length) => exportSecret(to.ids, exporterSecret, context, length),
  };
}

const SEQUENCE_NUMBERS = [0, 1, 2, 255, 256];

/** One base-mode case: sealed by one library, opened by the other, explained by the key schedule of this folder. */
async function hpkeCase(ids: SuiteIds, info: Uint8Array, counts: readonly number[]): Promise<Record<string, unknown>> {
  const to = await newRecipient(ids);
  const sender = await newSender(to, info);
  const recipient = await to.suite.SetupRecipient(to.pair, sender.enc, { info });
  const fields: Record<string, unknown> = {
    mode: 0,
    kem_id: ids.kem,
    kdf_id: ids.kdf,
    aead_id: ids.aead,
    info: hex(info),
    ikmR: hex(to.ikm),
    skRm: hex(to.secretKey),
    pkRm: hex(to.publicKey),
    enc: hex(sender.enc),
  };
  const schedule = sender.ephemeral && keySchedule(ids, sender.ephemeral.sharedSecret, info);
  if (sender.ephemeral && schedule) {
    fields['ikmE'] = hex(sender.ephemeral.ikm);
    if (ids.kem !== X_WING) {
      fields['skEm'] = hex(sender.ephemeral.secretKey);
      fields['pkEm'] = hex(sender.ephemeral.publicKey);
    }
    fields['shared_secret'] = hex(sender.ephemeral.sharedSecret);
    Object.assign(fields, scheduleFields(schedule));
  }

  const encryptions: Record<string, unknown>[] = [];
  const last = Math.max(-1, ...counts);
  for (let seq = 0; seq <= last && ids.aead !== EXPORT_ONLY; seq++) {
    const plain = utf8(`message ${seq} of a vector`);
    const aad = seq % 2 === 0 ? utf8(`additional data ${seq}`) : new Uint8Array(0);
    const sealed = await sender.seal(plain, aad);
    agree('plaintext', plain, await recipient.Open(sealed, aad));
    if (!counts.includes(seq)) continue;
    const entry: Record<string, unknown> = { seq, aad: hex(aad), ct: hex(sealed), pt: hex(plain) };
    if (schedule) {
      const nonce = sequenceNonce(schedule.baseNonce, seq);
      agree('recorded key', plain, openRaw(ids.aead, schedule.key, nonce, sealed, aad));
      entry['nonce'] = hex(nonce);
    }
    encryptions.push(entry);
  }
  fields['encryptions'] = encryptions;

  const exports: Record<string, unknown>[] = [];
  for (const [context, L] of [
    ['', 32],
    ['an exporter context', 64],
    ['\0', 7],
  ] as const) {
    const value = await sender.export(utf8(context), L);
    agree('exported value', value, await recipient.Export(utf8(context), L));
    exports.push({ exporter_context: hex(utf8(context)), L, exported_value: hex(value) });
  }
  fields['exports'] = exports;
  return fields;
}

/** hpke-base.json: the four Diffie-Hellman KEMs with all KDFs, AEADs and export-only, sampled. */
export async function hpkeBase(source: string): Promise<unknown[]> {
  const cases: unknown[] = [];
  for (const kem of [X25519, P256, P384, P521]) {
    for (const kdf of [1, 2, 3]) {
      for (const aead of [1, 2, 3, EXPORT_ONLY]) {
        // All of X25519; of the curves every AEAD, with the KDF that RFC 9180 pairs it with and the others in turn.
        if (kem !== X25519 && (kem + kdf + aead) % 3 !== 0 && aead !== 1) continue;
        const info = utf8(`vector ${kem.toString(16)}/${kdf}/${aead.toString(16)}`);
        const counts = kdf === 1 ? SEQUENCE_NUMBERS : [0, 1];
        cases.push({ source, ...(await hpkeCase({ kem, kdf, aead }, info, counts)) });
      }
    }
  }
  cases.push({ source, ...(await hpkeCase({ kem: X25519, kdf: 1, aead: 1 }, new Uint8Array(0), [0])) });
  cases.push({ source, ...(await hpkeCase({ kem: P256, kdf: 1, aead: 3 }, random(1000), [0])) });
  return cases;
}

/** hpke-xwing.json: MLKEM768-X25519, sealed with noble's KEM, opened with the one in WebCrypto. */
export async function hpkeXWing(source: string): Promise<unknown[]> {
  const cases: unknown[] = [];
  for (const [kdf, aead] of [
    [1, 1],
    [2, 2],
    [3, 3],
    [1, EXPORT_ONLY],
  ] as const) {
    const ids = { kem: X_WING, kdf, aead };
    cases.push({
      source,
      ...(await hpkeCase(ids, utf8(`hybrid vector ${kdf}`), kdf === 1 ? SEQUENCE_NUMBERS : [0, 1])),
    });
  }
  return cases;
}

/** hpke-unsupported.json: real messages of modes and suites that the kit refuses before it touches a key. */
export async function hpkeUnsupported(source: string): Promise<unknown[]> {
  const info = utf8('refused vector');
  const cases: unknown[] = [];
  for (const kem of REFUSED_KEMS.keys()) {
    cases.push({ source, ...(await hpkeCase({ kem, kdf: 1, aead: 1 }, info, [0])) });
  }
  cases.push({ source, ...(await hpkeCase({ kem: P256, kdf: 0x10, aead: 1 }, info, [0])) });
  cases.push({ source, ...(await pskCase(info)) });
  return cases;
}

async function pskCase(info: Uint8Array): Promise<Record<string, unknown>> {
  const to = await newRecipient({ kem: X25519, kdf: 1, aead: 1 });
  const [psk, pskId, plain] = [random(32), utf8('a shared key'), utf8('sealed with a shared key')];
  const { encapsulatedSecret, ctx } = await to.suite.SetupSender(to.pair.publicKey, { info, psk, pskId });
  const sealed = await ctx.Seal(plain);
  const core = coreSuite(to.ids)!;
  const recipientKey = await core.kem.deserializePrivateKey(to.secretKey);
  const context = await core.createRecipientContext({
    recipientKey,
    enc: encapsulatedSecret,
    info,
    psk: { key: psk, id: pskId },
  });
  agree('plaintext', plain, await context.open(sealed));
  return {
    mode: 1,
    kem_id: to.ids.kem,
    kdf_id: to.ids.kdf,
    aead_id: to.ids.aead,
    info: hex(info),
    ikmR: hex(to.ikm),
    skRm: hex(to.secretKey),
    pkRm: hex(to.publicKey),
    psk: hex(psk),
    psk_id: hex(pskId),
    enc: hex(encapsulatedSecret),
    encryptions: [{ seq: 0, aad: '', ct: hex(sealed), pt: hex(plain) }],
    exports: [],
  };
}

/** A single key configuration (RFC 9458 §3.1). */
export function keyConfig(
  keyId: number,
  to: Recipient,
  suites: readonly (readonly [number, number])[],
): Uint8Array<ArrayBuffer> {
  const pairs = suites.map(([kdf, aead]) => concat(uint16(kdf), uint16(aead)));
  return concat(Uint8Array.of(keyId), uint16(to.ids.kem), to.publicKey, uint16(4 * pairs.length), ...pairs);
}

/** The list form: each configuration with its two-byte length (RFC 9458 §3.2). */
export function keyList(...configs: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return concat(...configs.map((config) => concat(uint16(config.length), config)));
}
