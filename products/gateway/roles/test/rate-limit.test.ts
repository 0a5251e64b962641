import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ConcurrencyLimiter, prefixOf, RateLimiter } from '../src/rate-limit.ts';
import type { RateLimitConfig } from '../src/relay-config.ts';

const config: RateLimitConfig = {
  requestsPerSecond: 2,
  burst: 3,
  ipv4PrefixBits: 24,
  ipv6PrefixBits: 56,
  maxPrefixes: 4,
};
const runs = Math.min(Number(process.env['PRIVACY_EDGE_FUZZ_RUNS'] ?? 300), 20_000);

describe('RateLimiter', () => {
  test('take() passes a burst, then says when the next request may pass', () => {
    const limiter = new RateLimiter(config);
    assert.deepEqual(
      [1, 2, 3, 4].map(() => limiter.take('192.0.2.1', 1000)),
      [0, 0, 0, 500],
    );
    assert.equal(limiter.take('192.0.2.1', 1499), 1);
    assert.equal(limiter.take('192.0.2.1', 1500), 0);
    assert.equal(limiter.take('192.0.2.1', 1500), 500);
  });

  test('take() counts a prefix together and prefixes apart', () => {
    const limiter = new RateLimiter({ ...config, burst: 1 });
    assert.equal(limiter.take('192.0.2.1', 0), 0);
    assert.equal(limiter.take('192.0.2.254', 0), 500);
    assert.equal(limiter.take('::ffff:192.0.2.7', 0), 500);
    assert.equal(limiter.take('192.0.3.1', 0), 0);
    assert.equal(limiter.take('2001:db8:0:ff00::1', 0), 0);
    assert.equal(limiter.take('2001:db8:0:ffff:ffff::1%eth0', 0), 500);
    assert.equal(limiter.take('2001:db8:1::1', 0), 0);
  });

  test('take() refills nothing while the clock goes back', () => {
    const limiter = new RateLimiter({ ...config, burst: 1 });
    assert.equal(limiter.take('192.0.2.1', 10_000), 0);
    assert.equal(limiter.take('192.0.2.1', 5000), 500);
    assert.equal(limiter.take('192.0.2.1', 5500), 0);
  });

  test('take() forgets the least recently used prefix, and only when it must', () => {
    const limiter = new RateLimiter({ ...config, burst: 1 });
    for (const third of [1, 2, 3, 4, 1, 5]) limiter.take(`10.0.${third}.1`, 0);
    assert.equal(limiter.size, 4);
    assert.equal(limiter.take('10.0.1.1', 0), 500);
    assert.equal(limiter.take('10.0.2.1', 0), 0);
  });

  test('take() stays exact for rates below one request per second and very long silences', () => {
    const limiter = new RateLimiter({ ...config, requestsPerSecond: 0.001, burst: 1 });
    assert.equal(limiter.take('192.0.2.1', 0), 0);
    assert.equal(limiter.take('192.0.2.1', 0), 1_000_000);
    assert.equal(limiter.take('192.0.2.1', 999_999), 1);
    assert.equal(limiter.take('192.0.2.1', Number.MAX_SAFE_INTEGER), 0);
  });

  test('the constructor refuses limits that mean nothing', () => {
    for (const bad of [{ burst: 0 }, { burst: 1.5 }, { requestsPerSecond: 0 }, { requestsPerSecond: Number.NaN }]) {
      assert.throws(() => new RateLimiter({ ...config, ...bad }), RangeError);
    }
    for (const bad of [{ ipv4PrefixBits: 33 }, { ipv6PrefixBits: 0 }, { maxPrefixes: 0 }]) {
      assert.throws(() => new RateLimiter({ ...config, ...bad }), RangeError);
    }
  });

  test('no schedule of requests passes more than burst + rate * time, and what take() promises holds', () => {
    const schedule = fc.array(fc.nat({ max: 2000 }), { maxLength: 60 });
    const rates = fc.record({ burst: fc.integer({ min: 1, max: 5 }), milliRate: fc.integer({ min: 1, max: 20_000 }) });
    fc.assert(
      fc.property(schedule, rates, (gaps, { burst, milliRate }) => {
        const limiter = new RateLimiter({ ...config, burst, requestsPerSecond: milliRate / 1000 });
        let nowMs = 0;
        let passed = 0;
        for (const gap of gaps) {
          nowMs += gap;
          const waitMs = limiter.take('192.0.2.1', nowMs);
          if (waitMs === 0) passed += 1;
          else {
            // One millisecond early is refused, on time is let through.
            if (waitMs > 1) assert.notEqual(limiter.take('192.0.2.1', nowMs + waitMs - 1), 0);
            assert.equal(limiter.take('192.0.2.1', nowMs + waitMs), 0);
            nowMs += waitMs;
            passed += 1;
          }
          assert.ok(passed * 1_000_000 <= burst * 1_000_000 + nowMs * milliRate);
        }
      }),
      { numRuns: runs },
    );
  });

  test('any number of addresses holds at most maxPrefixes buckets', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string()), { maxLength: 50 }), (addresses) => {
        const limiter = new RateLimiter(config);
        for (const address of addresses) limiter.take(address, 0);
        assert.ok(limiter.size <= config.maxPrefixes);
      }),
      { numRuns: runs },
    );
  });
});

