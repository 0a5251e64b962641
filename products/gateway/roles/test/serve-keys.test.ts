import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { toHex } from '@privacy-edge/bytes';
import type { RoleResponse } from '@privacy-edge/http-exchange';
import { parseCacheControl } from '@privacy-edge/http-fields';
import { KeyConfigList } from '@privacy-edge/ohttp';
import { type GatewayConfig, KeySchedule, type KeyScheduleState } from '../src/index.ts';
import { type Bench, field, makeBench, NOW, post, SUITE } from './gateway-fixture.ts';

const HOUR = 3_600_000;
const STATE: KeyScheduleState = {
  segments: [{ secret: new Uint8Array(32).fill(9), epoch: 0, fromMs: NOW }],
  epochMs: 24 * HOUR,
  publishAheadMs: 6 * HOUR,
  retainMs: 2 * HOUR,
  kemIds: [0x20],
  suites: [SUITE],
};

function bench(config: Partial<GatewayConfig> = {}): Promise<Bench> {
  return makeBench({ keys: new KeySchedule(STATE), config });
}

function ask(
  { gateway }: Bench,
  init: { method?: string; path?: string; headers?: Record<string, string> } = {},
): Promise<RoleResponse> {
  return gateway(post(new Uint8Array(0), { method: 'GET', path: '/keys', ...init }));
}

function maxAge(response: RoleResponse): number {
  return Number(parseCacheControl(field(response, 'cache-control')).get('max-age'));
}

