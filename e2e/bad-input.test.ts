/**
 * Bad input against a running relay and a running gateway, over HTTP/1.1 and HTTP/2 with TLS. Each bad request gets its
 * documented answer, the next good one on a new connection works, and memory stays where it was.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { encodeResponse } from '@privacy-edge/bhttp';
import { concatBytes } from '@privacy-edge/bytes';
import { decodeProblem, PROBLEM_MEDIA_TYPE, PROBLEM_OHTTP_KEY } from '@privacy-edge/http-fields';
import {
  MEDIA_TYPE_CHUNKED_REQUEST,
  MEDIA_TYPE_CHUNKED_RESPONSE,
  MEDIA_TYPE_REQUEST,
  MEDIA_TYPE_RESPONSE,
} from '@privacy-edge/ohttp';
import { ENC_BYTES, encodeInner, HEADER_BYTES, OhttpClient } from './lib/ohttp-client.ts';
import type { RoleProcess } from './lib/role-process.ts';
import { openFiles, openStage, residentBytes, type Section } from './lib/stage.ts';
import { startTarget } from './lib/target-server.ts';
import { until } from './lib/until.ts';
import {
  type Answer,
  type Endpoint,
  field,
  fingerprint,
  http1,
  http2,
  openSocket,
  rawText,
  readAnswer,
  type Send,
  type Transport,
} from './lib/wire.ts';

const MAX_REQUEST = 262_144;
/** Of the roles that are sent slow input; the others have the usual limits. */
const IMPATIENT = { headerTimeout: '2s', bodyTimeout: '2s' };
/** Oversized messages sent by each flood. */
const FLOOD = process.env['PRIVACY_EDGE_LONG'] === '1' ? 6000 : 120;
/** What every message that does not open is answered with, whatever is wrong with it. */
const DOES_NOT_OPEN = 400;
const KEY_PROBLEM = 400;

const stage = await openStage();
after(() => stage.close());
const target = await startTarget(stage);
const ca = (await stage.authority()).rootPem;
const caFile = (await stage.authority()).rootPath;

// One key with one suite: every changed bit of the header then names something that is not there.
const keys = {
  seedFile: await stage.seedFile(),
  epoch: '36500d',
  publishAhead: '0s',
  retain: '0s',
  suites: ['hkdf-sha256/aes-128-gcm'],
};

async function startPair(limits: Section): Promise<{ readonly gateway: RoleProcess; readonly relay: RoleProcess }> {
  const gateway = await stage.gateway({
    section: {
      ...limits,
      tls: await stage.certificate('gateway'),
      keys,
      targets: [{ origin: target.url, allowPrivate: true }],
      limits: { maxRequest: '256KiB' },
    },
  });
  const url = gateway.ready['gatewayUrl'];
  const relay = await stage.relay({
    section: {
      ...limits,
      caFile,
      tls: await stage.certificate('relay'),
      gateways: [{ name: 'one', path: '/one', url, allowPrivate: true, maxRequest: '256KiB' }],
    },
  });
  return { gateway, relay };
}

const { gateway, relay } = await startPair({});
const published = await http1({ origin: gateway.url, ca }, { method: 'GET', path: '/ohttp-keys', fields: {} });
const client = await OhttpClient.from(published?.body ?? new Uint8Array(0));

const filesBefore = { gateway: await openFiles(gateway.pid), relay: await openFiles(relay.pid) };

interface Role {
  readonly name: 'gateway' | 'relay';
  readonly process: RoleProcess;
  readonly path: string;
}
function rolesOf(pair: { readonly gateway: RoleProcess; readonly relay: RoleProcess }): readonly Role[] {
  return [
    { name: 'gateway', process: pair.gateway, path: '/.well-known/ohttp-gateway' },
    { name: 'relay', process: pair.relay, path: '/one' },
  ];
}
const ROLES = rolesOf({ gateway, relay });
const TRANSPORTS: readonly (readonly [string, Transport])[] = [
  ['HTTP/1.1', http1],
  ['HTTP/2', http2],
];

