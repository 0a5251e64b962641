import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatDuration, formatSize, parseDuration, parseSize } from '../src/config/units.ts';
import { editDistance, nearest } from '../src/nearest.ts';
import { columns } from '../src/table.ts';

test('parseDuration() reads every unit', () => {
  assert.deepEqual(
    ['250ms', '30s', '15m', '12h', '7d', '0s'].map(parseDuration),
    [250, 30_000, 900_000, 43_200_000, 604_800_000, 0],
  );
});

test('parseDuration() refuses numbers without a unit, other units, signs, fractions and spaces', () => {
  for (const text of ['', '7', 'd', '7 d', '-1s', '1.5h', '7D', '1w', '1e3s', ' 1s', '1s ', '99999999999d'])
    assert.throws(() => parseDuration(text), RangeError, text);
});

test('parseSize() reads every unit and refuses decimal ones', () => {
  assert.deepEqual(['0B', '512B', '64KiB', '4MiB', '1GiB'].map(parseSize), [0, 512, 65_536, 4_194_304, 1_073_741_824]);
  for (const text of ['1', '1kb', '1KB', '1M', '1 KiB', '-1B']) assert.throws(() => parseSize(text), RangeError, text);
});

test('formatDuration() and formatSize() write what parses to the same value', () => {
  fc.assert(
    fc.property(fc.nat({ max: 999_999_999 }), (value) => {
      assert.equal(parseDuration(formatDuration(value)), value);
      assert.equal(parseSize(formatSize(value)), value);
    }),
  );
  assert.deepEqual([formatDuration(604_800_000), formatSize(4_194_304)], ['7d', '4MiB']);
});

test('editDistance() counts a swap of neighbours as one', () => {
  assert.deepEqual(
    [
      editDistance('', 'abc'),
      editDistance('serve', 'serve'),
      editDistance('sevre', 'serve'),
      editDistance('kitten', 'sitting'),
    ],
    [3, 0, 1, 3],
  );
});

test('nearest() suggests what is close and nothing that is far', () => {
  assert.equal(nearest('orign', ['origin', 'path', 'methods']), 'origin');
  assert.equal(nearest('KEYSFILE', ['keysFile', 'x']), 'keysFile');
  assert.equal(nearest('zzzzzz', ['origin', 'path']), undefined);
});

test('columns() does not count styles as width', () => {
  assert.equal(
    columns([
      ['\u001b[31mab\u001b[39m', 'x'],
      ['abc', 'y'],
    ]),
    '\u001b[31mab\u001b[39m   x\nabc  y\n',
  );
});