describe('the key configurations', () => {
  it('are the same at both paths, with GET and HEAD', async () => {
    const gateway = await bench();
    const answer = await ask(gateway);
    assert.deepEqual([answer.status, field(answer, 'content-type')], [200, 'application/ohttp-keys']);
    assert.ok(answer.body instanceof Uint8Array);
    assert.deepEqual(
      KeyConfigList.decode(answer.body).usable.map(({ keyId }) => keyId),
      [0],
    );
    assert.deepEqual(await ask(gateway, { path: '/gateway' }), answer);
    assert.deepEqual(await ask(gateway, { path: '/keys?x' }), answer);
    assert.deepEqual(await ask(gateway, { method: 'HEAD' }), { ...answer, body: null });
    assert.deepEqual(new Set(gateway.outcomes), new Set(['keys']));
  });

  it('may be cached by everyone until the list changes, at every moment of ten days', async () => {
    const gateway = await bench({ keysMaxAgeSeconds: 1_000_000 });
    const schedule = new KeySchedule(STATE);
    for (let at = NOW; at < NOW + 10 * 24 * HOUR; at += 7 * 60_000 + 123) {
      gateway.now = at;
      const answer = await ask(gateway);
      const control = parseCacheControl(field(answer, 'cache-control'));
      assert.deepEqual([...control.keys()], ['public', 'max-age', 'no-transform']);
      const until = at + maxAge(answer) * 1000;
      const published = toHex((await schedule.ringAt(at)).published);
      assert.equal(toHex((await schedule.ringAt(until - 1)).published), published);
      assert.notEqual(toHex((await schedule.ringAt(until + 1000)).published), published, 'no earlier than it must');
    }
  });

  it('are cached no longer than the operator says', async () => {
    const gateway = await bench({ keysMaxAgeSeconds: 600 });
    assert.equal(maxAge(await ask(gateway)), 600);
    gateway.now = NOW + 18 * HOUR - 30_500;
    assert.equal(maxAge(await ask(gateway)), 30);
  });

  it('can be cached in the last second too, but not beyond the epoch of any of their keys', async () => {
    const gateway = await bench();
    const schedule = new KeySchedule(STATE);
    const keyIds = async (): Promise<readonly number[]> => {
      const answer = await ask(gateway);
      const { usable } = KeyConfigList.decode(answer.body as Uint8Array);
      const ring = await schedule.ringAt(gateway.now + maxAge(answer) * 1000 - 1);
      const ended = ring.epochs.filter(({ state }) => state === 'retiring').flatMap(({ keys }) => keys);
      for (const { keyId } of usable) assert.ok(!ended.some(({ config }) => config.keyId === keyId));
      const accepted = await schedule.ringAt(gateway.now);
      for (const { keyId } of usable) assert.ok(accepted.find(keyId) !== undefined);
      return usable.map(({ keyId }) => keyId);
    };
    for (const early of [999, 500, 1]) {
      // A key is about to be added: nothing of the list ends.
      gateway.now = NOW + 18 * HOUR - early;
      assert.deepEqual([await keyIds(), maxAge(await ask(gateway))], [[0], 1]);
      // The epoch of the first key is about to end.
      gateway.now = NOW + 24 * HOUR - early;
      assert.deepEqual([await keyIds(), maxAge(await ask(gateway))], [[1], 1]);
    }
    const inLastSecond = field(await ask(gateway), 'etag');
    gateway.now = NOW + 24 * HOUR - 1000;
    assert.deepEqual([await keyIds(), maxAge(await ask(gateway))], [[0, 1], 1]);
    gateway.now = NOW + 24 * HOUR;
    assert.deepEqual(await keyIds(), [1]);
    assert.equal(field(await ask(gateway), 'etag'), inLastSecond);
  });

  it('cannot be cached in the last second where nothing is published ahead', async () => {
    const gateway = await makeBench({ keys: new KeySchedule({ ...STATE, publishAheadMs: 0 }) });
    gateway.now = NOW + 24 * HOUR - 1;
    assert.equal(maxAge(await ask(gateway)), 0);
  });

  it('have an entity tag that depends on the list alone', async () => {
    const [a, b] = [await bench(), await bench()];
    const tags = new Set<string | undefined>();
    for (let hour = 0; hour < 72; hour++) {
      a.now = NOW + hour * HOUR;
      b.now = NOW + hour * HOUR + 1000;
      const tag = field(await ask(a), 'etag');
      assert.match(tag ?? '', /^"[\w-]+"$/);
      assert.equal(field(await ask(b), 'etag'), tag);
      tags.add(tag);
    }
    // Day 1, day 1 and 2, day 2, day 2 and 3, day 3, day 3 and 4.
    assert.equal(tags.size, 6);
  });

  it('are not sent again to who has them', async () => {
    const gateway = await bench();
    const etag = field(await ask(gateway), 'etag')!;
    for (const value of [etag, `W/${etag}`, `"other", ${etag}`, `"a,b",W/${etag}`, '*']) {
      const answer = await ask(gateway, { headers: { 'if-none-match': value } });
      assert.deepEqual([answer.status, answer.body, field(answer, 'etag')], [304, null, etag], value);
      assert.ok(maxAge(answer) > 0);
    }
    for (const value of ['"other"', etag.slice(1, -1), '']) {
      assert.equal((await ask(gateway, { headers: { 'if-none-match': value } })).status, 200, value);
    }
  });

  it('may be read by browsers everywhere by default', async () => {
    const gateway = await bench();
    const answer = await ask(gateway, { headers: { origin: 'https://app.example' } });
    assert.equal(field(answer, 'access-control-allow-origin'), '*');
    assert.equal(field(answer, 'access-control-allow-credentials'), undefined);
    assert.equal(field(answer, 'vary'), undefined);
  });

  it('may be read by listed origins only', async () => {
    const gateway = await bench({ corsOrigins: ['https://app.example'] });
    const allowed = await ask(gateway, { headers: { origin: 'https://app.example' } });
    assert.equal(field(allowed, 'access-control-allow-origin'), 'https://app.example');
    for (const headers of [{ origin: 'https://evil.example' }, { origin: 'null' }, {}] as Record<string, string>[]) {
      const answer = await ask(gateway, { headers });
      assert.equal(field(answer, 'access-control-allow-origin'), undefined);
      assert.equal(field(answer, 'vary'), 'origin');
    }
    assert.equal(field(allowed, 'vary'), 'origin');
  });

  it('answer a preflight', async () => {
    const gateway = await bench();
    const answer = await ask(gateway, { method: 'OPTIONS', headers: { origin: 'https://app.example' } });
    assert.deepEqual([answer.status, answer.body], [204, null]);
    assert.equal(field(answer, 'access-control-allow-origin'), '*');
    assert.equal(field(answer, 'access-control-allow-methods'), 'GET, HEAD');
    assert.equal(field(answer, 'access-control-max-age'), '86400');
    assert.deepEqual(gateway.outcomes, ['keys']);
  });

  it('are answered before the first epoch begins', async () => {
    const gateway = await bench();
    gateway.now = NOW - 5 * HOUR;
    const answer = await ask(gateway);
    assert.equal(answer.status, 200);
    assert.ok(maxAge(answer) > 0);
  });
});
