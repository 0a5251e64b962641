import assert from 'node:assert/strict';
import test from 'node:test';
import { checkCitations, type Specs } from '../check-specs.ts';
import { formatFinding } from '../lib/finding.ts';
import { ROOT, readJson } from '../lib/workspace.ts';

const document = (...sections: string[]): Specs[string] => ({
  title: 'T',
  version: 'V',
  url: 'U',
  sections: Object.fromEntries(sections.map((section) => [section, 'Title'])),
});
const specs: Specs = {
  'RFC 9458': document('4.3', '4.4', '6.5', 'A'),
  'RFC 9292': document('3.6'),
  'Chunked OHTTP': document('6.1'),
};
const check = (text: string): string[] => checkCitations({ path: 'a.ts', text }, specs).map(formatFinding);

test('checkCitations() accepts sections that exist, in lists and over line ends', () => {
  const good = [
    '/** RFC 9458 §4.3. */',
    '// Chunked OHTTP §6.1, and RFC 9458 §A',
    '/**',
    ' * Replay, RFC 9458',
    ' * §6.5; lists: RFC 9458 §4.3, §4.4 and §6.5; RFC 9292 §3.6/RFC 9458 §4.3.',
    ' */',
    'RFC 9458 alone is fine',
  ];
  assert.deepEqual(check(good.join('\n')), []);
});

test('checkCitations() names what does not resolve', () => {
  assert.deepEqual(check('\n// RFC 9458 §4.9'), ['a.ts:2  RFC 9458 has no section 4.9']);
  assert.deepEqual(check('// Chunked OHTTP §3.1.'), ['a.ts:1  Chunked OHTTP has no section 3.1']);
  assert.deepEqual(check('// RFC 9458 §4.3, §9'), ['a.ts:1  RFC 9458 has no section 9']);
  assert.deepEqual(check('// see the draft §2'), ['a.ts:1  "the draft §2" names no document of docs/specs.json']);
  assert.deepEqual(check('// RFC 9458 §4.3. Later §4.4'), [
    'a.ts:1  "§4.3. Later §4.4" names no document of docs/specs.json',
  ]);
  assert.deepEqual(check('// RFC 1 says'), ['a.ts:1  RFC 1 is not in docs/specs.json']);
  assert.deepEqual(check('// RFC 9458 § four'), ['a.ts:1  A section sign without a number']);
});

test('checkCitations() refuses prose that nobody looks up', () => {
  for (const prose of [
    'Section 4.3 of RFC 9458',
    'RFC 9458, Section 4.3',
    'RFC 9458 section 4.3',
    'RFC 9458 (Sec. 4)',
    'RFC 9458\n * section 4',
  ]) {
    assert.match(check(prose).join(), /Write "RFC n §s"/, prose);
  }
});

test('docs/specs.json has a title, an address and sections for every document', () => {
  for (const [name, spec] of Object.entries(readJson<Specs>(ROOT, 'docs/specs.json'))) {
    assert.ok(spec.title !== '' && spec.version !== '', name);
    assert.match(spec.url, /^https:\/\//, name);
    assert.ok(Object.keys(spec.sections).length > 3, name);
    for (const [section, title] of Object.entries(spec.sections)) {
      assert.match(section, /^(?:\d+|[A-Z])(?:\.\d+)*$/, name);
      assert.notEqual(title.trim(), '', `${name} ${section}`);
    }
  }
});
