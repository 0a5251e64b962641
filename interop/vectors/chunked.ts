/** ohttp-chunked-valid.json and ohttp-chunked-invalid.json. Chunked OHTTP §6. */

import { gcm } from '@noble/ciphers/aes.js';
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { runVectorJobs } from '../toolchain.ts';
import { agree, concat, hex, prefixed, random, unhex, utf8, varint } from './bytes.ts';
import { keyConfig, newRecipient, newSender, type Recipient, type Sender } from './hpke.ts';
import { sequenceNonce } from './key-schedule.ts';
import {
  BHTTP,
  entropy,
  fieldLines,
  header,
  type Labels,
  type PeerPrograms,
  requestInfo,
  responseKeys,
  rustHas,
  simpleRequest,
} from './messages.ts';
import { NT, openRaw, P256, P384, type SuiteIds, sealRaw, X_WING, X25519 } from './suites.ts';

const CHUNKED: Labels = { request: 'message/bhttp chunked request', response: 'message/bhttp chunked response' };
const EMPTY = new Uint8Array(0);
const FINAL = utf8('final');
const ZERO = Uint8Array.of(0);

/** One sealed chunk: `lead` is the length in front of it, or the zero that announces the final chunk. */
interface SealedChunk {
  readonly lead: Uint8Array;
  readonly body: Uint8Array;
}

type SealChunk = (plain: Uint8Array, aad: Uint8Array) => Promise<Uint8Array> | Uint8Array;

async function sealAll(chunks: readonly Uint8Array[], seal: SealChunk, width?: 2 | 4 | 8): Promise<SealedChunk[]> {
  const out: SealedChunk[] = [];
  for (const [i, chunk] of chunks.entries()) {
    const last = i === chunks.length - 1;
    const body = await seal(chunk, last ? FINAL : EMPTY);
    out.push({ lead: last ? varint(0, width) : varint(body.length, width), body });
  }
  return out;
}

function join(chunks: readonly SealedChunk[]): Uint8Array<ArrayBuffer> {
  return concat(...chunks.flatMap(({ lead, body }) => [lead, body]));
}

interface Plan {
  readonly name: string;
  readonly keyId: number;
  readonly ids: SuiteIds;
  readonly request: readonly Uint8Array[];
  readonly response: readonly Uint8Array[];
  /** Write every chunk length with this many bytes: legal, and not what an encoder of ours produces. */
  readonly width?: 2 | 4 | 8;
}

function indeterminateRequest(path: string): Uint8Array {
  return concat(Uint8Array.of(2), ...['POST', 'https', 'stream.example', path].map(prefixed), ZERO);
}

function indeterminateResponse(): Uint8Array {
  return concat(Uint8Array.of(3), varint(200), fieldLines([['content-type', 'text/event-stream']]), ZERO);
}

function cut(bytes: Uint8Array, ...at: readonly number[]): Uint8Array[] {
  const ends = [...at, bytes.length];
  return ends.map((end, i) => bytes.slice(i === 0 ? 0 : ends[i - 1], end));
}

function filled(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * seed + (i >> 8)) & 0xff);
}