describe('prefixOf()', () => {
  test('addresses agree exactly when their first bits do', () => {
    const bytes = fc.uint8Array({ minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(bytes, bytes, fc.integer({ min: 1, max: 32 }), (a, b, bits) => {
        const both = [a, b].map((one) => prefixOf(one.join('.'), { ipv4PrefixBits: bits, ipv6PrefixBits: 56 }));
        const binary = [a, b].map((one) => [...one].map((byte) => byte.toString(2).padStart(8, '0')).join(''));
        assert.equal(both[0] === both[1], binary[0]!.slice(0, bits) === binary[1]!.slice(0, bits));
      }),
      { numRuns: runs },
    );
  });

  test('IPv6 addresses agree exactly when their first bits do', () => {
    const groups = fc.array(fc.integer({ min: 0x2000, max: 0x2003 }), { minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(groups, groups, fc.integer({ min: 1, max: 128 }), (a, b, bits) => {
        const text = [a, b].map((one) => one.map((group) => group.toString(16)).join(':'));
        const both = text.map((one) => prefixOf(one, { ipv4PrefixBits: 24, ipv6PrefixBits: bits }));
        const binary = [a, b].map((one) => one.map((group) => group.toString(2).padStart(16, '0')).join(''));
        assert.equal(both[0] === both[1], binary[0]!.slice(0, bits) === binary[1]!.slice(0, bits));
      }),
      { numRuns: runs },
    );
  });

  test('what is no address shares one bucket', () => {
    const shared = prefixOf('', config);
    for (const text of ['unknown', '/run/relay.sock', '192.0.2', '0300.0.2.1', '1.2.3.4.5', ':::', 'example.com']) {
      assert.equal(prefixOf(text, config), shared, text);
    }
  });
});

describe('ConcurrencyLimiter', () => {
  test('enter() gives each prefix its own places, and a place comes back once', () => {
    const limiter = new ConcurrencyLimiter({ ...config, concurrent: 2 });
    const [first, second] = [limiter.enter('192.0.2.1'), limiter.enter('::ffff:192.0.2.9')];
    assert.ok(first !== undefined && second !== undefined);
    assert.equal(limiter.enter('192.0.2.1'), undefined);
    const other = limiter.enter('192.0.3.1');
    assert.ok(other !== undefined);
    first();
    first();
    assert.ok(limiter.enter('192.0.2.1') !== undefined);
    assert.equal(limiter.enter('192.0.2.1'), undefined);
    other();
    assert.equal(limiter.size, 1);
  });

  test('forgets a prefix that has nothing under way', () => {
    const limiter = new ConcurrencyLimiter(config);
    for (let i = 0; i < 256; i++) limiter.enter(`192.0.${i}.1`)?.();
    assert.equal(limiter.size, 0);
  });

  test('has 256 places by default and refuses a limit that lets nothing pass', () => {
    const limiter = new ConcurrencyLimiter(config);
    for (let i = 0; i < 256; i++) assert.ok(limiter.enter('192.0.2.1') !== undefined);
    assert.equal(limiter.enter('192.0.2.1'), undefined);
    assert.throws(() => new ConcurrencyLimiter({ ...config, concurrent: 0 }), RangeError);
  });
});
