/** Runtimes whose WebCrypto does less than that of Node, by standing in the way of single calls. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { backend as node } from '../src/backend-node.ts';
import { backend as web } from '../src/backend-web.ts';
import { hpkeError } from './backends.ts';
import { type Hpke, hpkeOver } from './hpke-over.ts';

const EMPTY = new Uint8Array(0);
const onNode = hpkeOver(node);
const onWeb = hpkeOver(web);

/** The first arguments of `importKey` and `exportKey` that decide. */
interface Call {
  readonly method: 'importKey' | 'exportKey';
  readonly format: string;
  /** Name of the algorithm of the key, where the call names it. */
  readonly algorithm: string | undefined;
}

/** Runs `steps` while the calls that `refuses` picks fail as an older runtime's would. */
async function without(refuses: (call: Call) => boolean, steps: () => Promise<void>): Promise<number> {
  const { subtle } = crypto;
  const original = { importKey: subtle.importKey, exportKey: subtle.exportKey };
  let refused = 0;
  const replace = (method: Call['method']): void => {
    const replaced = (format: string, ...rest: readonly unknown[]): unknown => {
      const named = method === 'importKey' ? rest[1] : undefined;
      const algorithm = typeof named === 'object' ? (named as { name: string }).name : (named as string | undefined);
      if (refuses({ method, format, algorithm })) {
        refused++;
        return Promise.reject(new DOMException('Not in this runtime', 'NotSupportedError'));
      }
      return Reflect.apply(original[method], subtle, [format, ...rest]);
    };
    Object.defineProperty(subtle, method, { value: replaced, configurable: true, writable: true });
  };
  replace('importKey');
  replace('exportKey');
  try {
    await steps();
  } finally {
    Reflect.deleteProperty(subtle, 'importKey');
    Reflect.deleteProperty(subtle, 'exportKey');
  }
  return refused;
}

async function exchange(from: Hpke, to: Hpke, kemId: number): Promise<void> {
  const suite = to.suiteOf(kemId, 1, 1);
  const secret = onNode.exportPrivateKey(await onNode.generateKeyPair(kemId, onNode.systemRandom));
  const expected = await onNode.importPrivateKey(kemId, secret);
  const privateKey = await to.importPrivateKey(kemId, secret);
  assert.deepEqual(privateKey.publicKey.bytes, expected.publicKey.bytes);
  const publicKey = await from.importPublicKey(kemId, expected.publicKey.bytes);
  const { enc, context } = await from.setupBaseSender(suite, publicKey, EMPTY, from.systemRandom);
  const recipient = await to.setupBaseRecipient(suite, privateKey, enc, EMPTY);
  assert.deepEqual(await recipient.open(EMPTY, await context.seal(EMPTY, Uint8Array.of(1))), Uint8Array.of(1));
}

describe('the WebCrypto backend', () => {
  it('works where X25519 is missing', async () => {
    const refused = await without(
      ({ algorithm }) => algorithm === 'X25519',
      async () => {
        await exchange(onWeb, onNode, 0x20);
        await exchange(onNode, onWeb, 0x20);
        await exchange(onWeb, onWeb, 0x647a);
        await assert.rejects(async () => onWeb.importPublicKey(0x20, new Uint8Array(32)), hpkeError('KEY_INVALID'));
        const key = await onWeb.generateKeyPair(0x20, onWeb.systemRandom);
        const lowOrder = new Uint8Array(32).fill(1, 0, 1);
        const suite = onWeb.suiteOf(0x20, 1, 1);
        await assert.rejects(
          async () => onWeb.setupBaseRecipient(suite, key, lowOrder, EMPTY),
          hpkeError('OPEN_FAILED'),
        );
      },
    );
    assert.ok(refused > 0);
  });

  it('works where a NIST private key needs its public one', async () => {
    for (const kemId of [0x10, 0x11, 0x12]) {
      const refused = await without(
        ({ format, algorithm }) => format === 'pkcs8' && algorithm === 'ECDH',
        async () => {
          await exchange(onWeb, onNode, kemId);
          await exchange(onNode, onWeb, kemId);
        },
      );
      assert.ok(refused > 0);
    }
  });

  it('works where no public key comes out of a NIST private one', async () => {
    for (const kemId of [0x10, 0x11, 0x12]) {
      const refused = await without(
        ({ method, format }) => method === 'exportKey' && format === 'jwk',
        () => exchange(onWeb, onWeb, kemId),
      );
      assert.ok(refused > 0);
    }
  });
});