/** What is sent instead of a good message, and the status of the answer. */
interface BadCase {
  readonly name: string;
  readonly send: () => Promise<Partial<Send>> | Partial<Send>;
  /** Undefined where nobody is there any more to get an answer. */
  readonly status: number | undefined;
}

const chunkedType = { 'content-type': MEDIA_TYPE_CHUNKED_REQUEST };
const good = async (): Promise<Uint8Array> => (await client.whole({ url: `${target.url}/good` })).bytes;
const only = (bytes: Uint8Array): Partial<Send> => ({ body: [bytes] });
const pieces = (count: number, bytes: number): Uint8Array[] => Array.from({ length: count }, () => randomBytes(bytes));

async function changed(change: (message: Uint8Array) => Uint8Array | undefined): Promise<Partial<Send>> {
  const message = await good();
  return only(change(message) ?? message);
}

function flip(at: number, bit = 0): (message: Uint8Array) => undefined {
  return (message) => {
    const index = at < 0 ? message.length + at : at;
    message[index] = message[index]! ^ (1 << bit);
  };
}

function withEnc(enc: Uint8Array): (message: Uint8Array) => undefined {
  return (message) => {
    message.set(enc, HEADER_BYTES);
  };
}

/** Points of small order on Curve25519, and one that is not canonical. RFC 7748 §6.1 has the shared secret checked for zero. */
const LOW_ORDER = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
].map((hex) => new Uint8Array(Buffer.from(hex, 'hex')));

/** Drips bytes with pauses well below the time limit, for longer than it. */
function* drip(bytes: Uint8Array, pauseMs: number): Generator<Promise<Uint8Array>> {
  for (const byte of bytes) yield pause(pauseMs).then(() => Uint8Array.of(byte));
}

const SIZES: readonly BadCase[] = [
  { name: 'oversized, announced', send: () => ({ body: [], announce: MAX_REQUEST + 1, ending: 'open' }), status: 413 },
  {
    name: 'oversized beyond any number, announced',
    send: () => ({ body: [], announce: 2 ** 53, ending: 'open' }),
    status: 413,
  },
  {
    name: 'oversized, streamed without a length',
    send: () => ({ body: pieces(40, 16_384), announce: 'none' }),
    status: 413,
  },
  {
    name: 'truncated, connection cut',
    send: async () => ({ body: [(await good()).subarray(0, 60)], announce: 500, ending: 'cut' }),
    status: undefined,
  },
  {
    name: 'truncated, connection cut, without a length',
    send: async () => ({ body: [(await good()).subarray(0, 60)], announce: 'none', ending: 'cut' }),
    status: undefined,
  },
  { name: 'empty', send: () => ({ body: [] }), status: 400 },
  { name: 'empty, without a length', send: () => ({ body: [], announce: 'none' }), status: 400 },
  { name: 'short header', send: () => changed((message) => message.subarray(0, 6)), status: 400 },
  { name: 'header alone', send: () => changed((message) => message.subarray(0, HEADER_BYTES)), status: 400 },
  { name: 'short encapsulated key', send: () => changed((message) => message.subarray(0, 20)), status: 400 },
];

const ENVELOPE: readonly BadCase[] = [
  { name: 'no content type', send: () => ({ fields: {} }), status: 415 },
  { name: 'wrong content type', send: () => ({ fields: { 'content-type': 'text/plain' } }), status: 415 },
  {
    name: 'a response as a request',
    send: () => ({ fields: { 'content-type': MEDIA_TYPE_RESPONSE } }),
    status: 415,
  },
  {
    name: 'two content types',
    send: () => ({ fields: { 'content-type': `${MEDIA_TYPE_REQUEST}, a/b` } }),
    status: 415,
  },
  { name: 'PUT', send: () => ({ method: 'PUT' }), status: 405 },
  { name: 'unknown method', send: () => ({ method: 'PROPFIND' }), status: 405 },
  { name: 'unknown path', send: () => ({ path: '/nowhere' }), status: 404 },
];

