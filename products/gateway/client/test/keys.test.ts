import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { type GatewayKey, KeyConfig, KeyConfigList } from '@privacy-edge/ohttp';
import { ObliviousError, type ObliviousErrorCode } from '../src/index.ts';
import { KEYS_URL, keysResponse, newKey, worldOf } from './gateway-fixture.ts';

const TARGET = 'https://target.example/';
let key: GatewayKey;
let otherKey: GatewayKey;
before(async () => {
  key = await newKey(1);
  otherKey = await newKey(2);
});

function failsWith(code: ObliviousErrorCode): (error: unknown) => boolean {
  return (error) => error instanceof ObliviousError && error.code === code;
}

const listOf = (...keys: GatewayKey[]): Uint8Array => KeyConfigList.encode(keys.map(({ config }) => config));
const sha256 = (bytes: Uint8Array, encoding: 'base64' | 'base64url' | 'hex'): string =>
  createHash('sha256').update(bytes).digest(encoding);

describe('key sources', () => {
  test('bytes and functions', async () => {
    for (const keys of [listOf(key), async () => listOf(key)]) {
      const world = worldOf({ gatewayKeys: [key], keys });
      assert.equal((await world.fetch(TARGET)).status, 200);
      assert.equal(world.keyFetches, 0);
    }
  });

  test('one fetch for all who wait', async () => {
    const world = worldOf({ gatewayKeys: [key] });
    await Promise.all([1, 2, 3, 4, 5].map(() => world.fetch(TARGET)));
    assert.equal(world.keyFetches, 1);
    assert.equal(world.posted.length, 5);
  });

  test('max-age less Age', async () => {
    const headers = { 'cache-control': 'public, max-age=600', age: '100' };
    const world = worldOf({ gatewayKeys: [key], keyServer: () => keysResponse([key], headers) });
    await world.fetch(TARGET);
    world.nowMs += 499_999;
    await world.fetch(TARGET);
    assert.equal(world.keyFetches, 1);
    world.nowMs += 1;
    await world.fetch(TARGET);
    assert.equal(world.keyFetches, 2);
  });

  test('no-store is for one request', async () => {
    const world = worldOf({
      gatewayKeys: [key],
      keyServer: () => keysResponse([key], { 'cache-control': 'max-age=60, no-store' }),
    });
    await world.fetch(TARGET);
    await world.fetch(TARGET);
    assert.equal(world.keyFetches, 2);
  });

  test('asks without credentials or cache, in its own way', async () => {
    const seen: [string, RequestInit][] = [];
    const fetchKeys = async (url: string, init: RequestInit): Promise<Response> => {
      seen.push([url, init]);
      return keysResponse([key]);
    };
    const world = worldOf({ gatewayKeys: [key], keys: { url: KEYS_URL, fetch: fetchKeys } });
    await world.fetch(TARGET);
    const [url, init] = seen[0]!;
    assert.equal(url, KEYS_URL);
    assert.deepEqual(init.headers, { accept: 'application/ohttp-keys' });
    assert.deepEqual([init.credentials, init.cache, init.redirect], ['omit', 'no-store', 'manual']);
  });

  const bad: readonly [string, () => Response, ObliviousErrorCode][] = [
    ['an error', () => new Response(null, { status: 500 }), 'KEYS_UNAVAILABLE'],
    ['a redirect', () => Response.redirect('https://elsewhere.example/'), 'KEYS_UNAVAILABLE'],
    ['another media type', () => new Response('x'), 'KEYS_UNAVAILABLE'],
    [
      'a damaged list, of which nothing is used',
      () => new Response(listOf(key, otherKey).slice(0, -1), { headers: { 'content-type': 'application/ohttp-keys' } }),
      'KEYS_UNAVAILABLE',
    ],
    [
      'an endless list',
      () => new Response(new Uint8Array(65_537), { headers: { 'content-type': 'application/ohttp-keys' } }),
      'KEYS_UNAVAILABLE',
    ],
    [
      'unknown algorithms',
      () =>
        new Response(new Uint8Array([0, 4, 1, 255, 255, 0]), { headers: { 'content-type': 'application/ohttp-keys' } }),
      'KEYS_UNUSABLE',
    ],
  ];
  for (const [title, keyServer, code] of bad) {
    test(`${title}: ${code}, and the next request asks again`, async () => {
      const world = worldOf({ gatewayKeys: [key], keyServer });
      await assert.rejects(world.fetch(TARGET), failsWith(code));
      await assert.rejects(world.fetch(TARGET), failsWith(code));
      assert.equal(world.keyFetches, 2);
      assert.equal(world.posted.length, 0);
    });
  }

  const P256 = 0x0010;
  const publish = (configs: readonly KeyConfig[]): (() => Response) => {
    const headers = { 'content-type': 'application/ohttp-keys' };
    return () => new Response(KeyConfigList.encode(configs) as Uint8Array<ArrayBuffer>, { headers });
  };
  const invalid = (keyId: number): KeyConfig[] => [
    { ...key.config, keyId, publicKey: new Uint8Array(32) },
    { ...key.config, keyId, publicKey: new Uint8Array(32).fill(1, 0, 1) },
    { ...key.config, keyId, kemId: P256, publicKey: new Uint8Array(65).fill(4, 0, 1) },
    { ...key.config, keyId, kemId: P256, publicKey: new Uint8Array(65).fill(7) },
  ];

  test('an invalid key is no reason to give up the next one', async () => {
    const cases = [...invalid(9).map((one) => [one]), invalid(9).map((one, i) => ({ ...one, keyId: 10 + i }))];
    for (const bad of cases) {
      const world = worldOf({ gatewayKeys: [key], keyServer: publish([...bad, key.config]) });
      assert.equal((await world.fetch(TARGET)).status, 200);
      assert.equal(world.posted[0]!.body[0], 1);
      assert.equal(world.keyFetches, 1);
    }
  });

  test('an invalid key that shares its identifier makes neither usable', async () => {
    for (const bad of invalid(1)) {
      const world = worldOf({ gatewayKeys: [key], keyServer: publish([bad, key.config]) });
      await assert.rejects(world.fetch(TARGET), failsWith('KEYS_UNUSABLE'));
      assert.equal(world.posted.length, 0);
    }
  });

  test('invalid keys alone: KEYS_UNUSABLE, with the reason of the last as its cause', async () => {
    const world = worldOf({
      gatewayKeys: [key],
      keyServer: publish(invalid(9).map((one, i) => ({ ...one, keyId: i }))),
    });
    await assert.rejects(world.fetch(TARGET), (error) => {
      assert.ok(failsWith('KEYS_UNUSABLE')(error));
      assert.equal(((error as Error).cause as { code?: string }).code, 'CONFIG_UNUSABLE');
      return true;
    });
    assert.equal(world.posted.length, 0);
  });

  test('nothing but pinned keys is tried instead of an invalid one', async () => {
    const [bad] = invalid(9);
    const pin = [sha256(KeyConfig.encode(bad!), 'hex')];
    const world = worldOf({
      gatewayKeys: [key],
      keys: { url: KEYS_URL, pin },
      keyServer: publish([bad!, key.config]),
    });
    await assert.rejects(world.fetch(TARGET), failsWith('KEYS_UNUSABLE'));
  });

  test('a preference that nothing meets', async () => {
    const world = worldOf({ gatewayKeys: [key], preference: (kemId) => kemId === 0x647a });
    await assert.rejects(world.fetch(TARGET), failsWith('KEYS_UNUSABLE'));
  });
});

