/** Sequence numbers, limits, export-only suites, and calls that overlap. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ContextKeys, recipientContext, senderContext } from '../src/context.ts';
import type { AeadKey, RecipientContext, SenderContext } from '../src/types.ts';
import { BACKENDS, hpkeError } from './backends.ts';
import type { Hpke } from './hpke-over.ts';

const EMPTY = new Uint8Array(0);

async function pair(hpke: Hpke, aead: number): Promise<{ sender: SenderContext; recipient: RecipientContext }> {
  const suite = hpke.suiteOf(0x20, 1, aead);
  const privateKey = await hpke.generateKeyPair(0x20, hpke.systemRandom);
  const { enc, context } = await hpke.setupBaseSender(suite, privateKey.publicKey, EMPTY, hpke.systemRandom);
  return { sender: context, recipient: await hpke.setupBaseRecipient(suite, privateKey, enc, EMPTY) };
}

/** A cipher that answers later and shows its nonce. */
function slowKey(nonces: string[]): AeadKey {
  const run = async (nonce: Uint8Array, _aad: Uint8Array, text: Uint8Array): Promise<Uint8Array> => {
    nonces.push(nonce.join());
    await Promise.resolve();
    if (text[0] === 0xff) throw new RangeError('The test refuses this text');
    return text;
  };
  return { seal: run, open: run };
}

function slowKeys(nonces: string[]): ContextKeys {
  return { export: () => EMPTY, aead: { key: slowKey(nonces), baseNonce: new Uint8Array(12) } };
}

for (const { name, hpke } of BACKENDS) {
  describe(`contexts on ${name}`, () => {
    for (const aead of [1, 2, 3]) {
      it(`open in order, and only in order, with AEAD ${aead}`, async () => {
        const { sender, recipient } = await pair(hpke, aead);
        const sealed: Uint8Array[] = [];
        for (let i = 0; i < 4; i++) sealed.push(await sender.seal(Uint8Array.of(i), Uint8Array.of(i, i)));
        const refuses = (aad: Uint8Array, bytes: Uint8Array): Promise<void> =>
          assert.rejects(async () => recipient.open(aad, bytes), hpkeError('OPEN_FAILED'));

        await refuses(Uint8Array.of(1), sealed[1]!);
        assert.deepEqual(await recipient.open(Uint8Array.of(0), sealed[0]!), Uint8Array.of(0, 0));
        await refuses(Uint8Array.of(0), sealed[0]!);
        await refuses(Uint8Array.of(2), sealed[2]!);
        await refuses(Uint8Array.of(9), sealed[1]!);
        // None of the failures used up a number.
        for (let i = 1; i < 4; i++) {
          assert.deepEqual(await recipient.open(Uint8Array.of(i), sealed[i]!), Uint8Array.of(i, i));
        }
      });

      it(`refuse every flipped bit and every cut with AEAD ${aead}`, async () => {
        const { sender, recipient } = await pair(hpke, aead);
        const sealed = await sender.seal(EMPTY, Uint8Array.of(1, 2, 3));
        for (let bit = 0; bit < sealed.length * 8; bit++) {
          const flipped = new Uint8Array(sealed);
          flipped[bit >> 3]! ^= 1 << (bit & 7);
          await assert.rejects(async () => recipient.open(EMPTY, flipped), hpkeError('OPEN_FAILED'));
        }
        for (let length = 0; length < sealed.length; length++) {
          const cut = sealed.slice(0, length);
          await assert.rejects(async () => recipient.open(EMPTY, cut), hpkeError('OPEN_FAILED'));
        }
        assert.deepEqual(await recipient.open(EMPTY, sealed), Uint8Array.of(1, 2, 3));
      });
    }

    it('seal overlapping calls under different nonces, in the order of the calls', async () => {
      const { sender, recipient } = await pair(hpke, 1);
      const plaintext = new Uint8Array(40);
      const sealed = await Promise.all(Array.from({ length: 50 }, () => sender.seal(EMPTY, plaintext)));
      // The same text under one nonce would give one ciphertext twice.
      assert.equal(new Set(sealed.map((bytes) => bytes.join())).size, 50);
      for (const bytes of sealed) assert.deepEqual(await recipient.open(EMPTY, bytes), plaintext);
    });

    it('open overlapping calls one after the other, past failures', async () => {
      const { sender, recipient } = await pair(hpke, 1);
      const [first, second] = [await sender.seal(EMPTY, Uint8Array.of(1)), await sender.seal(EMPTY, Uint8Array.of(2))];
      const open = async (bytes: Uint8Array): Promise<Uint8Array> => recipient.open(EMPTY, bytes);
      const results = await Promise.allSettled([open(new Uint8Array(30)), open(first), open(first), open(second)]);
      assert.deepEqual(
        results.map((result) => (result.status === 'fulfilled' ? result.value[0] : result.reason.code)),
        ['OPEN_FAILED', 1, 'OPEN_FAILED', 2],
      );
    });

    it('only export when the suite is export-only', async () => {
      const { sender, recipient } = await pair(hpke, 0xffff);
      assert.deepEqual(await sender.export(EMPTY, 64), await recipient.export(EMPTY, 64));
      await assert.rejects(async () => sender.seal(EMPTY, EMPTY), hpkeError('EXPORT_ONLY'));
      await assert.rejects(async () => recipient.open(EMPTY, new Uint8Array(16)), hpkeError('EXPORT_ONLY'));
      await assert.rejects(async () => hpke.aeadById(0xffff).importKey(EMPTY), hpkeError('EXPORT_ONLY'));
    });

    it('export 0 to 255 hashes and nothing else', async () => {
      const { sender, recipient } = await pair(hpke, 1);
      assert.equal((await sender.export(EMPTY, 0)).length, 0);
      const long = await sender.export(EMPTY, 255 * 32);
      assert.equal(long.length, 255 * 32);
      assert.deepEqual(await recipient.export(EMPTY, 255 * 32), long);
      for (const length of [-1, 1.5, 255 * 32 + 1, Number.NaN]) {
        await assert.rejects(async () => sender.export(EMPTY, length), RangeError);
      }
    });

    it('differ by info, key and suite', async () => {
      const privateKey = await hpke.generateKeyPair(0x20, hpke.systemRandom);
      const other = await hpke.generateKeyPair(0x20, hpke.systemRandom);
      const suite = hpke.suiteOf(0x20, 1, 1);
      const { enc, context } = await hpke.setupBaseSender(suite, privateKey.publicKey, EMPTY, hpke.systemRandom);
      const sealed = await context.seal(EMPTY, EMPTY);
      const contexts = [
        await hpke.setupBaseRecipient(suite, privateKey, enc, Uint8Array.of(0)),
        await hpke.setupBaseRecipient(suite, other, enc, EMPTY),
        await hpke.setupBaseRecipient(hpke.suiteOf(0x20, 2, 1), privateKey, enc, EMPTY),
        await hpke.setupBaseRecipient(hpke.suiteOf(0x20, 1, 2), privateKey, enc, EMPTY),
      ];
      for (const wrong of contexts) {
        await assert.rejects(async () => wrong.open(EMPTY, sealed), hpkeError('OPEN_FAILED'));
      }
    });

    it('come from one prepared setup as often as wanted', async () => {
      const suite = hpke.suiteOf(0x20, 1, 1);
      const privateKey = await hpke.generateKeyPair(0x20, hpke.systemRandom);
      const sender = await hpke.prepareSender(suite, privateKey.publicKey, EMPTY);
      const recipient = await hpke.prepareRecipient(suite, privateKey, EMPTY);
      const [one, two] = [await sender.setup(hpke.systemRandom), await sender.setup(hpke.systemRandom)];
      assert.notDeepEqual(one.enc, two.enc);
      for (const { enc, context } of [two, one, two]) {
        const opened = await recipient.setup(enc);
        assert.deepEqual(await opened.export(EMPTY, 32), await context.export(EMPTY, 32));
      }
      assert.equal(sender.suite, suite);
      assert.equal(recipient.privateKey, privateKey);
    });
  });
}

