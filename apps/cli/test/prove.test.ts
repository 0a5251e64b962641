import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { type GatewayProof, isProved } from '../src/prove/audit.ts';
import { prove } from '../src/prove/command.ts';
import { judgeClean, judgeFacts, judgeMarks } from '../src/prove/judge.ts';
import { type Expectation, FACTS, PROMISE } from '../src/prove/promise.ts';
import type { Fact } from '../src/prove/scene.ts';
import { Haystack } from '../src/prove/search.ts';
import { PARTIES, type Party } from '../src/up/knowledge.ts';
import { root } from './run-cli.ts';

const CANARY = 'Canary-7f3q/zü+1';
const FORMS: Readonly<Record<string, (text: string) => Buffer>> = {
  plain: (text) => Buffer.from(text),
  'lower case': (text) => Buffer.from(text.toLowerCase()),
  base64: (text) => Buffer.from(Buffer.from(text).toString('base64')),
  base64url: (text) => Buffer.from(Buffer.from(text).toString('base64url')),
  'base64 after one byte': (text) => Buffer.from(Buffer.from(`x${text}y`).toString('base64')),
  'base64 after two bytes': (text) => Buffer.from(Buffer.from(`xy${text}`).toString('base64')),
  hex: (text) => Buffer.from(Buffer.from(text).toString('hex')),
  'upper-case hex': (text) => Buffer.from(Buffer.from(text).toString('hex').toUpperCase()),
  'URL-encoded': (text) => Buffer.from(encodeURIComponent(text)),
  'percent-encoded throughout': (text) => Buffer.from(Buffer.from(text).toString('hex').replace(/../g, '%$&')),
  reversed: (text) => Buffer.from(Buffer.from(text).toReversed()),
  'reversed bytes in hex': (text) => Buffer.from(Buffer.from(Buffer.from(text).toReversed()).toString('hex')),
  'UTF-16': (text) => Buffer.from(text, 'utf16le'),
};
for (const [name, encode] of Object.entries(FORMS)) {
  test(`Haystack finds a planted value: ${name}`, () => {
    const noise = randomBytes(500);
    assert.equal(new Haystack(Buffer.concat([noise, encode(CANARY), noise])).holds(CANARY), true);
    assert.equal(new Haystack(Buffer.concat([noise, encode('Canary-8f3q/zü+1'), noise])).holds(CANARY), false);
  });
}

test('Haystack finds a value in every form, wherever it stands', () => {
  const canary = 'field-0a1b2c3d4e5f';
  const bytes = Buffer.from(canary);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 20 }), fc.uint8Array({ maxLength: 20 }), (before, after) => {
      const around = (middle: Uint8Array): Buffer => Buffer.concat([before, middle, after]);
      const forms = [
        around(bytes),
        around(bytes.toReversed()),
        around(Buffer.from(bytes.toString('hex').toUpperCase())),
        around(Buffer.from(encodeURIComponent(canary))),
        around(Buffer.from(bytes.toString('hex').replace(/../g, '%$&'))),
        Buffer.from(around(bytes).toString('base64')),
        Buffer.from(around(bytes).toString('base64url')),
        Buffer.from(around(bytes).toString('hex')),
      ];
      for (const form of forms) assert.equal(new Haystack(form).holds(canary), true, form.toString('latin1'));
    }),
  );
  assert.equal(new Haystack(Buffer.from('field-0a1b2c3d4e5')).holds(canary), false);
  assert.equal(new Haystack(Buffer.alloc(0)).holds(canary), false);
});

test('Haystack finds a number only where it stands alone', () => {
  assert.equal(new Haystack(Buffer.from('port":23456}')).holdsNumber(23_456), true);
  assert.equal(new Haystack(Buffer.from('time":1234567')).holdsNumber(23_456), false);
});

