import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { TargetPolicy, type TargetQuestion, type TargetRule, targetRule } from '../src/index.ts';
import { RUNS } from './gateway-fixture.ts';

function judge(rules: readonly TargetRule[], question: Partial<TargetQuestion>): string {
  const verdict = new TargetPolicy(rules).judge({
    method: 'GET',
    scheme: 'https',
    authority: 'api.example',
    path: '/',
    ...question,
  });
  return verdict.allowed ? `${verdict.scheme}://${verdict.host}:${verdict.port}` : verdict.reason;
}

/** Outcome of one question to one rule, for each row. */
function table(rule: TargetRule, rows: readonly [question: Partial<TargetQuestion>, expected: string][]): void {
  for (const [question, expected] of rows) {
    it(`${JSON.stringify(question)} is ${expected}`, () => assert.equal(judge([rule], question), expected));
  }
}

const API = 'https://api.example:443';

describe('TargetPolicy.judge(), the authority', () => {
  table(targetRule('https://api.example'), [
    [{}, API],
    [{ authority: 'API.Example' }, API],
    [{ authority: 'api.example:443' }, API],
    [{ authority: 'api.example:8443' }, 'TARGET'],
    [{ authority: 'api.example:80' }, 'TARGET'],
    [{ authority: 'api.example:0443' }, 'MALFORMED'],
    [{ authority: 'api.example:' }, 'MALFORMED'],
    [{ authority: 'api.example:0' }, 'MALFORMED'],
    [{ authority: 'api.example:65536' }, 'MALFORMED'],
    [{ authority: 'api.example:443:443' }, 'MALFORMED'],
    [{ authority: 'api.example.' }, 'MALFORMED'],
    [{ authority: '.api.example' }, 'MALFORMED'],
    [{ authority: 'api..example' }, 'MALFORMED'],
    [{ authority: '' }, 'MALFORMED'],
    [{ authority: 'user@api.example' }, 'MALFORMED'],
    [{ authority: 'api.example@evil.example' }, 'MALFORMED'],
    [{ authority: 'api.example%2eevil.example' }, 'MALFORMED'],
    [{ authority: 'api.example,evil.example' }, 'MALFORMED'],
    [{ authority: 'api.example/' }, 'MALFORMED'],
    [{ authority: 'api.example#' }, 'MALFORMED'],
    [{ authority: 'api.example\\' }, 'MALFORMED'],
    [{ authority: 'api.example\n' }, 'MALFORMED'],
    [{ authority: ' api.example' }, 'MALFORMED'],
    [{ authority: 'ap\u00ed.example' }, 'MALFORMED'],
    [{ authority: 'xapi.example' }, 'TARGET'],
    [{ authority: 'api.example.evil.example' }, 'TARGET'],
    [{ authority: 'sub.api.example' }, 'TARGET'],
    [{ authority: `${'a.'.repeat(126)}aa` }, 'MALFORMED'],
    [{ scheme: 'http' }, 'TARGET'],
    [{ scheme: 'http', authority: 'api.example:443' }, 'TARGET'],
    [{ scheme: 'ftp' }, 'TARGET'],
    [{ scheme: 'unix' }, 'TARGET'],
    [{ scheme: '' }, 'TARGET'],
  ]);
});

describe('TargetPolicy.judge(), address literals', () => {
  table(targetRule('https://[2001:db8::1]:8443'), [
    [{ authority: '[2001:db8::1]:8443' }, 'https://2001:db8::1:8443'],
    [{ authority: '[2001:DB8::1]:8443' }, 'https://2001:db8::1:8443'],
    [{ authority: '[2001:db8::1]' }, 'TARGET'],
    [{ authority: '[2001:db8::2]:8443' }, 'TARGET'],
    [{ authority: '[2001:db8:0::1]:8443' }, 'TARGET'],
    [{ authority: '2001:db8::1:8443' }, 'MALFORMED'],
    [{ authority: '[2001:db8::1' }, 'MALFORMED'],
    [{ authority: '[2001:db8::1]x:8443' }, 'MALFORMED'],
    [{ authority: '[fe80::1%25eth0]:8443' }, 'MALFORMED'],
    [{ authority: '[api.example]:8443' }, 'MALFORMED'],
    [{ authority: '[v1.x]:8443' }, 'MALFORMED'],
    [{ authority: '[]:8443' }, 'MALFORMED'],
  ]);
  table(targetRule('http://127.0.0.1:8080'), [
    [{ scheme: 'http', authority: '127.0.0.1:8080' }, 'http://127.0.0.1:8080'],
    [{ scheme: 'http', authority: '127.1:8080' }, 'TARGET'],
    [{ scheme: 'http', authority: '0x7f.0.0.1:8080' }, 'TARGET'],
    [{ scheme: 'http', authority: '2130706433:8080' }, 'TARGET'],
    [{ scheme: 'http', authority: 'localhost:8080' }, 'TARGET'],
    [{ scheme: 'http', authority: '[::ffff:127.0.0.1]:8080' }, 'TARGET'],
  ]);
});