function plans(): Plan[] {
  const aes = { kem: X25519, kdf: 1, aead: 1 };
  const chacha = { kem: X25519, kdf: 1, aead: 3 };
  const get = simpleRequest('stream.example', '/a');
  const ok = Uint8Array.from([1, 0x40, 0xc8, 0, 2, 0x6f, 0x6b, 0]);
  const events = Array.from({ length: 262 }, (_, i) => prefixed(utf8(`data: ${i}\n\n`)));
  const uploads = Array.from({ length: 40 }, (_, i) => prefixed(utf8(`part ${i}`)));
  return [
    { name: 'one-final-chunk-each-way', keyId: 1, ids: aes, request: [get], response: [ok] },
    {
      name: 'three-chunks-empty-final',
      keyId: 2,
      ids: aes,
      request: [...cut(get, 3, 20), EMPTY],
      response: [...cut(ok, 1, 3), EMPTY],
    },
    { name: 'three-chunks-final-with-content', keyId: 3, ids: aes, request: cut(get, 5, 6), response: cut(ok, 2, 7) },
    {
      name: 'every-byte-its-own-chunk',
      keyId: 4,
      ids: aes,
      request: [...get].map((byte) => Uint8Array.of(byte)),
      response: cut(ok, 1, 2, 3, 4, 5, 6, 7),
    },
    {
      name: 'chacha-four-chunks',
      keyId: 5,
      ids: chacha,
      request: [...cut(get, 4, 9), EMPTY],
      response: [...cut(ok, 2, 4, 6), EMPTY],
    },
    { name: 'empty-plaintext-each-way', keyId: 6, ids: aes, request: [EMPTY], response: [EMPTY] },
    {
      name: 'request-chunk-of-16384-bytes',
      keyId: 7,
      ids: aes,
      request: [filled(16384, 7), filled(5, 3), EMPTY],
      response: [ok, EMPTY],
    },
    {
      name: 'response-chunk-of-16384-bytes',
      keyId: 8,
      ids: chacha,
      request: [get],
      response: [filled(16384, 11), EMPTY],
    },
    {
      name: 'final-chunk-of-300-bytes',
      keyId: 9,
      ids: aes,
      request: [get, filled(300, 5)],
      response: [ok, filled(300, 13)],
    },
    {
      name: 'event-stream-both-ways',
      keyId: 10,
      ids: aes,
      request: [indeterminateRequest('/events'), ...uploads, Uint8Array.of(0, 0), EMPTY],
      response: [indeterminateResponse(), ...events, Uint8Array.of(0, 0), EMPTY],
    },
    {
      name: 'p256-two-chunks',
      keyId: 11,
      ids: { kem: P256, kdf: 1, aead: 1 },
      request: [...cut(get, 8), EMPTY],
      response: [ok, EMPTY],
    },
    {
      name: 'p384-sha512-aes256',
      keyId: 12,
      ids: { kem: P384, kdf: 3, aead: 2 },
      request: cut(get, 8),
      response: cut(ok, 3),
    },
    {
      name: 'chunk-lengths-of-eight-bytes',
      keyId: 13,
      ids: aes,
      request: [...cut(get, 8), EMPTY],
      response: cut(ok, 3),
      width: 8,
    },
    {
      name: 'xwing-two-chunks',
      keyId: 14,
      ids: { kem: X_WING, kdf: 1, aead: 1 },
      request: [...cut(get, 8), EMPTY],
      response: [ok, EMPTY],
    },
  ];
}

interface Opened {
  readonly plan: Plan;
  readonly to: Recipient;
  readonly sender: Sender;
  readonly config: Uint8Array;
  readonly message: Uint8Array;
  readonly secret: Uint8Array;
}

async function sealRequest(plan: Plan): Promise<Opened> {
  const to = await newRecipient(plan.ids);
  const info = requestInfo(CHUNKED.request, plan.keyId, plan.ids);
  const sender = await newSender(to, info);
  const chunks = await sealAll(plan.request, (plain, aad) => sender.seal(plain, aad), plan.width);
  const message = concat(header(plan.keyId, plan.ids), sender.enc, join(chunks));
  const recipient = await to.suite.SetupRecipient(to.pair, sender.enc, { info });
  for (const [i, { body }] of chunks.entries()) {
    const aad = i === chunks.length - 1 ? FINAL : EMPTY;
    agree(`chunk ${i} of ${plan.name}`, plan.request[i]!, await recipient.Open(body, aad));
  }
  const secret = await sender.export(utf8(CHUNKED.response), entropy(plan.ids));
  agree('exported secret', secret, await recipient.Export(utf8(CHUNKED.response), entropy(plan.ids)));
  return { plan, to, sender, config: keyConfig(plan.keyId, to, [[plan.ids.kdf, plan.ids.aead]]), message, secret };
}