test('PROMISE is the table of the documentation', () => {
  const document = readFileSync(join(root, 'docs/privacy/gateway.md'), 'utf8');
  const rows = document.split('\n').flatMap((line) => {
    const cells = line.split('|').map((cell) => cell.trim());
    return cells.length === 6 && !/^-+$|^fact$/.test(cells[1] ?? '') ? [cells.slice(1, 5)] : [];
  });
  const expectation = (cell: string): Expectation => {
    if (/^no\b/.test(cell)) return 'unknown';
    if (/^(?:yes|is it|during the connection|arrive)\b/.test(cell)) return 'known';
    assert.match(cell, /^(?:by its address|of what it gets)$/, 'a cell that this test does not understand');
    return 'not judged';
  };
  assert.equal(rows.length, FACTS.length);
  for (const [i, [label = '', ...cells]] of rows.entries()) {
    const fact = FACTS[i]!;
    assert.ok(label.startsWith(fact), `${label} is not ${fact}`);
    assert.deepEqual(
      cells.map(expectation),
      PARTIES.map((party) => PROMISE[fact][party]),
      fact,
    );
  }
});

/** Facts of every row, and holdings of parties that have exactly what they may. */
function honest(): { facts: Fact[]; texts: Record<Party, string[]>; holdings: () => Record<Party, Haystack> } {
  const facts = FACTS.flatMap((fact, i): Fact[] => [
    { fact, name: 'one', sign: `sign-${i}-one` },
    { fact, name: 'two', sign: `sign-${i}-two` },
  ]);
  const known = (party: Party): string[] =>
    facts.filter(({ fact }) => PROMISE[fact][party] === 'known').map(({ sign }) => String(sign));
  const texts = { relay: known('relay'), gateway: known('gateway'), target: known('target') };
  const holding = (party: Party): Haystack => new Haystack(Buffer.from(texts[party].join('\n')));
  return {
    facts,
    texts,
    holdings: () => ({ relay: holding('relay'), gateway: holding('gateway'), target: holding('target') }),
  };
}

test('judgeFacts() finds nothing wrong with honest parties', () => {
  const { facts, holdings } = honest();
  const rows = judgeFacts(facts, holdings());
  assert.deepEqual(
    rows.map(({ fact }) => fact),
    FACTS,
  );
  assert.deepEqual(
    rows.flatMap(({ wrong }) => wrong),
    [],
  );
});

test('judgeFacts() notices each leak, however it is written, each gap, and a fact that nobody looked for', () => {
  for (const fact of FACTS) {
    for (const party of PARTIES) {
      const expected = PROMISE[fact][party];
      if (expected === 'not judged') continue;
      const bent = honest();
      const sign = String(bent.facts.find((one) => one.fact === fact)!.sign);
      if (expected === 'unknown') bent.texts[party].push(Buffer.from(sign).toString('base64'));
      else bent.texts[party].splice(bent.texts[party].indexOf(sign), 1);
      const rows = judgeFacts(bent.facts, bent.holdings());
      const row = rows.find((one) => one.fact === fact)!;
      assert.deepEqual(row.wrong, [`${party} ${expected === 'unknown' ? 'HAS' : 'lacks'} one`]);
      assert.deepEqual(row.cells[party], { expected, found: 'some' });
      assert.equal(rows.filter(({ wrong }) => wrong.length > 0).length, 1);
    }
    const { facts, holdings } = honest();
    const fewer = facts.filter((one) => one.fact !== fact);
    assert.deepEqual(judgeFacts(fewer, holdings()).find((one) => one.fact === fact)?.wrong, ['nothing was looked for']);
  }
});

test('judgeFacts() looks for numbers and bytes too', () => {
  const facts: Fact[] = [
    { fact: 'client address and port', name: 'port', sign: 23_456 },
    { fact: 'size and time of each message', name: 'message', sign: Buffer.from([1, 2, 3, 255]) },
  ];
  const relay = new Haystack(Buffer.concat([Buffer.from('"port":23456,'), Buffer.from([0, 1, 2, 3, 255])]));
  const none = new Haystack(Buffer.alloc(0));
  const rows = judgeFacts(facts, { relay, gateway: none, target: none });
  const wrong = rows.flatMap((row) => row.wrong).filter((one) => one !== 'nothing was looked for');
  assert.deepEqual(wrong, ['gateway lacks message']);
});