const SLOW: readonly BadCase[] = [
  { name: 'a body that never comes', send: () => ({ body: [], announce: 100, ending: 'open' }), status: 408 },
  {
    name: 'a body that stops, without a length',
    send: async () => ({ body: [(await good()).subarray(0, 20)], announce: 'none', ending: 'open' }),
    status: 408,
  },
  {
    name: 'a body that drips',
    send: () => ({ body: drip(new Uint8Array(100), 100), announce: 100, ending: 'open' }),
    status: 408,
  },
  {
    name: 'a chunked message that stops before its first chunk',
    send: async () => {
      const { header } = await client.chunked({ url: `${target.url}/never` });
      return { fields: chunkedType, body: [header], announce: 'none', ending: 'open' };
    },
    status: 408,
  },
];

/** Fails before any key is used: the key is unknown to the gateway. */
const UNKNOWN_KEY: readonly BadCase[] = [
  { name: 'unknown key identifier', send: () => changed(flip(0)), status: KEY_PROBLEM },
  { name: 'another KEM', send: () => changed(flip(2, 4)), status: KEY_PROBLEM },
  { name: 'a KDF that is not offered', send: () => changed(flip(4, 1)), status: KEY_PROBLEM },
  { name: 'an AEAD that is not offered', send: () => changed(flip(6, 1)), status: KEY_PROBLEM },
  {
    name: 'unknown key identifier, chunked',
    send: async () => {
      const { header, chunks } = await client.chunked({ url: `${target.url}/never` });
      flip(0)(header);
      return { fields: chunkedType, body: [header, ...chunks] };
    },
    status: KEY_PROBLEM,
  },
];

const HEADER_BITS: readonly BadCase[] = Array.from({ length: 8 * HEADER_BYTES }, (_, bit) => ({
  name: `bit ${bit} of the header`,
  send: () => changed(flip(bit >> 3, bit & 7)),
  status: KEY_PROBLEM,
}));

/** Depends on the private key: all of these must look the same. */
const UNOPENABLE: readonly BadCase[] = [
  ...[0, 1, 15, 30].map((at) => ({
    name: `bit of enc byte ${at}`,
    send: () => changed(flip(HEADER_BYTES + at)),
    status: DOES_NOT_OPEN,
  })),
  ...[0, 5, 40].map((at) => ({
    name: `bit of ciphertext byte ${at}`,
    send: () => changed(flip(HEADER_BYTES + ENC_BYTES + at, at & 7)),
    status: DOES_NOT_OPEN,
  })),
  ...[-16, -8, -1].map((at) => ({
    name: `bit of tag byte ${16 + at}`,
    send: () => changed(flip(at, 7)),
    status: DOES_NOT_OPEN,
  })),
  { name: 'cut by a byte', send: () => changed((message) => message.subarray(0, -1)), status: DOES_NOT_OPEN },
  {
    name: 'longer by a byte',
    send: () => changed((message) => concatBytes(message, Uint8Array.of(0))),
    status: DOES_NOT_OPEN,
  },
  ...LOW_ORDER.map((enc, at) => ({
    name: `low-order point ${at}`,
    send: () => changed(withEnc(enc)),
    status: DOES_NOT_OPEN,
  })),
  { name: 'random enc', send: () => changed(withEnc(randomBytes(ENC_BYTES))), status: DOES_NOT_OPEN },
  {
    name: 'a replay',
    send: async () => {
      const message = await client.whole({ url: `${target.url}/once` });
      const first = await http1({ origin: gateway.url, ca }, { ...requestTo(ROLES[0]!), body: [message.bytes] });
      assert.equal((await message.open(first!.body)).status, 200);
      return only(message.bytes);
    },
    status: DOES_NOT_OPEN,
  },
  {
    name: 'a whole message as a chunked one',
    send: async () => ({ fields: chunkedType, body: [await good()] }),
    status: DOES_NOT_OPEN,
  },
  {
    name: 'a first chunk with a changed bit',
    send: async () => {
      const { header, chunks } = await client.chunked({ url: `${target.url}/never` });
      flip(-1)(chunks[0]!);
      return { fields: chunkedType, body: [header, ...chunks] };
    },
    status: DOES_NOT_OPEN,
  },
  {
    name: 'a first chunk that comes second',
    send: async () => {
      const { header, chunks } = await client.chunked({ url: `${target.url}/never` });
      return { fields: chunkedType, body: [header, chunks[1]!, chunks[0]!, ...chunks.slice(2)] };
    },
    status: DOES_NOT_OPEN,
  },
  {
    name: 'an empty first chunk that is not final',
    send: async () => ({ fields: chunkedType, body: [await client.strangeChunks([new Uint8Array(0)])] }),
    status: DOES_NOT_OPEN,
  },
  {
    name: 'a first chunk announced with 2^40 bytes',
    send: async () => {
      const { header } = await client.chunked({ url: `${target.url}/never` });
      return { fields: chunkedType, body: [header, HUGE_LENGTH, randomBytes(1000)] };
    },
    status: DOES_NOT_OPEN,
  },
];

