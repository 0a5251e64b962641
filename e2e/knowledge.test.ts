/**
 * The knowledge audit of the Gateway: distinctive values are sent through relay and gateway, and then looked for in everything
 * that each party got hold of, wrote, shows, keeps in files or has in memory. What is expected is read from
 * docs/privacy/gateway.md.
 */
import assert from 'node:assert/strict';
import { randomBytes, randomInt } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { utf8 } from '@privacy-edge/bytes';
import { chunkedResponse, createObliviousFetch } from '@privacy-edge/gateway';
import { systemRandom } from '@privacy-edge/hpke';
import { KeyConfigList, prepareEncapsulator, selectSuite } from '@privacy-edge/ohttp';
import { DistinctiveClient } from './knowledge/client.ts';
import { Deployment, type Party } from './knowledge/deployment.ts';
import { findInMemory, type Needle, socketAddress } from './knowledge/memory.ts';
import { exactForms, Haystack } from './knowledge/search.ts';
import { OhttpClient } from './lib/ohttp-client.ts';

const PARTIES: readonly Party[] = ['relay', 'gateway', 'target'];
const TARGET_HOST = 'records.example';

/** Something that somebody may know, filed under a row of the document. */
interface Fact {
  readonly row: string;
  readonly name: string;
  readonly sign: string | number | Buffer;
}

/** Marks of everything about the connection, and of everything inside; each canary starts with one. */
interface Marks {
  readonly outer: string;
  readonly inner: string;
}

/** What happened. */
interface Scene {
  readonly deployment: Deployment;
  readonly client: DistinctiveClient;
  readonly marks: Marks;
  readonly address: string;
  readonly facts: readonly Fact[];
}

const OUTER_FIELDS = [
  'user-agent',
  'accept-language',
  'cookie',
  'authorization',
  'proxy-authorization',
  'forwarded',
  'x-forwarded-for',
  'via',
  'origin',
  'referer',
  'from',
  'traceparent',
  'x-request-id',
  'x-device',
];
const INNER_FIELDS = ['user-agent', 'cookie', 'authorization', 'x-device', 'accept-language'];

async function play(roles: 'command-line' | 'recorded'): Promise<Scene> {
  const word = (): string => randomBytes(8).toString('hex');
  const marks = { outer: `outer-${word()}`, inner: `inner-${word()}` };
  const outer = (name: string): string => `${marks.outer}-${name}-${randomBytes(3).toString('hex')}`;
  const inner = (kind: string, name: string): string => `${marks.inner}-${kind}-${name}`;
  const address = `127.${randomInt(10, 250)}.${randomInt(10, 250)}.${randomInt(10, 250)}`;
  const relayName = `${outer('name')}.example`;
  const answers = Object.fromEntries(
    (['whole', 'chunked'] as const).map((kind) => [
      `/${inner(kind, 'path')}`,
      {
        fields: { 'x-answer': inner(kind, 'answer-field'), 'set-cookie': `id=${inner(kind, 'answer-cookie')}` },
        body: [inner(kind, 'answer-one'), inner(kind, 'answer-two')],
        ...(kind === 'chunked' && { trailers: { 'x-sum': inner(kind, 'answer-trailer') } }),
      },
    ]),
  );
  const broken = {
    fields: { 'x-answer': inner('broken', 'field'), 'content-length': '1000' },
    body: [inner('broken', 'body')],
    breaks: true,
  };
  const deployment = await Deployment.start({
    roles,
    relayName,
    targetHost: TARGET_HOST,
    answers: { ...answers, [`/${inner('broken', 'path')}`]: broken },
  });
  const outerFields = Object.fromEntries(OUTER_FIELDS.map((name) => [name, outer(name)]));
  const parameter = outer('parameter');
  const client = new DistinctiveClient({
    relayPort: deployment.relayPort,
    relayName,
    rootPem: deployment.rootPem,
    address,
    fields: outerFields,
    parameter: `id=${parameter}`,
  });
  const scene = { deployment, client, marks, address };
  try {
    await exchange(scene, 'whole');
    await exchange(scene, 'chunked');
    await provoke(scene);
  } catch (error) {
    await deployment.close();
    throw error;
  }
  return { ...scene, facts: factsOf(scene, relayName, { ...outerFields, parameter }) };
}

type Playing = Omit<Scene, 'facts'>;