describe('TargetPolicy.judge(), wildcards', () => {
  table(targetRule('https://*.example'), [
    [{ authority: 'a.example' }, 'https://a.example:443'],
    [{ authority: 'a.b.example' }, 'https://a.b.example:443'],
    [{ authority: 'A.EXAMPLE' }, 'https://a.example:443'],
    [{ authority: 'example' }, 'TARGET'],
    [{ authority: '.example' }, 'MALFORMED'],
    [{ authority: 'badexample' }, 'TARGET'],
    [{ authority: 'a.example.org' }, 'TARGET'],
    [{ authority: '*.example' }, 'MALFORMED'],
  ]);
});

describe('TargetPolicy.judge(), paths', () => {
  table(targetRule('https://api.example/v1'), [
    [{ path: '/v1' }, API],
    [{ path: '/v1/' }, API],
    [{ path: '/v1/a/b' }, API],
    [{ path: '/v1?x=/../' }, API],
    [{ path: '/v1/a?next=/v2/..' }, API],
    [{ path: '/v1/a%2fb' }, API],
    [{ path: '/v1/.well-known' }, API],
    [{ path: '/v1/...' }, API],
    [{ path: '/v1/a..b' }, API],
    [{ path: '/v1/..a' }, API],
    [{ path: '/v1/.-a' }, API],
    [{ path: '/v1/a;x=1' }, API],
    [{ path: '/v1/%zz' }, API],
    [{ path: '/v1//a' }, API],
    [{ path: '/' }, 'TARGET'],
    [{ path: '/v' }, 'TARGET'],
    [{ path: '/v12' }, 'TARGET'],
    [{ path: '/v1.1' }, 'TARGET'],
    [{ path: '/v1;x' }, 'TARGET'],
    [{ path: '/V1/a' }, 'TARGET'],
    [{ path: '/%76%31/a' }, 'TARGET'],
    [{ path: '//v1/a' }, 'TARGET'],
    [{ path: '*' }, 'TARGET'],
    [{ path: '/v1/../v2' }, 'TARGET'],
    [{ path: '/v1/..' }, 'TARGET'],
    [{ path: '/v1/./a' }, 'TARGET'],
    [{ path: '/v1/a/../../v2' }, 'TARGET'],
    [{ path: '/v1/%2e%2e/v2' }, 'TARGET'],
    [{ path: '/v1/%2E./v2' }, 'TARGET'],
    [{ path: '/v1/.%2e/v2' }, 'TARGET'],
    [{ path: '/v1/%252e%252e/v2' }, 'TARGET'],
    [{ path: '/v1%2f..%2fv2' }, 'TARGET'],
    [{ path: '/v1/a%2f..%2f..%2fv2' }, 'TARGET'],
    [{ path: '/v1/a%252f%252e%252e%252fv2' }, 'TARGET'],
    [{ path: '/v1/..\\v2' }, 'TARGET'],
    [{ path: '/v1\\..\\v2' }, 'TARGET'],
    [{ path: '/v1/a\\..\\..\\v2' }, 'TARGET'],
    [{ path: '/v1/..%5cv2' }, 'TARGET'],
    [{ path: '/v1/a%5c..%5cv2' }, 'TARGET'],
    [{ path: '/v1/..;/v2' }, 'TARGET'],
    [{ path: '/v1/..;a=b/v2' }, 'TARGET'],
    [{ path: '/v1/.;/v2' }, 'TARGET'],
    [{ path: '/v1/..%3b/v2' }, 'TARGET'],
    [{ path: '/v1/%2e%2e%3b/v2' }, 'TARGET'],
    [{ path: '/v1/..%00/v2' }, 'TARGET'],
    [{ path: '/v1/..%20/v2' }, 'TARGET'],
    [{ path: '/v1/..%09/v2' }, 'TARGET'],
    [{ path: '/v1/..%3f/../v2' }, 'TARGET'],
    [{ path: '/v1/..%23/v2' }, 'TARGET'],
    [{ path: '/v1/%25252e%25252e/v2' }, 'TARGET'],
    [{ path: `/v1/%${'25'.repeat(9)}2e%2e/v2` }, 'TARGET'],
    [{ path: '/v1/%c0%ae%c0%ae/v2' }, 'TARGET'],
    [{ path: '/v1/%C1%9C../v2' }, 'TARGET'],
    [{ path: '/v1/100%25/caf%C3%A9' }, API],
  ]);
});

