import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { AEAD_AES_128_GCM, generateKeyPair, KDF_HKDF_SHA256, KEM_X25519_HKDF_SHA256 } from '@privacy-edge/hpke';
import type { RoleHandler } from '@privacy-edge/http-exchange';
import { createLocalAuthority, type Listener, serve, silentLog, systemRandom } from '@privacy-edge/node';
import { createGatewayKey, KeyConfigList, MEDIA_TYPE_KEYS } from '@privacy-edge/ohttp';
import { runCli } from './run-cli.ts';

describe('gateway discover', () => {
  let folder: string;
  let root: string;
  let listener: Listener;
  let keys: Uint8Array;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'privacy-edge-discover-'));
    const authority = await createLocalAuthority(folder, Date.now());
    root = authority.rootPath;
    const privateKey = await generateKeyPair(KEM_X25519_HKDF_SHA256, systemRandom);
    const suites = [{ kdfId: KDF_HKDF_SHA256, aeadId: AEAD_AES_128_GCM }];
    keys = KeyConfigList.encode([(await createGatewayKey({ keyId: 9, privateKey, suites })).config]);
    const handler: RoleHandler = async ({ path }) =>
      path === '/.well-known/ohttp-gateway'
        ? { status: 200, fields: [['content-type', MEDIA_TYPE_KEYS]], body: keys }
        : { status: 404, fields: [], body: null };
    listener = await serve(handler, { certificate: await authority.issue('target'), log: silentLog });
  });

  after(async () => {
    await listener.close(0);
    await rm(folder, { recursive: true });
  });

  it('prints what the well-known address and the resolver say', async () => {
    // Nothing answers on this port, so the hint is missing and the probe counts.
    const { code, out } = await runCli([
      'gateway',
      'discover',
      listener.url,
      '--cacert',
      root,
      '--allow-private',
      '--no-dns',
    ]);
    assert.equal(code, 0);
    assert.match(out, new RegExp(`^gateway +${listener.url}/\\.well-known/ohttp-gateway$`, 'm'));
    assert.match(out, /^keys +9 x25519$/m);
    assert.match(out, /^digest +sha256-[A-Za-z0-9+/]{43}=$/m);
    assert.match(out, /^dns +not asked$/m);
  });

  it('prints one document with --json', async () => {
    const { out } = await runCli([
      'gateway',
      'discover',
      listener.url,
      '--cacert',
      root,
      '--allow-private',
      '--no-dns',
      '--json',
    ]);
    const document = JSON.parse(out) as Record<string, unknown>;
    assert.deepEqual(document['keys'], [{ keyId: 9, kem: 'x25519' }]);
    assert.equal(document['dns'], null);
  });

  it('refuses a private address unless told otherwise, and anything but an https origin', async () => {
    const refused = await runCli(['gateway', 'discover', listener.url, '--cacert', root, '--no-dns']);
    assert.equal(refused.code, 3);
    assert.match(refused.err, /Found no gateway/);
    const wrong = await runCli(['gateway', 'discover', 'http://target.example', '--no-dns']);
    assert.equal(wrong.code, 2);
    assert.match(wrong.err, /expected an https origin/);
    const resolver = await runCli(['gateway', 'discover', listener.url, '--resolver', 'not an address']);
    assert.equal(resolver.code, 2);
  });
});
