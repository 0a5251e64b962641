import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatHttpDate, parseHttpDate } from '@privacy-edge/http-fields';
import fc from 'fast-check';

const numRuns = Number(process.env['PRIVACY_EDGE_FUZZ_RUNS'] ?? 2000);
const NOW = Date.UTC(2026, 10, 22);
const EXAMPLE = Date.UTC(1994, 10, 6, 8, 49, 37);

test('parseHttpDate() reads the three forms of RFC 9110 §5.6.7', () => {
  assert.equal(parseHttpDate('Sun, 06 Nov 1994 08:49:37 GMT', NOW), EXAMPLE);
  assert.equal(parseHttpDate('Sunday, 06-Nov-94 08:49:37 GMT', NOW), EXAMPLE);
  assert.equal(parseHttpDate('Sun Nov  6 08:49:37 1994', NOW), EXAMPLE);
  assert.equal(parseHttpDate('Sun Nov 13 08:49:37 1994', NOW), EXAMPLE + 7 * 86_400_000);
});

test('parseHttpDate() accepts leap days and leap seconds where they exist', () => {
  assert.equal(parseHttpDate('Thu, 29 Feb 2024 00:00:00 GMT', NOW), Date.UTC(2024, 1, 29));
  assert.equal(parseHttpDate('Tue, 29 Feb 2000 00:00:00 GMT', NOW), Date.UTC(2000, 1, 29));
  assert.equal(parseHttpDate('Sat, 31 Dec 2016 23:59:60 GMT', NOW), Date.UTC(2017, 0, 1));
});

test('parseHttpDate() rejects dates that do not exist and other spellings', () => {
  for (const text of [
    '',
    'Fri, 30 Feb 2024 00:00:00 GMT',
    'Wed, 29 Feb 2023 00:00:00 GMT',
    'Thu, 29 Feb 1900 00:00:00 GMT',
    'Mon, 31 Apr 2023 00:00:00 GMT',
    'Sun, 00 Nov 1994 08:49:37 GMT',
    'Mon, 06 Nov 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 24:00:00 GMT',
    'Sun, 06 Nov 1994 08:60:37 GMT',
    'Sun, 06 Nov 1994 08:49:60 GMT',
    'Sun, 06 Nov 1994 08:49:61 GMT',
    'sun, 06 nov 1994 08:49:37 gmt',
    'Sun, 6 Nov 1994 08:49:37 GMT',
    'Sun, 06 Nov 94 08:49:37 GMT',
    'Sun, 06 Nov 1994 08:49:37 UTC',
    'Sun, 06 Nov 1994 08:49:37 +0000',
    'Sun, 06 Nov 1994 08:49:37',
    ' Sun, 06 Nov 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 08:49:37 GMT ',
    'Sun, 06 Nov 1994 08:49:37 GMT\n',
    'Sun, 06  Nov 1994 08:49:37 GMT',
    'Sun, 06-Nov-94 08:49:37 GMT',
    'Sunday, 06-Nov-1994 08:49:37 GMT',
    'Someday, 06-Nov-94 08:49:37 GMT',
    'Sun Nov 6 08:49:37 1994',
    'Sun Nov 06 08:49:37 94',
    '1994-11-06T08:49:37Z',
    '784111777',
  ]) {
    assert.equal(parseHttpDate(text, NOW), undefined, text);
  }
});

test('parseHttpDate() places two-digit years at most 50 years ahead', () => {
  const far = new Date(Date.UTC(2076, 10, 21));
  const farther = new Date(Date.UTC(1976, 10, 23));
  const name = (date: Date): string =>
    `${['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'][date.getUTCDay()]}`;
  assert.equal(parseHttpDate(`${name(far)}, 21-Nov-76 00:00:00 GMT`, NOW), far.getTime());
  assert.equal(parseHttpDate(`${name(farther)}, 23-Nov-76 00:00:00 GMT`, NOW), farther.getTime());
  assert.equal(parseHttpDate('Wednesday, 01-Jan-70 00:00:00 GMT', NOW), Date.UTC(2070, 0, 1));
  assert.equal(parseHttpDate('Thursday, 01-Jan-70 00:00:00 GMT', Date.UTC(2010, 0, 1)), 0);
  assert.equal(parseHttpDate('Saturday, 01-Jan-00 00:00:00 GMT', Date.UTC(1999, 0, 1)), Date.UTC(2000, 0, 1));
});

test('formatHttpDate() writes IMF-fixdate and refuses other years', () => {
  assert.equal(formatHttpDate(EXAMPLE + 999), 'Sun, 06 Nov 1994 08:49:37 GMT');
  for (const time of [Number.NaN, Number.POSITIVE_INFINITY, Date.UTC(10_000, 0, 1), -62_167_219_200_001]) {
    assert.throws(() => formatHttpDate(time), RangeError);
  }
});

test('formatHttpDate() agrees with the engine and parses back', () => {
  fc.assert(
    fc.property(fc.integer({ min: -62_167_219_200, max: 253_402_300_799 }), (seconds) => {
      const text = formatHttpDate(seconds * 1000);
      assert.equal(text, new Date(seconds * 1000).toUTCString());
      assert.equal(parseHttpDate(text, NOW), seconds * 1000);
    }),
    { numRuns },
  );
});

test('parseHttpDate() agrees with the engine about every text it accepts', () => {
  const two = fc.integer({ min: 0, max: 70 }).map((n) => String(n).padStart(2, '0'));
  const day = fc.constantFrom('Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat');
  const month = fc.constantFrom('Jan', 'Feb', 'Mar', 'Apr', 'Jun', 'Sep', 'Dec', 'Foo');
  fc.assert(
    fc.property(day, two, month, fc.integer({ min: 1900, max: 2100 }), two, two, two, (d, n, m, y, h, i, s) => {
      const text = `${d}, ${n} ${m} ${y} ${h}:${i}:${s} GMT`;
      const parsed = parseHttpDate(text, NOW);
      if (parsed !== undefined && s !== '60') assert.equal(new Date(parsed).toUTCString(), text);
    }),
    { numRuns },
  );
  fc.assert(
    fc.property(fc.string(), (text) => {
      assert.equal(parseHttpDate(text, NOW), undefined);
    }),
    { numRuns },
  );
});
