import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { andThen, isPromiseLike, replaceErrors, Secret } from '@privacy-edge/bytes';

test('Secret prints as [secret] everywhere and reveals its value', () => {
  const secret = new Secret('hunter2');
  const printed = [
    String(secret),
    JSON.stringify({ secret }),
    inspect(secret),
    inspect({ nested: [secret] }, { showHidden: true, depth: 9 }),
    JSON.stringify(Object.entries(secret)),
    inspect(new Error('x', { cause: secret })),
  ].join('\n');
  assert.equal(printed.includes('hunter2'), false);
  assert.equal(printed.includes('[secret]'), true);
  assert.equal(secret.reveal(), 'hunter2');
});

test('andThen() stays synchronous over plain values', () => {
  assert.equal(
    andThen(2, (value) => value + 1),
    3,
  );
  assert.throws(() => andThen(1, () => assert.fail('from the step')), /from the step/);
});

test('andThen() waits for promises', async () => {
  assert.equal(await andThen(Promise.resolve(2), (value) => value + 1), 3);
  await assert.rejects(async () => andThen(Promise.reject(new TypeError('x')), () => 1), TypeError);
});

test('isPromiseLike() looks for a then method', () => {
  assert.equal(isPromiseLike(Promise.resolve()), true);
  for (const value of [undefined, null, 1, 'then', {}, Object.fromEntries([['then', 1]])])
    assert.equal(isPromiseLike(value), false);
});

test('replaceErrors() leaves results alone, at once or later', async () => {
  const unused = (): Error => assert.fail('there is nothing to replace');
  assert.equal(
    replaceErrors(() => 1, unused),
    1,
  );
  assert.equal(await replaceErrors(() => Promise.resolve(2), unused), 2);
});

test('replaceErrors() lets nothing of the original through', async () => {
  const replace = (): Error => new RangeError('the one error');
  const check = (error: unknown): boolean => {
    assert.ok(error instanceof RangeError);
    assert.deepEqual([error.message, error.cause], ['the one error', undefined]);
    return true;
  };
  assert.throws(() => replaceErrors(() => assert.fail('hunter2'), replace), check);
  await assert.rejects(async () => replaceErrors(() => Promise.reject(new Error('hunter2')), replace), check);
});
