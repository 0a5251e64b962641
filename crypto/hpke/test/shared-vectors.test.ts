/** The vector files that live beside the repository, where they are there. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { KEM_MLKEM768_X25519 } from '../src/registry.ts';
import { BACKENDS, fixedRandom, hex, hpkeError, toHex } from './backends.ts';
import type { Hpke } from './hpke-over.ts';

const FOLDER = new URL('../../../../shared/vectors/ohttp/', import.meta.url);
const FILES = ['hpke-rfc9180.json', 'hpke-edge-cases.json', 'hpke-pq.json'];

interface Vector {
  readonly title?: string;
  readonly mode: number;
  readonly kem_id: number;
  readonly kdf_id: number;
  readonly aead_id: number;
  readonly info: string;
  readonly ikmE: string;
  readonly ikmR: string;
  readonly skRm: string;
  readonly pkRm: string;
  readonly enc: string;
  readonly encryptions: readonly { aad: string; ct: string; pt: string; seq?: number }[];
  readonly exports: readonly { exporter_context: string; L: number; exported_value: string }[];
}

function title(vector: Vector): string {
  const ids = [vector.kem_id, vector.kdf_id, vector.aead_id].map((id) => `0x${id.toString(16).padStart(4, '0')}`);
  return `${vector.title ?? ''} mode ${vector.mode} ${ids.join(' ')}`.trim();
}

function isSupported(hpke: Hpke, vector: Vector): boolean {
  return vector.mode === 0 && hpke.isSuiteSupported(vector.kem_id, vector.kdf_id, vector.aead_id);
}

async function check(hpke: Hpke, vector: Vector): Promise<void> {
  const suite = hpke.suiteOf(vector.kem_id, vector.kdf_id, vector.aead_id, vector.mode);
  const info = hex(vector.info);
  const derived = await hpke.deriveKeyPair(vector.kem_id, hex(vector.ikmR));
  assert.equal(toHex(hpke.exportPrivateKey(derived)), vector.skRm);
  const privateKey = await hpke.importPrivateKey(vector.kem_id, hex(vector.skRm));
  assert.equal(toHex(privateKey.publicKey.bytes), vector.pkRm);
  const publicKey = await hpke.importPublicKey(vector.kem_id, hex(vector.pkRm));

  // X-Wing vectors give the randomness of the encapsulation itself; the others give what its key is derived from.
  const ephemeral =
    vector.kem_id === KEM_MLKEM768_X25519
      ? hex(vector.ikmE)
      : hpke.exportPrivateKey(await hpke.deriveKeyPair(vector.kem_id, hex(vector.ikmE)));
  const { enc, context: sender } = await hpke.setupBaseSender(suite, publicKey, info, fixedRandom(ephemeral));
  assert.equal(toHex(enc), vector.enc);
  const recipient = await hpke.setupBaseRecipient(suite, privateKey, hex(vector.enc), info);

  let sequence = 0;
  for (const [index, message] of vector.encryptions.entries()) {
    for (const target = message.seq ?? index; sequence < target; sequence++) {
      const skipped = await sender.seal(new Uint8Array(0), new Uint8Array(1));
      await recipient.open(new Uint8Array(0), skipped);
    }
    assert.equal(toHex(await sender.seal(hex(message.aad), hex(message.pt))), message.ct);
    assert.equal(toHex(await recipient.open(hex(message.aad), hex(message.ct))), message.pt);
    sequence++;
  }
  for (const { exporter_context, L, exported_value } of vector.exports) {
    assert.equal(toHex(await sender.export(hex(exporter_context), L)), exported_value);
    assert.equal(toHex(await recipient.export(hex(exporter_context), L)), exported_value);
  }
}

for (const file of FILES) {
  const url = new URL(file, FOLDER);
  describe(file, { skip: existsSync(url) ? false : 'the file is not beside this repository' }, () => {
    const vectors: readonly Vector[] = existsSync(url) ? JSON.parse(readFileSync(url, 'utf8')) : [];
    for (const { name, hpke } of BACKENDS) {
      for (const vector of vectors) {
        if (isSupported(hpke, vector)) {
          it(`${name}: ${title(vector)}`, () => check(hpke, vector));
        } else {
          it(`${name}: refuses ${title(vector)}`, () => {
            const { kem_id, kdf_id, aead_id, mode } = vector;
            assert.throws(() => hpke.suiteOf(kem_id, kdf_id, aead_id, mode), hpkeError('SUITE_UNSUPPORTED'));
            if (!hpke.isKemSupported(kem_id)) {
              // Not the length, not the content: the identifier alone decides.
              assert.throws(() => hpke.importPublicKey(kem_id, hex(vector.pkRm)), hpkeError('SUITE_UNSUPPORTED'));
              assert.throws(() => hpke.importPrivateKey(kem_id, hex(vector.skRm)), hpkeError('SUITE_UNSUPPORTED'));
              assert.throws(() => hpke.deriveKeyPair(kem_id, hex(vector.ikmR)), hpkeError('SUITE_UNSUPPORTED'));
            }
          });
        }
      }
    }
  });
}