/** Seals a response with node:crypto and reads it back with noble's ciphers. */
async function sealResponse({ plan, sender, secret }: Opened): Promise<Uint8Array> {
  const nonce = random(entropy(plan.ids));
  const { key, aeadNonce } = responseKeys(plan.ids, sender.enc, nonce, secret);
  let seq = 0;
  const chunks = await sealAll(
    plan.response,
    (plain, aad) => sealRaw(plan.ids.aead, key, sequenceNonce(aeadNonce, seq++), plain, aad),
    plan.width,
  );
  for (const [i, { body }] of chunks.entries()) {
    const cipher = plan.ids.aead === 3 ? chacha20poly1305 : gcm;
    const aad = i === chunks.length - 1 ? FINAL : EMPTY;
    agree(`response chunk ${i}`, plan.response[i]!, cipher(key, sequenceNonce(aeadNonce, i), aad).decrypt(body));
  }
  return concat(nonce, join(chunks));
}

function rustJob({ plan, to, message }: Opened, bytes = message): Record<string, unknown> {
  return {
    op: 'gateway-chunked',
    ikmR: hex(to.ikm),
    key_id: plan.keyId,
    kem_id: plan.ids.kem,
    kdf_id: plan.ids.kdf,
    aead_id: plan.ids.aead,
    message: hex(bytes),
    response_chunks: plan.response.slice(0, -1).map(hex),
  };
}

/**
 * Streams a receiver must accept. Requests are sealed by @hpke/core (noble for the hybrid KEM) and opened by
 * panva's hpke and, where it has the suite, by the Rust crate; responses come from the Rust crate where it has the
 * suite and the layout, which always ends in an empty final chunk, and from node:crypto otherwise.
 */
export async function chunkedValid(peers: PeerPrograms, sources: Record<'rust' | 'js', string>): Promise<unknown[]> {
  const opened = await Promise.all(plans().map(sealRequest));
  const rustable = opened.filter(({ plan }) => rustHas(plan.ids));
  const { results } = runVectorJobs<{ request: string; encapsulated_response: string }>(
    peers.rust,
    rustable.map((one) => rustJob(one)),
  );
  const cases: unknown[] = [];
  for (const one of opened) {
    const { plan } = one;
    const result = results[rustable.indexOf(one)];
    if (result !== undefined) {
      if (result.error !== undefined) throw new Error(`Rust refused ${plan.name}: ${result.error}`);
      agree(`Rust on ${plan.name}`, result.request, hex(concat(...plan.request)));
    }
    const byRust = result !== undefined && plan.response.at(-1)!.length === 0 && plan.width === undefined;
    const sealed = byRust ? unhex(result.encapsulated_response) : await sealResponse(one);
    cases.push(explain(one, sealed, byRust ? sources.rust : sources.js));
  }
  return cases;
}

function explain(one: Opened, sealed: Uint8Array, source: string): Record<string, unknown> {
  const { plan, sender, to } = one;
  const nonce = sealed.subarray(0, entropy(plan.ids));
  const { prk, key, aeadNonce } = responseKeys(plan.ids, sender.enc, nonce, one.secret);
  checkResponse(plan, key, aeadNonce, sealed.subarray(nonce.length));
  return {
    name: plan.name,
    source,
    ...(plan.width === undefined ? {} : { decapsulate_only: true }),
    key_id: plan.keyId,
    kem_id: plan.ids.kem,
    kdf_id: plan.ids.kdf,
    aead_id: plan.ids.aead,
    skRm: hex(to.secretKey),
    skEm: hex(sender.ephemeral!.secretKey),
    key_config: hex(one.config),
    info: hex(requestInfo(CHUNKED.request, plan.keyId, plan.ids)),
    request_chunks: plan.request.map(hex),
    encapsulated_request: hex(one.message),
    export_secret: hex(one.secret),
    response_nonce: hex(nonce),
    prk: hex(prk),
    aead_key: hex(key),
    aead_nonce: hex(aeadNonce),
    chunk_nonces: plan.response.slice(0, 8).map((_, i) => hex(sequenceNonce(aeadNonce, i))),
    response_chunks: plan.response.map(hex),
    encapsulated_response: hex(sealed),
  };
}