test('judgeMarks() and judgeClean() notice traces of requests that no row is about', () => {
  const marks = { outer: 'outer-abcdef', inner: 'inner-abcdef' };
  const of = (text: string): Haystack => new Haystack(Buffer.from(text));
  const good = { relay: of('outer-abcdef'), gateway: of('inner-abcdef'), target: of('inner-abcdef') };
  assert.deepEqual(judgeMarks(marks, good), []);
  assert.deepEqual(judgeMarks(marks, { ...good, relay: of('outer-abcdef inner-abcdef-missing') }), [
    'relay HAS content of a request',
  ]);
  assert.deepEqual(judgeMarks(marks, { ...good, target: of('') }), ['target lacks content of a request']);
  const traces = { marks, address: '127.11.12.13', ports: [23_456] };
  assert.deepEqual(judgeClean(of('{"event":"serving","count":1234567}'), traces, 'a log'), []);
  const address = Buffer.from('127.11.12.13').toString('hex');
  assert.deepEqual(judgeClean(of(`{"id":"${address}","port":23456}`), traces, 'a log'), [
    'a log HAS the address of the client',
    'a log HAS a port of the client',
  ]);
});

test('prove exits 1 when something is wrong, and says what', async (t) => {
  const { facts, texts, holdings } = honest();
  texts.gateway.push('sign-0-one');
  const rows = judgeFacts(facts, holdings());
  const checks = [
    { name: 'memory', what: 'memory', wrong: [], skipped: 'the system does not show it' },
    { name: 'files', what: 'files', wrong: ['the relay left a.txt'] },
  ] as const;
  const proof: GatewayProof = { rows, checks };
  const good: GatewayProof = { rows: judgeFacts(facts, honest().holdings()), checks: [checks[0]] };
  assert.deepEqual([isProved(proof), isProved(good)], [false, true]);
  let out = '';
  const write = t.mock.method(process.stdout, 'write', (text: string) => {
    out += text;
    return true;
  });
  const run = async (result: GatewayProof, json: boolean): Promise<readonly [number, string]> => {
    out = '';
    const code = await prove({ json }, () => Promise.resolve(result));
    return [code, out];
  };
  const [textCode, text] = await run(proof, false);
  const [jsonCode, json] = await run(proof, true);
  const [goodCode, goodText] = await run(good, false);
  const failed = await prove({ json: true }, () => Promise.reject(new Error('no relay')));
  write.mock.restore();
  assert.deepEqual([textCode, jsonCode, goodCode, failed], [1, 1, 0, 1]);
  assert.match(text, /^ {2}client address and port +yes +LEAK +no$/m);
  assert.match(text, /^ {2}client address and port: gateway HAS one$/m);
  assert.match(text, /^ {2}the relay left a\.txt$/m);
  assert.match(goodText, /not looked at: the system does not show it\n[\s\S]*No party could link who with what\.\n$/);
  const { products } = JSON.parse(json) as {
    products: { gateway: { ok: boolean; knowledge: object[]; checks: object[] } };
  };
  assert.equal(products.gateway.ok, false);
  assert.deepEqual(products.gateway.knowledge[0], {
    fact: 'client address and port',
    relay: { expected: 'known', found: 'all' },
    gateway: { expected: 'unknown', found: 'some' },
    target: { expected: 'unknown', found: 'none' },
    ok: false,
    wrong: ['gateway HAS one'],
  });
  assert.deepEqual(products.gateway.checks[1], {
    name: 'files',
    what: 'files',
    ok: false,
    wrong: ['the relay left a.txt'],
  });
});
