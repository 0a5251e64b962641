import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { DecodeError } from '@privacy-edge/bytes';
import packet from 'dns-packet';
import fc from 'fast-check';
import {
  decodeSvcb,
  isUsable,
  lookUpOhttp,
  portOf,
  type Resolver,
  SVC_PARAM_OHTTP,
  systemRandom,
} from '../src/index.ts';

const runs = Number(process.env['PRIVACY_EDGE_FUZZ_RUNS'] ?? 2000);

function rdata(priority: number, target: string, params: [key: number, value: number[]][]): Buffer {
  const name = target === '' ? [] : target.split('.').flatMap((label) => [label.length, ...Buffer.from(label)]);
  const rest = params.flatMap(([key, value]) => [key >> 8, key & 255, value.length >> 8, value.length & 255, ...value]);
  return Buffer.from([priority >> 8, priority & 255, ...name, 0, ...rest]);
}

describe('decodeSvcb', () => {
  it('reads priority, target and parameters', () => {
    const record = decodeSvcb(
      rdata(1, 'Svc.Example', [
        [3, [1, 187]],
        [SVC_PARAM_OHTTP, []],
      ]),
    );
    assert.equal(record.priority, 1);
    assert.equal(record.target, 'svc.example');
    assert.equal(portOf(record), 443);
    assert.equal(record.params.has(SVC_PARAM_OHTTP), true);
    assert.equal(isUsable(record), true);
  });

  it('uses a record whose mandatory keys it knows, and no other', () => {
    assert.equal(
      isUsable(
        decodeSvcb(
          rdata(1, '', [
            [0, [0, 8]],
            [8, []],
          ]),
        ),
      ),
      true,
    );
    assert.equal(
      isUsable(
        decodeSvcb(
          rdata(1, '', [
            [0, [0, 8, 2, 0]],
            [8, []],
            [512, [1]],
          ]),
        ),
      ),
      false,
    );
  });

  for (const [name, bytes] of [
    ['nothing', Buffer.alloc(0)],
    ['no end of the name', Buffer.from([0, 1, 3, 97, 98])],
    ['a compressed name', Buffer.from([0, 1, 0xc0, 12])],
    [
      'keys out of order',
      rdata(1, '', [
        [8, []],
        [3, [1, 1]],
      ]),
    ],
    [
      'a key twice',
      rdata(1, '', [
        [8, []],
        [8, []],
      ]),
    ],
    ['an ohttp parameter with a value', rdata(1, '', [[8, [1]]])],
    ['a port of one byte', rdata(1, '', [[3, [1]]])],
    ['a cut parameter', rdata(1, '', [[8, []]]).subarray(0, -1)],
    ['an empty mandatory list', rdata(1, '', [[0, []]])],
    ['a mandatory key that is absent', rdata(1, '', [[0, [0, 8]]])],
    ['mandatory naming itself', rdata(1, '', [[0, [0, 0]]])],
    [
      'mandatory keys out of order',
      rdata(1, '', [
        [0, [0, 8, 0, 3]],
        [3, [1, 1]],
        [8, []],
      ]),
    ],
    [
      'mandatory of odd length',
      rdata(1, '', [
        [0, [0, 8, 1]],
        [8, []],
      ]),
    ],
    ['a name of 256 bytes', rdata(1, Array(64).fill('abc').join('.'), [])],
  ] as const) {
    it(`refuses ${name}`, () => {
      assert.throws(() => decodeSvcb(bytes), DecodeError);
    });
  }

  it('throws nothing but DecodeError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        try {
          decodeSvcb(bytes);
        } catch (error) {
          assert.ok(error instanceof DecodeError);
        }
      }),
      { numRuns: runs },
    );
  });
});

type Reply = (query: ReturnType<typeof packet.decode>, transport: 'udp' | 'tcp') => Buffer[];

/** A resolver on loopback, UDP and TCP on one port. */
async function resolver(t: TestContext, reply: Reply): Promise<Resolver> {
  const tcp = createServer((socket) => {
    socket
      .on('error', () => undefined)
      .once('data', (bytes: Buffer) => {
        for (const answer of reply(packet.decode(bytes.subarray(2)), 'tcp')) {
          const length = Buffer.alloc(2);
          length.writeUInt16BE(answer.length);
          const whole = Buffer.concat([length, answer]);
          socket.write(whole.subarray(0, 5));
          socket.write(whole.subarray(5));
        }
        socket.end();
      });
  });
  tcp.listen(0, '127.0.0.1');
  await once(tcp, 'listening');
  const { port } = tcp.address() as { port: number };
  const udp = createSocket('udp4');
  udp.on('message', (bytes, from) => {
    for (const answer of reply(packet.decode(bytes), 'udp')) udp.send(answer, from.port, from.address);
  });
  udp.bind(port, '127.0.0.1');
  await once(udp, 'listening');
  t.after(() => {
    udp.close();
    tcp.close();
  });
  return { address: '127.0.0.1', port };
}

const HTTPS = 'UNKNOWN_65';
type Answers = NonNullable<Parameters<typeof packet.encode>[0]['answers']>;