describe('pins', () => {
  const withPins = (pin: readonly string[], ...listed: GatewayKey[]): ReturnType<typeof worldOf> =>
    worldOf({ gatewayKeys: [key, otherKey], keys: { url: KEYS_URL, pin }, keyServer: () => keysResponse(listed) });

  test('a whole list', async () => {
    const list = listOf(key, otherKey);
    for (const pin of [
      `sha256-${sha256(list, 'base64')}`,
      `sha-256-${sha256(list, 'base64')}`,
      sha256(list, 'base64url'),
      sha256(list, 'hex'),
      `sha256-${sha256(list, 'hex').toUpperCase()}`,
    ]) {
      assert.equal((await withPins([pin], key, otherKey).fetch(TARGET)).status, 200);
    }
  });

  test('one configuration, the only one that is used', async () => {
    const world = withPins([sha256(KeyConfig.encode(otherKey.config), 'base64url')], key, otherKey);
    await world.fetch(TARGET);
    assert.equal(world.posted[0]!.body[0], 2);
  });

  test('anything else is refused before anything is sent', async () => {
    for (const pins of [[], ['sha256-AAAA'], [sha256(listOf(key), 'base64url')], ['00'.repeat(32)]]) {
      const world = withPins(pins, otherKey);
      await assert.rejects(world.fetch(TARGET), failsWith('KEYS_REFUSED'));
      assert.equal(world.posted.length, 0);
    }
  });
});

describe('invalidation', () => {
  test('a fetch that was under way does not bring the old keys back', async () => {
    const releases: ((keys: readonly GatewayKey[]) => void)[] = [];
    const keyServer = (): Promise<Response> =>
      new Promise((resolve) => releases.push((keys) => resolve(keysResponse(keys))));
    const world = worldOf({ gatewayKeys: [otherKey], keyServer });
    const waiting = world.fetch(TARGET);
    await until(() => releases.length === 1);
    world.fetch.invalidateKeys();
    const later = world.fetch(TARGET);
    await until(() => releases.length === 2);
    releases[1]!([otherKey]);
    assert.equal((await later).status, 200);
    // The first fetch answers last, with keys from before the invalidation.
    releases[0]!([key]);
    assert.equal((await waiting).status, 200);
    assert.equal((await world.fetch(TARGET)).status, 200);
    assert.deepEqual(
      world.posted.map(({ body }) => body[0]),
      [2, 2, 2],
    );
    assert.equal(world.keyFetches, 2);
  });

  test('requests rejected together refresh together', async () => {
    const world = worldOf({
      gatewayKeys: [otherKey],
      keyServer: (attempt) => keysResponse(attempt === 0 ? [key] : [otherKey]),
    });
    const responses = await Promise.all([1, 2, 3].map(() => world.fetch(TARGET)));
    assert.ok(responses.every(({ status }) => status === 200));
    assert.equal(world.keyFetches, 2);
  });
});

/** Lets everything else run until something is so. */
async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 1000 && !condition(); i++) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(condition());
}
