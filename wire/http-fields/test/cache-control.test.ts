import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatCacheControl, freshnessMs, parseCacheControl } from '@privacy-edge/http-fields';
import fc from 'fast-check';

const numRuns = Number(process.env['PRIVACY_EDGE_FUZZ_RUNS'] ?? 2000);
const NOW = Date.UTC(2026, 10, 22, 12);

test('parseCacheControl() reads tokens, quoted values and lists', () => {
  const directives = parseCacheControl('Public, max-age="60" , x="a, \\"b\\"",, no-cache=set-cookie, max-age=1, b@d=1');
  assert.deepEqual(
    [...directives],
    [
      ['public', ''],
      ['max-age', '60'],
      ['x', 'a, "b"'],
      ['no-cache', 'set-cookie'],
    ],
  );
  assert.equal(parseCacheControl(undefined).size, 0);
});

test('freshnessMs() subtracts Age from the lifetime', () => {
  const fresh = (cacheControl: string | undefined, age?: string): number | undefined =>
    freshnessMs({ cacheControl, age, nowMs: NOW });
  assert.equal(fresh('max-age=60'), 60_000);
  assert.equal(fresh('max-age=60', '15'), 45_000);
  assert.equal(fresh('max-age=60', '61'), 0);
  assert.equal(fresh('max-age=60', '15, 20'), 45_000);
  assert.equal(fresh('max-age=60', '-1'), 60_000);
  assert.equal(fresh('max-age=60', '1e1'), 60_000);
  assert.equal(fresh('max-age="60"'), 60_000);
  assert.equal(fresh('private, max-age=60'), 60_000);
  assert.equal(fresh('max-age=99999999999999999999'), 2_147_483_648_000);
});

test('freshnessMs() treats what it cannot read or must not reuse as stale', () => {
  for (const cacheControl of [
    'no-store',
    'no-cache, max-age=60',
    'NO-STORE, max-age=60',
    'max-age',
    'max-age=',
    'max-age=-1',
    'max-age=1.5',
    'max-age=1e9',
    'max-age=0x10',
    'max-age=0',
  ]) {
    assert.equal(freshnessMs({ cacheControl, nowMs: NOW }), 0, cacheControl);
  }
  assert.equal(freshnessMs({ cacheControl: undefined, nowMs: NOW }), undefined);
  assert.equal(freshnessMs({ cacheControl: 'public', nowMs: NOW }), undefined);
});

test('freshnessMs() for shared caches', () => {
  const shared = (cacheControl: string): number | undefined => freshnessMs({ cacheControl, nowMs: NOW, shared: true });
  assert.equal(shared('private, max-age=60'), 0);
  assert.equal(shared('max-age=60, s-maxage=10'), 10_000);
  assert.equal(freshnessMs({ cacheControl: 'max-age=60, s-maxage=10', nowMs: NOW }), 60_000);
});

test('freshnessMs() falls back to Expires, relative to Date', () => {
  const date = 'Sun, 22 Nov 2026 10:00:00 GMT';
  const expires = 'Sun, 22 Nov 2026 11:00:00 GMT';
  assert.equal(freshnessMs({ cacheControl: undefined, expires, date, nowMs: NOW }), 3_600_000);
  assert.equal(freshnessMs({ cacheControl: undefined, expires, date, age: '600', nowMs: NOW }), 3_000_000);
  assert.equal(freshnessMs({ cacheControl: undefined, expires, nowMs: NOW }), 0);
  assert.equal(freshnessMs({ cacheControl: undefined, expires: '0', date, nowMs: NOW }), 0);
  assert.equal(freshnessMs({ cacheControl: 'max-age=1', expires, date, nowMs: NOW }), 1000);
});

test('formatCacheControl() writes what parseCacheControl() reads', () => {
  const written = formatCacheControl({ public: true, 'no-store': false, 'max-age': 59.9, x: 'a b', y: undefined });
  assert.equal(written, 'public, max-age=59, x="a b"');
  assert.throws(() => formatCacheControl({ 'max-age': -1 }), RangeError);
  assert.throws(() => formatCacheControl({ 'max-age': Number.NaN }), RangeError);
  assert.throws(() => formatCacheControl({ 'a b': true }), TypeError);
  assert.throws(() => formatCacheControl({ a: 'x\r\ny' }), TypeError);
  fc.assert(
    fc.property(
      fc.dictionary(fc.stringMatching(/^x[a-z-]{1,6}$/), fc.oneof(fc.nat(), fc.stringMatching(/^[\t -~]{1,8}$/))),
      (directives) => {
        const parsed = parseCacheControl(formatCacheControl(directives));
        assert.deepEqual(
          Object.fromEntries(parsed),
          Object.fromEntries(Object.entries(directives).map(([name, value]) => [name, String(value)])),
        );
      },
    ),
    { numRuns },
  );
});

test('freshnessMs() gives a finite, non-negative number or nothing for any input', () => {
  const text = fc.option(
    fc.oneof(
      fc.string(),
      fc.array(fc.constantFrom('max-age', '=', '"', ',', '1', 'no-store', '\\', ' ')).map((parts) => parts.join('')),
    ),
    { nil: undefined },
  );
  fc.assert(
    fc.property(text, text, text, text, fc.boolean(), (cacheControl, age, date, expires, shared) => {
      const result = freshnessMs({ cacheControl, age, date, expires, shared, nowMs: NOW });
      assert.ok(result === undefined || (Number.isFinite(result) && result >= 0));
    }),
    { numRuns },
  );
});