function response(query: ReturnType<typeof packet.decode>, answers: Answers, change: object = {}): Buffer {
  return packet.encode({ type: 'response', id: query.id ?? 0, questions: query.questions ?? [], answers, ...change });
}

function https(name: string, data: Buffer, ttl = 60): Answers[number] {
  return { name, type: HTTPS, ttl, data };
}

const options = (...resolvers: Resolver[]) => ({ resolvers, timeoutMs: 200, random: systemRandom });

describe('lookUpOhttp', () => {
  it('asks for HTTPS records and finds the ohttp parameter', async (t) => {
    const at = await resolver(t, (query) => {
      assert.deepEqual(
        query.questions?.map(({ name, type }) => [name, type]),
        [['target.example', HTTPS]],
      );
      return [
        response(query, [
          https('target.example', rdata(2, 'worse', [])),
          https(
            'target.example',
            rdata(1, '', [
              [3, [31, 144]],
              [8, []],
            ]),
          ),
        ]),
      ];
    });
    assert.deepEqual(await lookUpOhttp('Target.Example.', options(at)), {
      oblivious: true,
      mandatory: false,
      host: 'target.example',
      port: 8080,
      ttlSeconds: 60,
    });
  });

  it('follows aliases and CNAMEs, and stops in a loop of them', async (t) => {
    const at = await resolver(t, (query) => {
      const name = query.questions?.[0]?.name ?? '';
      if (name === 'a.example') return [response(query, [https(name, rdata(0, 'b.example', []), 30)])];
      if (name === 'loop.example') return [response(query, [https(name, rdata(0, 'loop.example', []))])];
      return [
        response(query, [
          { name, type: 'CNAME', ttl: 99, data: 'c.example' },
          https('c.example', rdata(1, '', [[8, []]])),
        ]),
      ];
    });
    assert.deepEqual(await lookUpOhttp('a.example', options(at)), {
      oblivious: true,
      mandatory: false,
      host: 'c.example',
      port: undefined,
      ttlSeconds: 30,
    });
    await assert.rejects(lookUpOhttp('loop.example', options(at)), { code: 'DNS_FAILED' });
  });

  it('says no for no record, no parameter, unknown mandatory keys, an alias to nothing, NXDOMAIN, foreign records', async (t) => {
    const answers: Record<string, (query: ReturnType<typeof packet.decode>) => Buffer> = {
      'none.example': (query) => response(query, []),
      'plain.example': (query) => response(query, [https('plain.example', rdata(1, '', []))]),
      'odd.example': (query) =>
        response(query, [
          https(
            'odd.example',
            rdata(1, '', [
              [0, [2, 0]],
              [8, []],
              [512, []],
            ]),
          ),
        ]),
      'gone.example': (query) => response(query, [https('gone.example', rdata(0, '', []))]),
      'nx.example': (query) => response(query, [], { flags: 3 }),
      'foreign.example': (query) => response(query, [https('evil.example', rdata(1, '', [[8, []]]))]),
    };
    const at = await resolver(t, (query) => [answers[query.questions?.[0]?.name ?? '']!(query)]);
    for (const name of Object.keys(answers))
      assert.equal((await lookUpOhttp(name, options(at))).oblivious, false, name);
  });

  it('goes on over TCP when the answer was cut', async (t) => {
    const at = await resolver(t, (query, transport) =>
      transport === 'udp'
        ? [response(query, [], { flags: packet.TRUNCATED_RESPONSE })]
        : [response(query, [https('t.example', rdata(1, '', [[8, []]]))])],
    );
    assert.equal((await lookUpOhttp('t.example', options(at))).oblivious, true);
  });

  it('ignores answers with another id or question, and takes the right one that follows', async (t) => {
    const yes = (query: ReturnType<typeof packet.decode>, change: object) =>
      response(query, [https('t.example', rdata(1, '', [[8, []]]))], change);
    const at = await resolver(t, (query) => [
      yes(query, { id: ((query.id ?? 0) + 1) & 0xffff }),
      yes(query, { questions: [{ name: 'other.example', type: HTTPS }] }),
      yes(query, { questions: [] }),
      yes(query, { type: 'query' }),
      Buffer.from('nonsense'),
      response(query, []),
    ]);
    assert.equal((await lookUpOhttp('t.example', options(at))).oblivious, false);
  });

  it('asks the next resolver after a failure, and says DNS_FAILED when none is left', async (t) => {
    const silent = await resolver(t, () => []);
    const failing = await resolver(t, (query) => [response(query, [], { flags: 2 })]);
    const good = await resolver(t, (query) => [response(query, [https('t.example', rdata(1, '', [[8, []]]))])]);
    assert.equal(
      (await lookUpOhttp('t.example', { ...options(silent, failing, good), timeoutMs: 50 })).oblivious,
      true,
    );
    await assert.rejects(lookUpOhttp('t.example', { ...options(silent, failing), timeoutMs: 50 }), {
      code: 'DNS_FAILED',
    });
    await assert.rejects(lookUpOhttp('t.example', options()), { code: 'DNS_FAILED' });
  });
});