describe('TargetPolicy.judge(), paths of a rule that ends in a slash', () => {
  table(targetRule('https://api.example/v1/'), [
    [{ path: '/v1/' }, API],
    [{ path: '/v1/a' }, API],
    [{ path: '/v1' }, 'TARGET'],
    [{ path: '/v1?' }, 'TARGET'],
  ]);
});

describe('TargetPolicy.judge(), a whole origin', () => {
  table(targetRule('https://api.example/'), [
    [{ path: '/a/../b' }, API],
    [{ path: '*', method: 'OPTIONS' }, API],
    [{ path: '/%2e%2e/' }, API],
  ]);
});

describe('TargetPolicy.judge(), methods', () => {
  table(targetRule('https://api.example'), [
    [{ method: 'POST' }, API],
    [{ method: 'X-NEW' }, API],
    [{ method: 'CONNECT' }, 'METHOD'],
    [{ method: 'TRACE' }, 'METHOD'],
  ]);
  table(targetRule('https://api.example', { methods: ['GET', 'TRACE'] }), [
    [{ method: 'GET' }, API],
    [{ method: 'get' }, 'METHOD'],
    [{ method: 'POST' }, 'METHOD'],
    [{ method: 'TRACE' }, 'METHOD'],
    [{ method: 'POST', authority: 'other.example' }, 'TARGET'],
  ]);

  it('of later rules count too, and the first that matches gives the route', () => {
    const rules = [
      targetRule('https://api.example/a', { methods: ['GET'], timeoutMs: 1 }),
      targetRule('https://api.example/', { methods: ['POST'], timeoutMs: 2 }),
      targetRule('https://api.example/', { timeoutMs: 3 }),
    ];
    const timeouts = (['GET', 'POST', 'PUT'] as const).map((method) => {
      const verdict = new TargetPolicy(rules).judge({ method, scheme: 'https', authority: 'api.example', path: '/a' });
      return verdict.allowed && verdict.route.timeoutMs;
    });
    assert.deepEqual(timeouts, [1, 2, 3]);
  });
});

describe('TargetPolicy', () => {
  it('without rules refuses everything', () => {
    assert.equal(judge([], {}), 'TARGET');
  });

  it('never allows a path outside of its prefix, however a target normalises it', () => {
    const rule = targetRule('https://api.example/in');
    const token = fc.constantFrom(
      '/',
      '\\',
      '.',
      '..',
      '%2e',
      '%2E',
      '%252e',
      '%2f',
      '%5c',
      ';',
      '%3b',
      'in',
      'out',
      '%',
      '?',
    );
    fc.assert(
      fc.property(fc.array(token, { maxLength: 10 }), (tokens) => {
        const path = `/in/${tokens.join('')}`;
        if (judge([rule], { path }) !== API) return;
        for (const read of [path, decode(path), decode(decode(path))]) {
          const pathname = new URL(`https://api.example${read.replace(/;[^/\\?]*/g, '')}`).pathname;
          assert.match(pathname, /^\/in(\/|$)/, `${path} is read as ${pathname}`);
        }
      }),
      { numRuns: RUNS * 10 },
    );
  });

  function decode(path: string): string {
    return path.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  }

  it('always gives a verdict', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), fc.string(), (method, scheme, authority, path) => {
        const verdict = new TargetPolicy([targetRule('https://a/b')]).judge({ method, scheme, authority, path });
        assert.equal(verdict.allowed, false);
      }),
      { numRuns: RUNS },
    );
  });
});

describe('targetRule()', () => {
  it('reads scheme, host, port and path of a URL, and fills in the rest', () => {
    assert.deepEqual(targetRule('https://API.example/v1'), {
      scheme: 'https',
      host: 'api.example',
      port: 443,
      pathPrefix: '/v1',
      methods: undefined,
      route: { socketPath: undefined, protocol: 'auto', allowPrivate: false, timeoutMs: 30_000 },
    });
    const rule = targetRule(new URL('http://[::1]:8080'), {
      allowPrivate: true,
      socketPath: '/run/app',
      protocol: 'http2',
    });
    assert.deepEqual([rule.scheme, rule.host, rule.port, rule.pathPrefix], ['http', '::1', 8080, '/']);
    assert.deepEqual(rule.route, { socketPath: '/run/app', protocol: 'http2', allowPrivate: true, timeoutMs: 30_000 });
  });

  for (const url of [
    'ftp://a',
    'https://a/?x',
    'https://a/#x',
    'https://u@a/',
    'https://u:p@a/',
    'a.example',
    'ws://a',
  ]) {
    it(`refuses ${url}`, () => assert.throws(() => targetRule(url), TypeError));
  }
});