/** 2^40 as a variable-length integer of eight bytes. */
const HUGE_LENGTH = Uint8Array.of(0xc0, 0, 1, 0, 0, 0, 0, 0);

function requestTo(role: Role): Send {
  return { path: role.path, fields: { 'content-type': MEDIA_TYPE_REQUEST } };
}

async function send(role: Role, transport: Transport, bad: BadCase): Promise<Answer | undefined> {
  const standard: Send = { ...requestTo(role), body: [await good()] };
  return transport(endpointOf(role), { ...standard, ...(await bad.send()) });
}

/** A chunked message that ends in silence after its first chunk. */
async function sendStalled(role: Role, transport: Transport): Promise<{ outer: number; inner: number | undefined }> {
  const message = await client.chunked({ url: `${target.url}/never` });
  const answer = await transport(endpointOf(role), {
    path: role.path,
    fields: { ...chunkedType, incremental: '?1' },
    body: [message.header, message.chunks[0]!],
    announce: 'none',
    ending: 'open',
  });
  if (answer?.status !== 200) return { outer: answer?.status ?? 0, inner: undefined };
  return { outer: 200, inner: (await message.open(answer.body)).status };
}

function endpointOf(role: Role): Endpoint {
  return { origin: role.process.url, ca };
}

async function assertStillGood(role: Role, transport: Transport, after: string): Promise<void> {
  const message = await client.whole({ url: `${target.url}/good` });
  const answer = await transport(endpointOf(role), { ...requestTo(role), body: [message.bytes] });
  assert.equal(answer?.status, 200, `a good request after: ${after}`);
  assert.equal(field(answer, 'content-type'), MEDIA_TYPE_RESPONSE);
  const inner = await message.open(answer!.body);
  assert.equal(inner.status, 200);
  assert.equal(Buffer.from(inner.body).toString(), 'GET /good');
}

function assertPlain(answer: Answer | undefined, bad: BadCase): void {
  assert.equal(answer?.status, bad.status, bad.name);
  if (answer === undefined) return;
  assert.equal(answer.body.length, 0, bad.name);
}

