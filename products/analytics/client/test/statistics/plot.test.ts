/** Charts: well-formed, complete, and safe with texts that clients chose. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Noise, rational } from '@privacy-edge/dp';
import * as fc from 'fast-check';
import {
  boundariesBetween,
  categoryBuckets,
  commonWordsOf,
  dictionaryOf,
  fitLinear,
  flagCountsOf,
  histogramOf,
  linearModel,
  numberBuckets,
  plotCoefficients,
  plotCounts,
} from '../../src/statistics/index.ts';
import { axisOf, escapeXml } from '../../src/statistics/svg.ts';
import { FUZZ_RUNS, linearTotals, sequence } from './totals.ts';

const NOISE: Noise = { kind: 'laplace', scale: rational(5n) };

/** Reads the small part of XML that is written, strictly; gives names with attributes, and texts. */
function parse(svg: string): { elements: { name: string; attributes: Map<string, string> }[]; texts: string[] } {
  const elements: { name: string; attributes: Map<string, string> }[] = [];
  const texts: string[] = [];
  const open: string[] = [];
  const token = /<(\/?)([a-z]+)((?: [a-zA-Z0-9-]+="[^"<>]*")*)(\/?)>|([^<>]+)/y;
  while (token.lastIndex < svg.length) {
    const at = token.lastIndex;
    const match = token.exec(svg);
    assert.ok(match, `not XML at ${svg.slice(at, at + 60)}`);
    const [, closing, name = '', list = '', alone, text] = match;
    if (text !== undefined) {
      assert.ok(!/&(?!amp;|lt;|gt;|quot;|#39;)/.test(text), text);
      if (open.length > 0) texts.push(text);
    } else if (closing === '/') assert.equal(open.pop(), name);
    else {
      const attributes = new Map(
        Array.from(list.matchAll(/ ([a-zA-Z0-9-]+)="([^"]*)"/g), ([, key, value]) => [key!, value!]),
      );
      for (const [key, value] of attributes) {
        if (/^(x|y|x1|y1|x2|y2|cx|cy|width|height)$/.test(key))
          assert.ok(Number.isFinite(Number(value)), `${key} ${value}`);
      }
      if (name === 'rect') assert.ok(Number(attributes.get('width')) >= 0 && Number(attributes.get('height')) >= 0);
      elements.push({ name, attributes });
      if (alone !== '/') open.push(name);
    }
  }
  assert.deepEqual(open, []);
  return { elements, texts };
}

/** Char of XML 1.0. */
function isXml(code: number): boolean {
  return code === 9 || code === 10 || code === 13 || (code >= 0x20 && code !== 0xfffe && code !== 0xffff);
}

function count(svg: string, name: string): number {
  return parse(svg).elements.filter((item) => item.name === name).length;
}

describe('plotCounts()', () => {
  it('draws a column for each bucket and an error bar for each noise', () => {
    const buckets = numberBuckets(boundariesBetween(0, 1, 10), 'clip');
    const totals = [5, 0, -3, 8, 13, 2, 1, 1, 1, 1];
    const plain = plotCounts(histogramOf(buckets, { totals, reports: 29 }));
    const noisy = plotCounts(histogramOf(buckets, { totals, reports: 29, noise: totals.map(() => NOISE) }), {
      title: 'Delay <s>',
    });
    // One rectangle is the background.
    assert.equal(count(plain, 'rect'), 11);
    const ticks = parse(noisy).elements.filter(
      ({ name, attributes }) => name === 'line' && attributes.get('stroke') === '#ddd',
    ).length;
    assert.equal(count(noisy, 'line'), 10 + ticks + 1);
    assert.deepEqual(parse(noisy).texts.slice(0, 2), ['Delay &lt;s&gt;', 'Delay &lt;s&gt;']);
  });

  it('draws rows for categories, flags and strings, and not too many', () => {
    const words = Array.from({ length: 100 }, (_, i) => `word${i}`);
    const strings = commonWordsOf(dictionaryOf(words), { totals: [...words.map((_, i) => i), 0], reports: 4950 });
    assert.equal(count(plotCounts(strings), 'rect'), 41);
    assert.equal(count(plotCounts(strings, { maxBars: 7 }), 'rect'), 8);
    assert.equal(count(plotCounts(flagCountsOf(['a', 'b'], { totals: [1, 2], reports: 2 })), 'rect'), 3);
    assert.equal(count(plotCounts(histogramOf(categoryBuckets(['a']), { totals: [0, 0], reports: 0 })), 'rect'), 3);
    assert.equal(count(plotCounts({ kind: 'common-strings', reports: 0, strings: [], other: null }), 'rect'), 1);
  });

  it('stays well-formed whatever clients have reported', () => {
    const text = fc.string({ unit: 'binary', maxLength: 40 });
    const nasty = fc.constantFrom(
      '</text><script>alert(1)</script>',
      '"\'&<>',
      ']]>',
      '\u0000\u0008\ufffe',
      '\ud800',
      '&amp;',
      'x'.repeat(500),
    );
    fc.assert(
      fc.property(fc.oneof(text, nasty), fc.integer({ min: -1000, max: 1e9 }), (label, value) => {
        const entry = {
          text: label,
          count: value,
          share: null,
          noiseHalfWidth: 3,
          standardError: null,
          truncated: false,
        };
        const svg = plotCounts({ kind: 'common-strings', reports: 1, strings: [entry], other: 0 }, { title: label });
        parse(svg);
        assert.ok(svg.isWellFormed() && Array.from(svg).every((character) => isXml(character.codePointAt(0)!)));
      }),
      { numRuns: Math.round(FUZZ_RUNS / 8) },
    );
  });
});

describe('plotCoefficients()', () => {
  it('draws a dot and an interval for each feature', () => {
    const random = sequence(1);
    const unit = { lo: 0, hi: 100, step: 1 };
    const model = linearModel(
      [
        { name: 'a & b', ...unit },
        { name: 'c', ...unit },
      ],
      { name: 'y', ...unit },
    );
    const rows = Array.from({ length: 50 }, () => {
      const [a, c] = [Math.round(random() * 40), Math.round(random() * 100)];
      return { 'a & b': a, c, y: Math.round(a + c / 3 + random() * 10) };
    });
    const fit = fitLinear(model, { totals: linearTotals(model, rows), reports: rows.length });
    assert.ok(fit.status === 'fitted');
    const svg = plotCoefficients(fit);
    assert.equal(count(svg, 'circle'), 2);
    assert.equal(parse(svg).elements.filter(({ attributes }) => attributes.get('stroke-width') === '2').length, 2);
    assert.ok(parse(svg).texts.includes('a &amp; b'));
    const constant = fitLinear(model, {
      totals: linearTotals(
        model,
        rows.map((row) => ({ ...row, y: 3 })),
      ),
      reports: 50,
    });
    assert.ok(constant.status === 'fitted');
    assert.equal(count(plotCoefficients(constant), 'circle'), 0);
  });
});

describe('axisOf()', () => {
  it('has round ticks around all values', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ noNaN: true, min: -1e9, max: 1e9 }), { minLength: 1, maxLength: 5 }),
        (values) => {
          fc.pre(values.every((value) => value === 0 || Math.abs(value) > 1e-9));
          const { at, ticks } = axisOf(values, 0, 100);
          assert.ok(ticks.length >= 2 && ticks.length <= 12, `${ticks.length}`);
          for (const value of values) assert.ok(at(value) >= -1e-6 && at(value) <= 100 + 1e-6);
          assert.ok(Math.abs(at(ticks[0]!.value)) < 1e-6 && Math.abs(at(ticks.at(-1)!.value) - 100) < 1e-6);
        },
      ),
      { numRuns: Math.round(FUZZ_RUNS / 8) },
    );
  });
});

describe('escapeXml()', () => {
  it('leaves nothing that is markup', () => {
    assert.equal(escapeXml(`<a b="c" d='e'>&`), '&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;');
  });
});