/** One request that is answered. */
async function exchange({ deployment, client, marks }: Playing, kind: 'whole' | 'chunked'): Promise<void> {
  const inner = (name: string): string => `${marks.inner}-${kind}-${name}`;
  const relay = `https://relay.example:${deployment.relayPort}/demo`;
  const obliviousFetch = createObliviousFetch({
    relay,
    keys: { url: `${relay}/keys` },
    fetch: client.fetch(kind === 'whole' ? 'http/1.1' : 'h2'),
    ...(kind === 'chunked' && { chunked: chunkedResponse }),
  });
  const response = await obliviousFetch(`${deployment.targetOrigin}/${inner('path')}?q=${inner('query')}`, {
    method: 'POST',
    headers: Object.fromEntries(INNER_FIELDS.map((name) => [name, inner(name)])),
    body: inner('content'),
  });
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('x-answer'), inner('answer-field'));
  assert.equal(await response.text(), inner('answer-one') + inner('answer-two'));
}

/** Everything that is refused or fails, each time with values that would be worth a look in a log. */
async function provoke({ deployment, client, marks }: Playing): Promise<void> {
  const { outer, inner } = marks;
  const text = { 'content-type': 'text/plain' };
  const message = { 'content-type': 'message/ohttp-req' };
  const status = async (...sent: Parameters<DistinctiveClient['send']>): Promise<number> =>
    (await client.send(...sent)).status;
  assert.equal(await status('http/1.1', 'POST', `/${outer}-nowhere?${outer}`, text, Buffer.from(outer)), 404);
  assert.equal(await status('h2', 'POST', '/demo', text, Buffer.from(`${outer} as text`)), 415);
  assert.equal(await status('h2', 'DELETE', '/demo', {}, Buffer.alloc(0)), 405);
  assert.equal(await status('http/1.1', 'POST', '/demo', message, Buffer.from('a body that was never sealed')), 400);

  const keys = await client.send('h2', 'GET', '/demo/keys', {}, Buffer.alloc(0));
  const ohttp = await OhttpClient.from(keys.body);
  const host = deployment.targetOrigin;
  const send = async (request: Parameters<OhttpClient['whole']>[0]): Promise<number> => {
    const sealed = await ohttp.whole(request);
    const answer = await client.send('h2', 'POST', '/demo', message, Buffer.from(sealed.bytes));
    assert.equal(answer.status, 200);
    return (await sealed.open(answer.body)).status;
  };
  assert.equal(await send({ url: `https://${inner}-forbidden.example/${inner}` }), 403);
  assert.equal(await send({ url: `${host}/${inner}-missing?${inner}`, fields: [['x-device', inner]] }), 404);
  assert.equal(await send({ url: `${host}/${inner}-broken-path`, fields: [['x-device', inner]] }), 502);
  assert.equal(await send({ url: `${host}/${inner}-late`, dateMs: 0 }), 400);

  const selected = selectSuite(KeyConfigList.decode(keys.body).usable);
  const encapsulator = await prepareEncapsulator(selected!.config, selected!.suite);
  const malformed = await encapsulator.encapsulate(utf8(`\u0009${inner}-malformed`), systemRandom);
  assert.equal(await status('h2', 'POST', '/demo', message, Buffer.from(malformed.message)), 200);
  const spoilt = Buffer.from((await ohttp.whole({ url: `${host}/${inner}-spoilt` })).bytes);
  spoilt[spoilt.length - 1]! ^= 1;
  assert.equal(await status('h2', 'POST', '/demo', message, spoilt), 400);
  let refused = 0;
  for (let i = 0; i < 30 && refused !== 429; i++) {
    refused = await status('h2', 'POST', '/demo', text, Buffer.from(`${outer} again`));
  }
  assert.equal(refused, 429);
}

function factsOf(
  { deployment, client, marks, address }: Playing,
  relayName: string,
  outer: Readonly<Record<string, string>>,
): readonly Fact[] {
  const address_ = 'client address and port';
  const connection = 'connection details';
  const messages = client.sent.filter((body) => body.length > 200);
  const inside = (kind: string, name: string): string => `${marks.inner}-${kind}-${name}`;
  const request = ['path', 'query', 'content', ...INNER_FIELDS];
  const response = ['answer-field', 'answer-cookie', 'answer-one', 'answer-two'];
  return [
    { row: address_, name: 'address', sign: address },
    ...client.ports.map((port) => ({ row: address_, name: 'port', sign: port })),
    { row: connection, name: 'name in the handshake', sign: relayName },
    ...Object.entries(outer).map(([name, sign]) => ({ row: connection, name, sign })),
    { row: 'which gateway', name: 'authority', sign: new URL(deployment.gatewayUrl).host },
    ...messages.map((body) => ({ row: 'size and time', name: 'sealed message', sign: body.subarray(-40) })),
    ...['whole', 'chunked'].flatMap((kind) => [
      ...request.map((name) => ({ row: 'method, URL', name: `${kind} ${name}`, sign: inside(kind, name) })),
      ...response.map((name) => ({ row: 'status, fields', name: `${kind} ${name}`, sign: inside(kind, name) })),
    ]),
    { row: 'status, fields', name: 'chunked answer-trailer', sign: inside('chunked', 'answer-trailer') },
  ];
}

