/** A runtime that loads nothing later, as service workers do not. In a file of its own: what is loaded once stays loaded. */
import assert from 'node:assert/strict';
import { registerHooks } from 'node:module';
import { describe, it } from 'node:test';
import { backend as node } from '../src/backend-node.ts';
import { backend as web } from '../src/backend-web.ts';
import { HpkeError } from '../src/error.ts';
import { hpkeOver } from './hpke-over.ts';

const EMPTY = new Uint8Array(0);
const onNode = hpkeOver(node);
const onWeb = hpkeOver(web);

const hooks = registerHooks({
  resolve(specifier, context, next) {
    if (context.parentURL?.includes('/crypto/hpke/src/')) throw new TypeError('import() is not allowed here');
    return next(specifier, context);
  },
});

describe('the WebCrypto backend where nothing can be loaded later', () => {
  it('has X25519 and AES-GCM', async () => {
    for (const aeadId of [1, 2]) {
      const suite = onWeb.suiteOf(0x20, 1, aeadId);
      const key = await onNode.generateKeyPair(0x20, onNode.systemRandom);
      const publicKey = await onWeb.importPublicKey(0x20, key.publicKey.bytes);
      const { enc, context } = await onWeb.setupBaseSender(suite, publicKey, EMPTY, onWeb.systemRandom);
      const recipient = await onNode.setupBaseRecipient(suite, key, enc, EMPTY);
      assert.deepEqual(await recipient.open(EMPTY, await context.seal(EMPTY, Uint8Array.of(1))), Uint8Array.of(1));
    }
  });

  it('says so for every other KEM, and does not blame the key', async () => {
    for (const kemId of [0x10, 0x11, 0x12, 0x647a]) {
      const key = await onNode.generateKeyPair(kemId, onNode.systemRandom);
      const unsupported = (error: unknown): boolean =>
        error instanceof HpkeError && error.code === 'SUITE_UNSUPPORTED' && error.cause instanceof TypeError;
      await assert.rejects(async () => onWeb.importPublicKey(kemId, key.publicKey.bytes), unsupported);
      await assert.rejects(async () => onWeb.importPrivateKey(kemId, onNode.exportPrivateKey(key)), unsupported);
      await assert.rejects(async () => onWeb.generateKeyPair(kemId, onWeb.systemRandom), unsupported);
    }
  });

  it('loads them as soon as it can', async () => {
    hooks.deregister();
    const key = await onNode.generateKeyPair(0x10, onNode.systemRandom);
    assert.deepEqual((await onWeb.importPublicKey(0x10, key.publicKey.bytes)).bytes, key.publicKey.bytes);
  });
});