function checkResponse(plan: Plan, key: Uint8Array, aeadNonce: Uint8Array, body: Uint8Array): void {
  let at = 0;
  for (const [i, expected] of plan.response.entries()) {
    const last = i === plan.response.length - 1;
    const lead = last ? varint(0, plan.width) : varint(expected.length + NT, plan.width);
    agree(`chunk length ${i} of ${plan.name}`, lead, body.slice(at, at + lead.length));
    at += lead.length;
    const sealed = body.slice(at, last ? undefined : at + expected.length + NT);
    const nonce = sequenceNonce(aeadNonce, i);
    agree(
      `response chunk ${i} of ${plan.name}`,
      expected,
      openRaw(plan.ids.aead, key, nonce, sealed, last ? FINAL : EMPTY),
    );
    at += sealed.length;
  }
}

/** How one bad stream differs from its good one. */
interface Damage {
  readonly name: string;
  readonly why: string;
  readonly bytes: Uint8Array;
}

/** A stream of three chunks taken apart: what precedes the chunks, and the chunks. */
interface Parts {
  readonly head: Uint8Array;
  readonly good: readonly SealedChunk[];
}

function damages({ head, good }: Parts): Damage[] {
  const [a, b, end] = good as readonly [SealedChunk, SealedChunk, SealedChunk];
  const stream = (...chunks: readonly SealedChunk[]): Uint8Array => concat(head, join(chunks));
  const flip = (chunk: SealedChunk, at: number): SealedChunk => {
    const body = Uint8Array.from(chunk.body);
    body[at < 0 ? body.length + at : at]! ^= 1;
    return { lead: chunk.lead, body };
  };
  const whole = stream(a, b, end);
  return [
    { name: 'no-chunks', bytes: head, why: 'nothing follows the fixed part: not even a final chunk' },
    { name: 'missing-final-chunk', bytes: stream(a, b), why: 'cut between chunks: must not pass as complete' },
    { name: 'final-marker-without-chunk', bytes: concat(stream(a, b), ZERO), why: 'the final chunk has no tag' },
    { name: 'final-chunk-cut-by-one-byte', bytes: whole.slice(0, -1), why: 'the last tag is cut' },
    { name: 'first-chunk-dropped', bytes: stream(b, end), why: 'sequence numbers no longer match' },
    { name: 'middle-chunk-dropped', bytes: stream(a, end), why: 'sequence numbers no longer match' },
    { name: 'chunks-swapped', bytes: stream(b, a, end), why: 'sequence numbers no longer match' },
    { name: 'chunk-duplicated', bytes: stream(a, a, b, end), why: 'sequence numbers no longer match' },
    { name: 'bit-flip-in-first-chunk', bytes: stream(flip(a, 0), b, end), why: 'the tag does not match' },
    { name: 'bit-flip-in-final-tag', bytes: stream(a, b, flip(end, -1)), why: 'the tag does not match' },
    {
      name: 'byte-after-the-final-chunk',
      bytes: concat(whole, Uint8Array.of(0x2a)),
      why: 'the final chunk runs to the end of the body, so the byte becomes part of it',
    },
    { name: 'two-final-chunks', bytes: stream(a, b, end, end), why: 'all after the first marker is one final chunk' },
    {
      name: 'chunk-shorter-than-a-tag',
      bytes: concat(head, varint(NT - 1), a.body.slice(0, NT - 1), join([end])),
      why: 'no plaintext can be that short',
    },
    {
      name: 'chunk-length-beyond-the-body',
      bytes: concat(head, varint(a.body.length + 5000), a.body),
      why: 'the stream ends inside the chunk',
    },
    {
      name: 'chunk-length-2-62-minus-1',
      bytes: concat(head, varint((1n << 62n) - 1n, 8), a.body),
      why: 'must be refused without allocating that much',
    },
    {
      name: 'chunk-length-varint-cut',
      bytes: concat(stream(a), Uint8Array.of(0x80, 0x00)),
      why: 'the stream ends inside a length',
    },
    {
      name: 'chunk-length-one-too-long',
      bytes: concat(head, varint(a.body.length + 1), a.body, join([b, end])),
      why: 'the chunk takes a byte of the next length',
    },
    { name: 'fixed-part-cut', bytes: head.slice(0, -1), why: 'the stream ends before the chunks' },
    {
      name: 'bit-flip-in-fixed-part',
      bytes: concat(flip({ lead: EMPTY, body: head }, -1).body, join(good)),
      why: 'another key is derived',
    },
    { name: 'empty-body', bytes: EMPTY, why: 'no message' },
  ];
}

