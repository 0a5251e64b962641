import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DecodeError, fromUtf8, utf8 } from '@privacy-edge/bytes';
import { decodeProblem, encodeProblem, PROBLEM_OHTTP_KEY, type ProblemDetails } from '@privacy-edge/http-fields';
import fc from 'fast-check';

const numRuns = Number(process.env['PRIVACY_EDGE_FUZZ_RUNS'] ?? 2000);

test('encodeProblem() writes the document of RFC 9458 §5.3', () => {
  const bytes = encodeProblem({ type: PROBLEM_OHTTP_KEY, title: 'key identifier unknown' });
  assert.deepEqual(JSON.parse(fromUtf8(bytes)), {
    type: 'https://iana.org/assignments/http-problem-types#ohttp-key',
    title: 'key identifier unknown',
  });
});

test('decodeProblem() ignores standard members of another type', () => {
  const decode = (document: unknown): ProblemDetails => decodeProblem(utf8(JSON.stringify(document)));
  assert.deepEqual(decode({}), { type: 'about:blank' });
  assert.deepEqual(decode({ type: 7, status: '400', title: null, detail: [], instance: {} }), { type: 'about:blank' });
  assert.deepEqual(decode({ status: 99 }), { type: 'about:blank' });
  assert.deepEqual(decode({ type: 'x', status: 400, balance: 3 }), {
    type: 'x',
    status: 400,
    extensions: { balance: 3 },
  });
});

test('decodeProblem() keeps a member called __proto__ a member', () => {
  const problem = decodeProblem(utf8('{"__proto__":{"status":200},"type":"x"}'));
  assert.equal(problem.status, undefined);
  assert.deepEqual(Object.keys(problem.extensions ?? {}), ['__proto__']);
  assert.equal(Object.getPrototypeOf(problem.extensions), Object.prototype);
});

test('encodeProblem() does not let an extension replace a standard member', () => {
  const bytes = encodeProblem({ type: 'x', extensions: { type: 'y', status: 1, more: true } });
  assert.deepEqual(JSON.parse(fromUtf8(bytes)), { type: 'x', more: true });
});

test('decodeProblem() throws DecodeError for everything else and never quotes it', () => {
  for (const text of ['', 'null', '[]', '"secret"', '1', '{', '{"secret":}', '\ufeff{}']) {
    assert.throws(
      () => decodeProblem(utf8(text)),
      (error) => error instanceof DecodeError && !JSON.stringify([error.message, error.cause]).includes('secret'),
      text,
    );
  }
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 64 }), fc.json().map(utf8)), (bytes) => {
      try {
        assert.equal(typeof decodeProblem(bytes).type, 'string');
      } catch (error) {
        assert.ok(error instanceof DecodeError);
      }
    }),
    { numRuns },
  );
});

test('decodeProblem() undoes encodeProblem()', () => {
  const text = fc.string({ unit: 'binary' }).filter((value) => value.isWellFormed());
  const problem = fc.record(
    {
      type: text,
      status: fc.integer({ min: 100, max: 599 }),
      title: text,
      detail: text,
      instance: text,
      extensions: fc.dictionary(fc.stringMatching(/^x[a-z]{1,5}$/), fc.integer(), {
        minKeys: 1,
        noNullPrototype: true,
      }),
    },
    { requiredKeys: ['type'], noNullPrototype: true },
  );
  fc.assert(
    fc.property(problem, (value) => assert.deepEqual(decodeProblem(encodeProblem(value)), value)),
    { numRuns },
  );
});
