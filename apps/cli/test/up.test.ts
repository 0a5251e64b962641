import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareKnowledge, type Fact, type Holdings } from '../src/up/knowledge.ts';
import { runCli } from './run-cli.ts';

test('privacy-edge up --once --json prints one document and every cell is right', { timeout: 60_000 }, async () => {
  const { code, out } = await runCli(['up', '--once', '--json']);
  assert.equal(code, 0, out);
  const { products } = JSON.parse(out) as { products: { gateway: Record<string, unknown> } };
  assert.deepEqual(Object.keys(products), ['gateway']);
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