type Expectation = 'known' | 'unknown' | 'not judged';

/** The table of the document; every cell has to be understood. */
async function expectations(): Promise<ReadonlyMap<string, Readonly<Record<Party, Expectation>>>> {
  const document = await readFile(new URL('../docs/privacy/gateway.md', import.meta.url), 'utf8');
  const rows = document.split('\n').flatMap((line) => {
    const cells = line.split('|').map((cell) => cell.trim());
    return cells.length === 6 && !/^-+$|^fact$/.test(cells[1] ?? '') ? [cells.slice(1, 5)] : [];
  });
  const expectation = (cell: string): Expectation => {
    if (/^no\b/.test(cell)) return 'unknown';
    if (/^(?:yes|is it|during the connection|arrive)\b/.test(cell)) return 'known';
    // These two are about what one address or one message shows by itself.
    assert.match(cell, /^(?:by its address|of what it gets)$/, 'a cell that this test does not understand');
    return 'not judged';
  };
  return new Map(
    rows.map(([fact = '', relay = '', gateway = '', target = '']) => [
      fact,
      { relay: expectation(relay), gateway: expectation(gateway), target: expectation(target) },
    ]),
  );
}

function holds(haystack: Haystack, sign: Fact['sign']): boolean {
  if (typeof sign === 'number') return haystack.holdsNumber(sign);
  return typeof sign === 'string' ? haystack.holds(sign) : haystack.bytes.includes(sign);
}

/** Nothing distinctive of anybody's may be in what a role wrote. */
function assertClean(bytes: Buffer, { marks, address, client }: Scene, where: string): void {
  const haystack = new Haystack(bytes);
  for (const sign of [marks.outer, marks.inner, address])
    assert.equal(haystack.holds(sign), false, `${sign} in ${where}`);
  for (const port of client.ports)
    assert.equal(haystack.holdsNumber(port), false, `a client's port ${port} in ${where}`);
}

