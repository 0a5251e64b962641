import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isToken, splitList } from '@privacy-edge/http-fields';
import fc from 'fast-check';

const numRuns = Number(process.env['PRIVACY_EDGE_FUZZ_RUNS'] ?? 2000);

test('isToken() knows the characters of RFC 9110 §5.6.2', () => {
  const allowed = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  for (let code = 0; code < 0x180; code++) {
    const character = String.fromCharCode(code);
    assert.equal(isToken(character), allowed.includes(character), String(code));
  }
  assert.equal(isToken(''), false);
  assert.equal(isToken('a\n'), false);
});

test('splitList() separates at commas outside of quoted strings', () => {
  assert.deepEqual(splitList('a, b ,, "c,d" ;x="\\",",e\t,'), ['a', 'b', '"c,d" ;x="\\","', 'e']);
  assert.deepEqual(splitList(' , ,'), []);
  assert.deepEqual(splitList('a,"b,c'), ['a', '"b,c']);
});

test('splitList() undoes joining', () => {
  const member = fc.oneof(fc.stringMatching(/^[a-z=;]{1,5}$/), fc.stringMatching(/^"[a-z, ]{0,5}"$/));
  fc.assert(
    fc.property(fc.array(member), (members) => assert.deepEqual(splitList(members.join(', ')), members)),
    { numRuns },
  );
});