describe('sequence numbers', () => {
  it('are mixed into the last bytes of the nonce', async () => {
    const nonces: string[] = [];
    const sender = senderContext(slowKeys(nonces), 2 ** 40 + 0x010203);
    await sender.seal(EMPTY, EMPTY);
    assert.deepEqual(nonces, ['0,0,0,0,0,0,1,0,0,1,2,3']);
  });

  it('are taken by the call, not by its result', async () => {
    const nonces: string[] = [];
    const sender = senderContext(slowKeys(nonces));
    const failing = Promise.resolve(sender.seal(EMPTY, Uint8Array.of(0xff)));
    const calls = [failing.catch(() => EMPTY), sender.seal(EMPTY, EMPTY), sender.seal(EMPTY, EMPTY)];
    await Promise.all(calls);
    assert.equal(new Set(nonces).size, 3);
  });

  it('stay with the recipient until a message was authentic', async () => {
    const nonces: string[] = [];
    const recipient = recipientContext(slowKeys(nonces));
    await Promise.allSettled([
      recipient.open(EMPTY, Uint8Array.of(0xff)),
      recipient.open(EMPTY, EMPTY),
      recipient.open(EMPTY, EMPTY),
    ]);
    assert.deepEqual(
      nonces.map((nonce) => Number(nonce.split(',').at(-1))),
      [0, 0, 1],
    );
  });

  it('end with MESSAGE_LIMIT', async () => {
    const limit = Number.MAX_SAFE_INTEGER;
    const sender = senderContext(slowKeys([]), limit - 1);
    await sender.seal(EMPTY, EMPTY);
    await assert.rejects(async () => sender.seal(EMPTY, EMPTY), hpkeError('MESSAGE_LIMIT'));
    await assert.rejects(async () => sender.seal(EMPTY, EMPTY), hpkeError('MESSAGE_LIMIT'));
    const recipient = recipientContext(slowKeys([]), limit - 1);
    await recipient.open(EMPTY, EMPTY);
    await assert.rejects(async () => recipient.open(EMPTY, EMPTY), hpkeError('MESSAGE_LIMIT'));
    const quick: AeadKey = { seal: (_nonce, _aad, text) => text, open: (_nonce, _aad, text) => text };
    const atOnce = recipientContext(
      { export: () => EMPTY, aead: { key: quick, baseNonce: new Uint8Array(12) } },
      limit,
    );
    assert.throws(() => atOnce.open(EMPTY, EMPTY), hpkeError('MESSAGE_LIMIT'));
  });
});