/** Streams a receiver must refuse; each comes with the good stream of the same keys. */
export async function chunkedInvalid(
  peers: PeerPrograms,
  source: string,
  note: (line: string) => void,
): Promise<unknown[]> {
  const ids = { kem: X25519, kdf: 1, aead: 1 };
  const get = simpleRequest('stream.example', '/refuse');
  const plan: Plan = {
    name: 'good',
    keyId: 6,
    ids,
    request: cut(get, 4, 11),
    response: cut(utf8('an answer in three parts'), 4, 11),
  };
  const cases: Record<string, unknown>[] = [];

  const one = await sealRequest(plan);
  const info = requestInfo(CHUNKED.request, plan.keyId, ids);
  const base = {
    source,
    skRm: hex(one.to.secretKey),
    skEm: hex(one.sender.ephemeral!.secretKey),
    key_config: hex(one.config),
    encapsulated_request: hex(one.message),
  };
  const add = (
    direction: 'request' | 'response',
    { name, why, bytes }: Damage,
    own: Record<string, string> = {},
  ): void => {
    cases.push({ name: `${direction}-${name}`, direction, ...base, ...own, message: hex(bytes), expect: 'error', why });
  };

  const requestHead = one.message.slice(0, 7 + one.sender.enc.length);
  const good = split(one.message.slice(requestHead.length), plan.request);
  const requestParts: Parts = {
    head: requestHead,
    good,
  };
  for (const damage of damages(requestParts)) add('request', damage);
  for (const layout of LAYOUTS) {
    const sender = await newSender(one.to, info);
    const bytes = concat(
      header(plan.keyId, ids),
      sender.enc,
      join(await sealLayout(layout.chunks, (plain, aad) => sender.seal(plain, aad))),
    );
    add('request', { ...layout, bytes }, { skEm: hex(sender.ephemeral!.secretKey), encapsulated_request: hex(bytes) });
  }
  for (const { name, at, why } of [
    { name: 'unknown-key-id', at: 0, why: 'the gateway has no such key' },
    { name: 'other-kem', at: 2, why: 'the KEM is not the one of that key' },
    { name: 'other-kdf', at: 4, why: 'the pair was not offered, and the info string differs' },
    { name: 'other-aead', at: 6, why: 'the pair was not offered, and the info string differs' },
  ]) {
    const bytes = Uint8Array.from(one.message);
    bytes[at]! ^= 3;
    add('request', { name, why, bytes });
  }
  add('request', {
    name: 'sealed-as-an-unchunked-message',
    why: 'the labels of the two media types keep them apart',
    bytes: await unchunked(one.to, plan),
  });

  const nonce = random(entropy(ids));
  const { key, aeadNonce } = responseKeys(ids, one.sender.enc, nonce, one.secret);
  const sealer = (): SealChunk => {
    let seq = 0;
    return (plain, aad) => sealRaw(ids.aead, key, sequenceNonce(aeadNonce, seq++), plain, aad);
  };
  const answer = await sealAll(plan.response, sealer());
  for (const damage of damages({ head: nonce, good: answer })) add('response', damage);
  for (const layout of LAYOUTS) {
    add('response', { ...layout, bytes: concat(nonce, join(await sealLayout(layout.chunks, sealer()))) });
  }
  const secret = await one.sender.export(utf8(BHTTP.response), entropy(ids));
  const other = responseKeys(ids, one.sender.enc, nonce, secret);
  const sealed = sealRaw(ids.aead, other.key, other.aeadNonce, utf8('an answer'), FINAL);
  add('response', {
    name: 'exported-with-the-unchunked-label',
    why: 'the labels of the two media types keep them apart',
    bytes: concat(nonce, ZERO, sealed),
  });

  compareWithRust(peers, cases, one, note);
  return cases;
}

