import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countBetween, countTexts, fitLine } from '../src/up/clear-statistics.ts';
import { compareKnowledge, type Fact, type Holdings } from '../src/up/knowledge.ts';
import { runCli } from './run-cli.ts';

test('privacy-edge up --once --json prints one document and every cell is right', { timeout: 60_000 }, async () => {
  const { code, out } = await runCli(['up', '--once', '--json']);
  assert.equal(code, 0, out);
  const { products } = JSON.parse(out) as { products: Record<'gateway' | 'analytics', Record<string, unknown>> };
  assert.deepEqual(Object.keys(products), ['gateway', 'analytics']);
  const { ok, stream, knowledge } = products.gateway as {
    ok: boolean;
    stream: { events: number };
    knowledge: { fact: string; relay: boolean; gateway: boolean; target: boolean; ok: boolean }[];
  };
  assert.deepEqual([ok, stream.events], [true, 3]);
  const seen = Object.fromEntries(
    knowledge.map(({ fact, relay, gateway, target }) => [fact, [relay, gateway, target]]),
  );
  assert.deepEqual(seen['client address'], [true, false, false]);
  assert.deepEqual(seen['target path'], [false, true, true]);
  assert.deepEqual(seen['response body'], [false, true, true]);
  checkAnalytics(products.analytics);
});

interface Compared {
  readonly label: string;
  readonly private: number;
  readonly clear: number;
}

function checkAnalytics(analytics: Record<string, unknown>): void {
  const { ok, reports, histogram, mostCommonStrings, linearRegression, knowledge } = analytics as {
    ok: boolean;
    reports: number;
    histogram: Compared[];
    mostCommonStrings: Compared[];
    linearRegression: Compared[];
    knowledge: { fact: string; leader: boolean; helper: boolean; collector: boolean }[];
  };
  assert.deepEqual([ok, reports], [true, 1500]);
  for (const one of [...histogram, ...mostCommonStrings]) assert.equal(one.private, one.clear, one.label);
  const sum = (bars: readonly Compared[]): number => bars.reduce((total, one) => total + one.private, 0);
  assert.deepEqual([sum(histogram), sum(mostCommonStrings)], [500, 500]);
  assert.equal(mostCommonStrings[0]?.label, 'athletics');
  const [, slope] = linearRegression;
  assert.ok(slope!.private > 50 && slope!.private < 150, 'tall people weigh more');
  const seen = new Map(knowledge.map(({ fact, leader, helper, collector }) => [fact, [leader, helper, collector]]));
  assert.deepEqual(seen.get('identifier of a report'), [true, true, false]);
  assert.deepEqual(seen.get('what one person reported'), [false, false, false]);
  assert.deepEqual(seen.get('the sum over all'), [false, false, true]);
}

test('clear statistics are those of a textbook', () => {
  assert.deepEqual(countBetween([0, 1, 1.5, 2, 9], [1, 2]), [1, 2, 2]);
  assert.deepEqual(countTexts(['b', 'a', 'b', 'c']), [
    ['b', 2],
    ['a', 1],
    ['c', 1],
  ]);
  const person = (height: number, weight: number) => ({ height, weight, sport: '' });
  assert.deepEqual(fitLine([person(1, 5), person(2, 7), person(3, 9)]), { slope: 2, intercept: 3 });
});

test('compareKnowledge() marks leaks and gaps', () => {
  const nothing: Holdings = { entries: [], writings: '' };
  const text = (value: string): Holdings => ({ entries: [{ kind: 'text', what: 'head', text: value }], writings: '' });
  const facts: Fact[] = [{ label: 'a', known: ['relay'], sign: { text: 'canary-a' } }];
  const [right] = compareKnowledge(facts, { relay: text('x canary-a'), gateway: nothing, target: nothing });
  assert.deepEqual([right!.seen, right!.wrong], [{ relay: true, gateway: false, target: false }, []]);
  const [leak] = compareKnowledge(facts, {
    relay: text('canary-a'),
    gateway: { entries: [], writings: 'log: canary-a' },
    target: nothing,
  });
  assert.deepEqual(leak!.wrong, ['gateway']);
  const [gap] = compareKnowledge(facts, { relay: nothing, gateway: nothing, target: nothing });
  assert.deepEqual(gap!.wrong, ['relay']);
});

test('compareKnowledge() finds a value that is cut between two pieces of one body', () => {
  const piece = (text: string) =>
    ({ kind: 'bytes', what: 'body', base64: Buffer.from(text).toString('base64') }) as const;
  const split: Holdings = { entries: [piece('xx cana'), piece('ry-a yy')], writings: '' };
  const nothing: Holdings = { entries: [], writings: '' };
  const facts: Fact[] = [
    { label: 'a', known: [], sign: { text: 'canary-a' } },
    { label: 'size', known: ['relay'], sign: { bodyBytes: 7 } },
  ];
  const rows = compareKnowledge(facts, { relay: split, gateway: nothing, target: nothing });
  assert.deepEqual(
    rows.map((row) => row.wrong),
    [['relay'], []],
  );
});