// The roles beside one another: each test waits for time limits more than it works.
describe('bad input', { concurrency: ROLES.length }, () => {
  for (const role of ROLES) {
    describe(role.name, () => {
      for (const [transportName, transport] of TRANSPORTS) {
        describe(`${role.name} over ${transportName}`, () => {
          const each = async (cases: readonly BadCase[], check: (answer: Answer | undefined, bad: BadCase) => void) => {
            for (const bad of cases) {
              check(await send(role, transport, bad), bad);
              await assertStillGood(role, transport, bad.name);
            }
          };

          test('sizes: documented status without content', () => each(SIZES, assertPlain));

          test('method, path and media type', () =>
            each(ENVELOPE, (answer, bad) => {
              assertPlain(answer, bad);
              if (bad.status === 405) assert.match(field(answer, 'allow') ?? '', /\bPOST\b/);
              if (bad.status === 415 && role.name === 'gateway')
                assert.equal(field(answer, 'accept'), `${MEDIA_TYPE_REQUEST}, ${MEDIA_TYPE_CHUNKED_REQUEST}`);
            }));

          test('a key that is not there: one problem document for every reason', async () => {
            const seen = new Set<string>();
            await each(role.name === 'gateway' ? [...UNKNOWN_KEY, ...HEADER_BITS] : UNKNOWN_KEY, (answer, bad) => {
              assert.equal(answer?.status, KEY_PROBLEM, bad.name);
              seen.add(fingerprint(answer));
              assert.equal(field(answer, 'content-type'), PROBLEM_MEDIA_TYPE);
              assert.equal(decodeProblem(answer!.body)?.type, PROBLEM_OHTTP_KEY);
            });
            assert.equal(seen.size, 1, [...seen].join('\n'));
          });

          test('a message that does not open: byte-identical for every reason', async () => {
            const seen = new Map<string, string>();
            await each(UNOPENABLE, (answer, bad) => {
              assertPlain(answer, bad);
              seen.set(fingerprint(answer), bad.name);
            });
            assert.equal(seen.size, 1, [...seen].map(([print, name]) => `${name}: ${print}`).join('\n'));
          });

          test('chunked messages that go wrong after their first chunk are answered inside', async () => {
            const url = `${target.url}/never`;
            const arrange: readonly (readonly [string, (chunks: readonly Uint8Array[]) => readonly Uint8Array[]])[] = [
              ['final chunk missing', (chunks) => chunks.slice(0, -1)],
              ['final chunk alone missing its bytes', (chunks) => [...chunks.slice(0, -1), Uint8Array.of(0)]],
              ['reordered', ([a, b, c, ...rest]) => [a!, c!, b!, ...rest]],
              ['a chunk twice', ([a, b, ...rest]) => [a!, b!, b!, ...rest]],
              ['a chunk left out', ([a, , ...rest]) => [a!, ...rest]],
              ['an empty chunk', ([a, ...rest]) => [a!, Uint8Array.of(0x10), ...rest]],
              ['2^40 bytes announced', ([a]) => [a!, HUGE_LENGTH, randomBytes(1000)]],
              ['something after the final chunk', (chunks) => [...chunks, randomBytes(30)]],
            ];
            for (const [name, change] of arrange) {
              const message = await client.chunked({ url });
              const answer = await transport(endpointOf(role), {
                path: role.path,
                fields: chunkedType,
                body: [message.header, ...change(message.chunks)],
              });
              assert.equal(answer?.status, 200, name);
              assert.equal(field(answer, 'content-type'), MEDIA_TYPE_CHUNKED_RESPONSE, name);
              assert.equal((await message.open(answer!.body)).status, 400, name);
              await assertStillGood(role, transport, name);
            }
            assert.equal(target.count('/never'), 0);
          });

          test('the same message from many connections at once reaches the target once', async () => {
            const path = `/once-${role.name}-${transportName.at(-1)}`;
            const message = await client.whole({ url: `${target.url}${path}` });
            const answers = await Promise.all(
              Array.from({ length: 12 }, () =>
                transport(endpointOf(role), { ...requestTo(role), body: [message.bytes.slice()] }),
              ),
            );
            assert.equal(target.count(path), 1);
            const statuses = answers.map((answer) => answer?.status);
            assert.ok(
              statuses.every((status) => status === 200 || status === DOES_NOT_OPEN),
              String(statuses),
            );
            await assertStillGood(role, transport, 'copies');
          });

          test('hundreds of oversized messages leave memory where it was', async () => {
            const streamed = Array.from({ length: 24 }, () => new Uint8Array(16_384));
            const flood = async (count: number): Promise<void> => {
              const worker = async (share: number): Promise<void> => {
                for (let left = share; left > 0; left--) {
                  const streams = left % 2 === 0;
                  const answer = await transport(endpointOf(role), {
                    ...requestTo(role),
                    body: streams ? streamed : [],
                    announce: streams ? 'none' : 2 ** 40,
                    ending: streams ? 'complete' : 'open',
                  });
                  // Also to a peer that writes on while it is being refused.
                  assert.equal(answer?.status, 413);
                }
              };
              await Promise.all(Array.from({ length: 6 }, () => worker(count / 6)));
            };
            await flood(FLOOD / 5);
            const before = await residentBytes(role.process.pid);
            await flood(FLOOD);
            const grown = (await residentBytes(role.process.pid)) - before;
            assert.ok(grown < 64 * 2 ** 20, `grew by ${grown} bytes`);
            await assertStillGood(role, transport, 'a flood');
          });
        });
      }

      describe(`${role.name}: what is no HTTP/1.1`, () => {
        const endpoint = endpointOf(role);
        const head = `POST ${role.path} HTTP/1.1\r\nhost: x\r\ncontent-type: ${MEDIA_TYPE_REQUEST}\r\n`;
        const MALFORMED: readonly (readonly [string, string, number])[] = [
          ['no HTTP at all', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n', 400],
          ['a method with a control character', `PO\x01ST / HTTP/1.1\r\nhost: x\r\n\r\n`, 400],
          ['an unknown version', 'GET / HTTP/9.9\r\nhost: x\r\n\r\n', 400],
          ['no Host', `POST ${role.path} HTTP/1.1\r\ncontent-length: 0\r\n\r\n`, 400],
          ['a field without a name', `${head}: value\r\n\r\n`, 400],
          ['a field name with a space', `${head}content-length : 1\r\n\r\nx`, 400],
          ['two lengths', `${head}content-length: 1\r\ncontent-length: 2\r\n\r\nxx`, 400],
          [
            'a length and a transfer coding',
            `${head}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
            400,
          ],
          ['a length with a sign', `${head}content-length: +1\r\n\r\nx`, 400],
          ['a bare line feed', `${head.replaceAll('\r\n', '\n')}\n\n`, 400],
          ['a header that is too large', `${head}x-long: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
          ['too many fields', `${head}content-length: 0\r\n${'x: y\r\n'.repeat(200)}\r\n`, 431],
        ];

        test('gets its status, and the connection ends', async () => {
          for (const [name, text, status] of MALFORMED) {
            const answer = await rawText(endpoint, text);
            assert.equal(answer?.status, status, name);
            assert.equal(answer?.body.length, 0, name);
            await assertStillGood(role, http1, name);
          }
        });

        test('a chunk size that is no number breaks the message off', async () => {
          const answer = await rawText(endpoint, `${head}transfer-encoding: chunked\r\n\r\nzz\r\n`);
          assert.ok(answer === undefined || answer.status === 400, String(answer?.status));
          await assertStillGood(role, http1, 'a bad chunk size');
        });
      });

      describe(`${role.name}: HTTP/2 beyond its limits`, () => {
        test('a header that is too large is refused, and others go on', async () => {
          const fields = { ...requestTo(role).fields, 'x-long': 'a'.repeat(20_000) };
          const answer = await http2(endpointOf(role), { path: role.path, fields, body: [await good()] }).catch(
            () => undefined,
          );
          assert.ok(answer === undefined || answer.status === 431, String(answer?.status));
          await assertStillGood(role, http2, 'a header that is too large');
        });

        test('a message longer than it announced is refused', async () => {
          const answer = await http2(endpointOf(role), { ...requestTo(role), body: [await good()], announce: 5 });
          assert.ok(answer === undefined || answer.status >= 400, String(answer?.status));
          await assertStillGood(role, http2, 'a wrong length');
        });
      });
    });
  }
});

describe('slow input', { concurrency: true }, async () => {
  for (const role of rolesOf(await startPair(IMPATIENT))) {
    for (const [transportName, transport] of TRANSPORTS) {
      test(`${role.name} over ${transportName}: 408, inside where a first chunk has been opened`, async () => {
        const [answers, stalled] = await Promise.all([
          Promise.all(SLOW.map((bad) => send(role, transport, bad))),
          sendStalled(role, transport),
        ]);
        for (const [at, bad] of SLOW.entries()) assert.equal(answers[at]?.status, bad.status, bad.name);
        // Relay and gateway have the same time limit; an answer of the relay is in clear.
        if (role.name === 'gateway' || stalled.outer === 200) assert.equal(stalled.inner, 408);
        else assert.equal(stalled.outer, 408);
        assert.equal(target.count('/never'), 0);
        await assertStillGood(role, transport, 'slow bodies');
      });
    }

    test(`${role.name}: a header that never ends is given up`, async () => {
      const socket = await openSocket(endpointOf(role));
      const answer = readAnswer(socket);
      let ended = false;
      answer.then(
        () => (ended = true),
        () => undefined,
      );
      socket.write(`POST ${role.path} HTTP/1.1\r\nhost: x\r\n`);
      for (let i = 0; i < 1000 && !ended; i++) {
        socket.write(`x-${i}: y\r\n`);
        await pause(50);
      }
      assert.ok(ended);
      // A peer that writes on may lose the answer with the connection.
      assert.equal((await answer)?.status ?? 408, 408);
      socket.destroy();
      await assertStillGood(role, http1, 'a header that never ends');
    });

    test(`${role.name}: a silent connection is closed`, async () => {
      const socket = await openSocket(endpointOf(role));
      const answer = readAnswer(socket);
      assert.equal((await answer)?.status ?? 408, 408);
      await until(() => socket.destroyed || socket.readableEnded, 'the connection to be closed');
      socket.destroy();
    });
  }
});

test('an encapsulated message that is no request is answered inside', async () => {
  const request = encodeInner({ url: `${target.url}/never` });
  const contents: readonly (readonly [string, Uint8Array])[] = [
    ['nothing', new Uint8Array(0)],
    ['random bytes', randomBytes(200)],
    ['a response', encodeResponse({ informational: [], status: 200, fields: [], body: request, trailers: [] })],
    ['a request cut in its head', request.subarray(0, 12)],
    ['padding that is not zero', concatBytes(request, Uint8Array.of(0, 0, 1))],
    ['TRACE', encodeInner({ url: `${target.url}/never`, method: 'TRACE' })],
  ];
  for (const role of ROLES) {
    for (const [name, content] of contents) {
      const message = await client.wrap(content);
      const answer = await http1(endpointOf(role), { ...requestTo(role), body: [message.bytes] });
      assert.equal(answer?.status, 200, name);
      const inner = await message.open(answer!.body);
      assert.ok(inner.status >= 400 && inner.status < 500, `${name}: ${inner.status}`);
      await assertStillGood(role, http1, name);
    }
  }
  assert.equal(target.count('/never'), 0);
});

test('nothing is left: no fault was counted, every connection is closed, and both processes stop at once', async () => {
  assert.equal(await gateway.metric('gateway_requests_total', { outcome: 'fault' }), 0);
  assert.equal(await relay.metric('relay_requests_total', { outcome: 'failed' }), 0);
  for (const { name, process: role } of [...ROLES].reverse()) {
    assert.equal(role.exit, undefined, name);
    assert.deepEqual(role.events('request_failed'), [], name);
    // The admin connection, and those between the roles, which are kept alive.
    await until(
      async () => (await openFiles(role.pid)) <= filesBefore[name] + 12,
      `connections of the ${name} to close`,
    );
    assert.deepEqual(await role.stop(), { exitCode: 0, signal: null }, name);
    assert.equal(role.events('drained').length, 1, `${name}: ${role.log.at(-1)}`);
  }
});