function split(body: Uint8Array, plain: readonly Uint8Array[]): SealedChunk[] {
  let at = 0;
  return plain.map((chunk, i) => {
    const lead = i === plain.length - 1 ? ZERO : varint(chunk.length + NT);
    const sealed = body.slice(at + lead.length, at + lead.length + chunk.length + NT);
    at += lead.length + sealed.length;
    return { lead, body: sealed };
  });
}

/** Chunks that authenticate one by one but break a rule of the layout. */
const LAYOUTS: readonly { name: string; why: string; chunks: readonly (readonly [Uint8Array, Uint8Array])[] }[] = [
  {
    name: 'empty-chunk-before-the-final',
    why: 'a non-final chunk without plaintext is treated as a decryption error although it authenticates',
    chunks: [
      [utf8('first'), EMPTY],
      [EMPTY, EMPTY],
      [utf8('second'), FINAL],
    ],
  },
  {
    name: 'final-aad-on-a-non-final-chunk',
    why: 'only the final chunk is sealed with the final AAD',
    chunks: [
      [utf8('first'), FINAL],
      [utf8('second'), FINAL],
    ],
  },
  {
    name: 'final-chunk-without-final-aad',
    why: 'a stream cut after any chunk must not look complete',
    chunks: [
      [utf8('first'), EMPTY],
      [utf8('second'), EMPTY],
    ],
  },
  {
    name: 'unknown-aad',
    why: 'a non-final chunk has an empty AAD',
    chunks: [
      [utf8('first'), utf8('fina')],
      [utf8('second'), FINAL],
    ],
  },
];

async function sealLayout(chunks: (typeof LAYOUTS)[number]['chunks'], seal: SealChunk): Promise<SealedChunk[]> {
  const out: SealedChunk[] = [];
  for (const [i, [plain, aad]] of chunks.entries()) {
    const body = await seal(plain, aad);
    out.push({ lead: i === chunks.length - 1 ? ZERO : varint(body.length), body });
  }
  return out;
}

async function unchunked(to: Recipient, plan: Plan): Promise<Uint8Array> {
  const sender = await newSender(to, requestInfo(BHTTP.request, plan.keyId, plan.ids));
  return concat(header(plan.keyId, plan.ids), sender.enc, ZERO, await sender.seal(utf8('x'), FINAL));
}

/** Notes which of the bad requests the Rust crate lets through: material for the list of peers' divergences. */
function compareWithRust(
  peers: PeerPrograms,
  cases: readonly Record<string, unknown>[],
  one: Opened,
  note: (line: string) => void,
): void {
  const requests = cases.filter((entry) => entry['direction'] === 'request');
  const jobs = requests.map((entry) => rustJob(one, unhex(String(entry['message']))));
  const { results } = runVectorJobs<{ request: string }>(peers.rust, jobs);
  for (const [i, result] of results.entries()) {
    if (result.error === undefined) note(`Rust accepts ${String(requests[i]!['name'])}`);
  }
}
