import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CsvReader, type CsvRecord, csvLine } from '../src/analytics/csv.ts';

function read(...pieces: string[]): CsvRecord[] {
  const reader = new CsvReader();
  return [...pieces.flatMap((piece) => reader.push(piece)), ...reader.end()];
}

test('CsvReader reads what RFC 4180 shows', () => {
  assert.deepEqual(read('aaa,bbb\r\n"b ""x"" b","c\r\nd"\r\n,\r\n"",end'), [
    { line: 1, fields: ['aaa', 'bbb'] },
    { line: 2, fields: ['b "x" b', 'c\r\nd'] },
    { line: 4, fields: ['', ''] },
    { line: 5, fields: ['', 'end'] },
  ]);
  assert.deepEqual(read(''), []);
  assert.deepEqual(
    read('a\n\nb\n').map(({ fields }) => fields),
    [['a'], [''], ['b']],
  );
});

test('CsvReader goes on after a record that is wrong', () => {
  const cases: readonly [text: string, problem: string][] = [
    ['a"b,c', 'a quote stands in a field that does not begin with one'],
    ['"a"b,c', 'text follows a closing quote'],
    ['a\rb', 'a carriage return stands alone'],
  ];
  for (const [text, problem] of cases) {
    const [bad, good] = read(`${text}\r\n1,2\r\n`);
    assert.equal(bad?.problem, problem);
    assert.deepEqual(good, { line: 2, fields: ['1', '2'] });
  }
  assert.equal(read('x\n"never ends\n1,2\n')[1]?.problem, 'a quoted field does not end');
});

test('CsvReader reads what csvLine writes, however it is cut', () => {
  const row = fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 4 }), fc.nat(), (rows, cut) => {
      const text = rows.map((fields) => csvLine(fields)).join('');
      const at = cut % (text.length + 1);
      // A pair of surrogates is never cut by a decoder.
      const safe = at > 0 && /[\ud800-\udbff]/.test(text.charAt(at - 1)) ? at - 1 : at;
      const records = read(text.slice(0, safe), text.slice(safe));
      assert.deepEqual(
        records.map(({ fields }) => [...fields]),
        rows,
      );
      assert.ok(records.every(({ problem }) => problem === undefined));
    }),
  );
});
