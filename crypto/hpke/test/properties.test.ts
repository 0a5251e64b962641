/** Random bytes where keys and messages should be: either they are what they claim, or the one right error comes out. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { HpkeError, type HpkeErrorCode } from '../src/error.ts';
import type { PrivateKey, RecipientSetup } from '../src/index.ts';
import { BACKENDS, FUZZ_RUNS } from './backends.ts';
import type { Hpke } from './hpke-over.ts';

const KEMS = [0x10, 0x11, 0x12, 0x20, 0x647a];
const EMPTY = new Uint8Array(0);

/** Runs `step`; any error but an HpkeError with one of these codes fails the test. */
async function onlyFails<T>(codes: readonly HpkeErrorCode[], step: () => Promise<T>): Promise<T | undefined> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof HpkeError && codes.includes(error.code)) return undefined;
    throw error;
  }
}

/** Bytes of about the right length, and often of exactly that. */
function bytesNear(length: number): fc.Arbitrary<Uint8Array> {
  return fc.oneof(
    { weight: 3, arbitrary: fc.uint8Array({ minLength: length, maxLength: length }) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: length + 20 }) },
  );
}

/** A valid encoding with a few bytes changed, which gets further than random ones do. */
function mutated(valid: Uint8Array): fc.Arbitrary<Uint8Array> {
  const change = fc.tuple(fc.nat(valid.length - 1), fc.nat(255));
  return fc.array(change, { maxLength: 3 }).map((changes) => {
    const bytes = new Uint8Array(valid);
    for (const [at, value] of changes) bytes[at] = value;
    return bytes;
  });
}

function runs(hpke: Hpke, kemId: number): number {
  // The portable primitives take milliseconds where native ones take microseconds.
  const slow = kemId === 0x647a || hpke === BACKENDS[1]!.hpke;
  return Math.max(20, Math.round(FUZZ_RUNS / (slow ? 40 : 4)));
}

for (const { name, hpke } of BACKENDS) {
  describe(`properties on ${name}`, () => {
    for (const kemId of KEMS) {
      const kem = hpke.kemById(kemId);
      const numRuns = runs(hpke, kemId);

      it(`${kem.name}: an imported public key is the bytes given, anything else is KEY_INVALID`, async () => {
        const valid = (await hpke.generateKeyPair(kemId, hpke.systemRandom)).publicKey.bytes;
        const bytes = fc.oneof(bytesNear(kem.Npk), mutated(valid));
        await fc.assert(
          fc.asyncProperty(bytes, async (input) => {
            const key = await onlyFails(['KEY_INVALID'], async () => hpke.importPublicKey(kemId, input));
            if (key !== undefined) assert.deepEqual(key.bytes, input);
          }),
          { numRuns },
        );
      });

      it(`${kem.name}: an imported private key is the bytes given, anything else is KEY_INVALID`, async () => {
        await fc.assert(
          fc.asyncProperty(bytesNear(kem.Nsk), async (input) => {
            const key = await onlyFails(['KEY_INVALID'], async () => hpke.importPrivateKey(kemId, input));
            if (key === undefined) return;
            assert.deepEqual(hpke.exportPrivateKey(key), input);
            await hpke.importPublicKey(kemId, key.publicKey.bytes);
          }),
          { numRuns: Math.ceil(numRuns / 2) },
        );
      });

      it(`${kem.name}: setup and open of anything but the real thing is OPEN_FAILED`, async () => {
        const suite = hpke.suiteOf(kemId, 1, 1);
        const privateKey: PrivateKey = await hpke.generateKeyPair(kemId, hpke.systemRandom);
        const setup: RecipientSetup = await hpke.prepareRecipient(suite, privateKey, EMPTY);
        const real = await hpke.setupBaseSender(suite, privateKey.publicKey, EMPTY, hpke.systemRandom);
        const sealed = await real.context.seal(EMPTY, Uint8Array.of(1, 2, 3));
        const enc = fc.oneof(bytesNear(kem.Nenc), mutated(real.enc));
        const ciphertext = fc.oneof(fc.uint8Array({ maxLength: 40 }), mutated(sealed));
        await fc.assert(
          fc.asyncProperty(enc, ciphertext, async (someEnc, someText) => {
            const opened = await onlyFails(['OPEN_FAILED'], async () =>
              (await setup.setup(someEnc)).open(EMPTY, someText),
            );
            if (opened === undefined) return;
            assert.deepEqual(opened, Uint8Array.of(1, 2, 3));
            assert.deepEqual(someText, sealed);
          }),
          { numRuns },
        );
      });

      it(`${kem.name}: what is sealed opens`, async () => {
        const ids = fc.constantFrom(1, 2, 3);
        const input = fc.record({ kdf: ids, aead: ids, info: fc.uint8Array(), aad: fc.uint8Array() });
        await fc.assert(
          fc.asyncProperty(input, fc.array(fc.uint8Array(), { maxLength: 4 }), async (choice, texts) => {
            const suite = hpke.suiteOf(kemId, choice.kdf, choice.aead);
            const key = await hpke.deriveKeyPair(kemId, choice.info);
            const sender = await hpke.setupBaseSender(suite, key.publicKey, choice.info, hpke.systemRandom);
            const recipient = await hpke.setupBaseRecipient(suite, key, sender.enc, choice.info);
            for (const text of texts) {
              const sealed = await sender.context.seal(choice.aad, text);
              assert.equal(sealed.length, text.length + suite.aead.Nt);
              assert.deepEqual(await recipient.open(choice.aad, sealed), text);
            }
          }),
          { numRuns: Math.ceil(numRuns / 4) },
        );
      });
    }
  });
}