describe('search', () => {
  const canary = 'Canary-7f3q/zü+1';
  const forms: Readonly<Record<string, (text: string) => Buffer>> = {
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
  for (const [name, encode] of Object.entries(forms)) {
    test(`finds a planted value: ${name}`, () => {
      const noise = randomBytes(500);
      assert.equal(new Haystack(Buffer.concat([noise, encode(canary), noise])).holds(canary), true);
      assert.equal(new Haystack(Buffer.concat([noise, encode('Canary-8f3q/zü+1'), noise])).holds(canary), false);
    });
  }
  test('finds a number only where it stands alone', () => {
    assert.equal(new Haystack(Buffer.from('port":23456}')).holdsNumber(23_456), true);
    assert.equal(new Haystack(Buffer.from('time":1234567')).holdsNumber(23_456), false);
  });
});

for (const roles of ['recorded', 'command-line'] as const) {
  describe(`knowledge of the parties, ${roles} roles`, () => {
    let scene: Scene;
    before(async () => {
      scene = await play(roles);
    });
    after(() => scene?.deployment.close());

    if (roles === 'recorded') {
      test('each party got hold of what the document says, and of nothing else', async () => {
        const expected = await expectations();
        assert.equal(expected.size, 6);
        const [relay, gateway, target] = await Promise.all(PARTIES.map((party) => scene.deployment.holdings(party)));
        const holdings = { relay: relay!, gateway: gateway!, target: target! };
        const wrong: string[] = [];
        const rows = new Set<string>();
        for (const { row, name, sign } of scene.facts) {
          const [fact, cells] = [...expected].find(([label]) => label.startsWith(row)) ?? [];
          assert.ok(fact !== undefined && cells !== undefined, `the document has no row "${row}"`);
          rows.add(fact);
          for (const party of PARTIES) {
            const cell = cells[party];
            if (cell !== 'not judged' && holds(holdings[party], sign) !== (cell === 'known')) {
              wrong.push(`${party} ${cell === 'known' ? 'lacks' : 'HAS'} ${fact}: ${name}`);
            }
          }
        }
        assert.deepEqual(wrong, []);
        assert.deepEqual(rows, new Set(expected.keys()), 'every row of the document was looked at');
      });

      test('a relay has nothing of requests that were refused or failed, other parties nothing of the connection', async () => {
        const { relay, gateway, target } = {
          relay: await scene.deployment.holdings('relay'),
          gateway: await scene.deployment.holdings('gateway'),
          target: await scene.deployment.holdings('target'),
        };
        assert.equal(relay.holds(scene.marks.inner), false);
        assert.equal(relay.holds(scene.marks.outer), true);
        assert.equal(gateway.holds(scene.marks.inner), true);
        assert.equal(target.holds(scene.marks.inner), true);
        assert.equal(target.holds(scene.marks.outer), false);
        assert.equal(gateway.holds(scene.marks.outer), false);
      });

      test('a leak would be noticed', async () => {
        const gateway = await scene.deployment.holdings('gateway');
        const planted = Buffer.from(JSON.stringify({ client: Buffer.from(scene.address).toString('base64') }));
        assert.equal(gateway.holds(scene.address), false);
        assert.equal(new Haystack(Buffer.concat([gateway.bytes, planted])).holds(scene.address), true);
      });
    }

    test('nothing of what is inside is in any answer that is not sealed', () => {
      const { client, marks } = scene;
      assert.ok(client.answers.length > 15);
      for (const { status, fields, body } of client.answers) {
        const answer = new Haystack(Buffer.concat([Buffer.from(JSON.stringify(fields)), body]));
        assert.equal(answer.holds(marks.inner), false, `an answer with status ${status}`);
      }
    });

    if (roles === 'command-line') {
      test('nothing of anybody is in logs, metrics and notices', async () => {
        for (const party of ['relay', 'gateway'] as const) {
          const writings = await scene.deployment.writings(party);
          assert.match(
            writings,
            party === 'relay' ? /rate-limited"[^\n]* [1-9]/ : /outcome="policy"[^\n]* [1-9]/,
            'metrics count',
          );
          assert.ok(
            scene.deployment.log(party).some((line) => line.includes('"event":"serving"')),
            'the log is on',
          );
          assertClean(Buffer.from(writings), scene, `writings of the ${party}`);
          const leak = Buffer.from(
            `${writings}\n{"level":20,"event":"request","id":"${Buffer.from(scene.address).toString('hex')}"}`,
          );
          assert.throws(() => assertClean(leak, scene, 'a log with a planted leak'), /planted leak/);
        }
      });

      test('nothing of the connection is in the memory of gateway and target, nothing of what is inside in that of the relay', async (t) => {
        const { marks, address, deployment } = scene;
        const connection: readonly (readonly [string, readonly Needle[]])[] = [
          ['client address', [...exactForms(address), socketAddress(address)]],
          ['fields of the connection', exactForms(marks.outer)],
        ];
        const control = ['control', [Buffer.from(TARGET_HOST)]] as const;
        const gateway = await findInMemory(deployment.pid('gateway'), new Map([...connection, control]));
        if (gateway === undefined) return t.skip('the system does not show the memory of other processes');
        assert.deepEqual([...gateway], ['control']);
        const target = await findInMemory(deployment.pid('target'), new Map([...connection, control]));
        assert.deepEqual([...(target ?? [])], ['control']);
        const gatewayHost = Buffer.from(new URL(deployment.gatewayUrl).host);
        const relay = await findInMemory(
          deployment.pid('relay'),
          new Map([
            ['inner', exactForms(marks.inner)],
            ['target', exactForms(TARGET_HOST)],
            ['control', [gatewayHost]],
          ]),
        );
        assert.deepEqual([...(relay ?? [])], ['control']);
      });

      test('nothing of anybody is in the files that the roles leave behind', async () => {
        const { relay, gateway } = await scene.deployment.leftovers();
        assert.deepEqual(relay.names, []);
        assert.deepEqual(gateway.names, ['gateway/replay.state']);
        assertClean(gateway.bytes, scene, 'the replay state');
        // Not even the encapsulated keys, by which whoever recorded the messages could tell that these were here.
        for (const message of scene.client.sent.filter((body) => body.length > 200)) {
          assert.equal(gateway.bytes.includes(message.subarray(7, 39)), false);
        }
      });
    }
  });
}
