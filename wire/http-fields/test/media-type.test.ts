import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acceptsMediaType, isMediaType, mediaTypeEssence } from '@privacy-edge/http-fields';
import fc from 'fast-check';

const numRuns = Number(process.env['PRIVACY_EDGE_FUZZ_RUNS'] ?? 2000);

test('mediaTypeEssence() ignores case and parameters', () => {
  for (const value of [
    'message/ohttp-req',
    'Message/OHTTP-Req',
    'message/ohttp-req;a=b',
    'message/ohttp-req ; a=b;\tc="d;e\\"f"',
    'message/ohttp-req;',
    'message/ohttp-req; ; a=b',
    ' message/ohttp-req\t',
  ]) {
    assert.equal(mediaTypeEssence(value), 'message/ohttp-req', value);
    assert.equal(isMediaType(value, 'message/ohttp-req'), true, value);
  }
});

test('mediaTypeEssence() rejects what is malformed anywhere', () => {
  for (const value of [
    undefined,
    '',
    'message',
    'message/',
    '/ohttp-req',
    'message/ohttp-req/x',
    'message /ohttp-req',
    'message/ohttp-req a=b',
    'message/ohttp-req; a',
    'message/ohttp-req; a = b',
    'message/ohttp-req; a="b',
    'message/ohttp-req; a=b"c"',
    'message/ohttp-req; =b',
    'message/ohttp-req, message/ohttp-req',
    'message/ohttp-req\n',
    'message/öhttp',
  ]) {
    assert.equal(mediaTypeEssence(value), undefined, String(value));
    assert.equal(isMediaType(value, 'message/ohttp-req'), false, String(value));
  }
});

test('acceptsMediaType() lets the most specific range decide', () => {
  const essence = 'application/ohttp-keys';
  for (const accept of [
    undefined,
    essence,
    '*/*',
    'text/html, application/*;q=0.1',
    'text/html;q="a,b", APPLICATION/OHTTP-KEYS',
    '*/*;q=0, application/ohttp-keys;q=0.001',
    'broken, */*',
  ]) {
    assert.equal(acceptsMediaType(accept, essence), true, String(accept));
  }
  for (const accept of [
    '',
    'text/html',
    'application/ohttp-keys;q=0',
    '*/*, application/*;q=0.000',
    '*/*, application/ohttp-keys;q=2',
    'application/ohttp',
  ]) {
    assert.equal(acceptsMediaType(accept, essence), false, accept);
  }
});

test('mediaTypeEssence() takes any text and finds what was built', () => {
  const piece = fc.constantFrom('a', '/', ';', '=', '"', '\\', ' ', '\t', ',', 'q=0.5', '\u0000', 'é');
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(piece).map((pieces) => pieces.join('')),
      ),
      (text) => {
        const essence = mediaTypeEssence(text);
        assert.ok(essence === undefined || /^[!-~]+\/[!-~]+$/.test(essence));
        assert.equal(typeof acceptsMediaType(text, 'a/b'), 'boolean');
      },
    ),
    { numRuns },
  );
  const token = fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,8}$/);
  fc.assert(
    fc.property(token, token, token, fc.stringMatching(/^[ -~]{0,8}$/), (type, subtype, name, value) => {
      const quoted = `"${value.replace(/["\\]/g, '\\$&')}"`;
      assert.equal(mediaTypeEssence(`${type}/${subtype} ; ${name}=${quoted}`), `${type}/${subtype}`.toLowerCase());
    }),
    { numRuns },
  );
});
