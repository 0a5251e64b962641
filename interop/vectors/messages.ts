/** ohttp-messages.json and the files of exchanges made by a peer alone. RFC 9458 §4. */

import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js';
import { runVectorJobs } from '../toolchain.ts';
import { agree, concat, hex, latin1, prefixed, random, uint16, unhex, utf8, varint } from './bytes.ts';
import { keyConfig, keyList, newRecipient, newSender, type Recipient, type Sender } from './hpke.ts';
import { expand, extract } from './key-schedule.ts';
import {
  AEADS,
  KDFS,
  NN,
  openRaw,
  P256,
  P384,
  P521,
  panvaSuite,
  type SuiteIds,
  sealRaw,
  X_WING,
  X25519,
} from './suites.ts';

/** The labels of one media type pair. */
export interface Labels {
  readonly request: string;
  readonly response: string;
}

export const BHTTP: Labels = { request: 'message/bhttp request', response: 'message/bhttp response' };

/** Both programs and the versions they report. */
export interface PeerPrograms {
  readonly go: string;
  readonly rust: string;
}

/** The seven bytes that open an encapsulated request. */
export function header(keyId: number, ids: SuiteIds): Uint8Array<ArrayBuffer> {
  return concat(Uint8Array.of(keyId), uint16(ids.kem), uint16(ids.kdf), uint16(ids.aead));
}

/** The HPKE info of a request. */
export function requestInfo(label: string, keyId: number, ids: SuiteIds): Uint8Array<ArrayBuffer> {
  return concat(utf8(label), Uint8Array.of(0), header(keyId, ids));
}

/** What a response is sealed with (RFC 9458 §4.4). */
export interface ResponseKeys {
  readonly prk: Uint8Array;
  readonly key: Uint8Array;
  readonly aeadNonce: Uint8Array;
}

/** The values between the exported secret and the response cipher, from two HKDF implementations. */
export function responseKeys(ids: SuiteIds, enc: Uint8Array, nonce: Uint8Array, secret: Uint8Array): ResponseKeys {
  const { hash } = KDFS.get(ids.kdf)!;
  const nobleHash = { sha256, sha384, sha512 }[hash];
  const salt = concat(enc, nonce);
  const nk = AEADS.get(ids.aead)!.nk;
  const prk = extract(hash, salt, secret);
  const key = expand(hash, prk, utf8('key'), nk);
  const aeadNonce = expand(hash, prk, utf8('nonce'), NN);
  agree('response key', key, hkdf(nobleHash, secret, salt, utf8('key'), nk));
  agree('response nonce', aeadNonce, hkdf(nobleHash, secret, salt, utf8('nonce'), NN));
  return { prk, key, aeadNonce };
}

/** max(Nn, Nk): the length of the exported secret and of the response nonce. */
export function entropy(ids: SuiteIds): number {
  return Math.max(NN, AEADS.get(ids.aead)!.nk);
}

/** What one message case is made of. */
interface Plan {
  readonly name: string;
  readonly keyId: number;
  readonly ids: SuiteIds;
  readonly request: Uint8Array;
  readonly response: Uint8Array;
  readonly suites?: readonly (readonly [number, number])[];
  readonly labels?: Labels;
}

const NO_AAD = new Uint8Array(0);

/** A GET with every length written out. */
export function simpleRequest(
  authority: string,
  path: string,
  fields: readonly (readonly [string, string])[] = [],
): Uint8Array<ArrayBuffer> {
  return request('GET', authority, path, fields, new Uint8Array(0));
}

/** A known-length request (RFC 9292 §3.1). */
function request(
  method: string,
  authority: string,
  path: string,
  fields: readonly (readonly [string, string])[],
  content: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const control = concat(...[method, 'https', authority, path].map(prefixed));
  return concat(Uint8Array.of(0), control, prefixed(fieldLines(fields)), prefixed(content), Uint8Array.of(0));
}

/** A known-length response (RFC 9292 §3.1). */
function response(
  status: number,
  fields: readonly (readonly [string, string])[],
  content: Uint8Array,
): Uint8Array<ArrayBuffer> {
  return concat(Uint8Array.of(1), varint(status), prefixed(fieldLines(fields)), prefixed(content), Uint8Array.of(0));
}

/** Field lines without the length of their section. */
export function fieldLines(fields: readonly (readonly [string, string])[]): Uint8Array<ArrayBuffer> {
  return concat(...fields.map(([name, value]) => concat(prefixed(name), prefixed(value))));
}

const text = (value: string): Uint8Array<ArrayBuffer> => latin1(value);

function plans(): Plan[] {
  const out: Plan[] = [];
  const add = (name: string, keyId: number, ids: SuiteIds, more: Partial<Plan> = {}): void => {
    const plain = simpleRequest('reports.example', `/v1/${name}`, [['accept', 'text/plain']]);
    out.push({ name, keyId, ids, request: plain, response: response(200, [['x-case', name]], text('seen')), ...more });
  };
  let keyId = 3;
  const sampled: Record<number, readonly (readonly [number, number])[]> = {
    [X25519]: [
      [1, 1],
      [1, 2],
      [1, 3],
      [2, 1],
      [2, 2],
      [2, 3],
      [3, 1],
      [3, 2],
      [3, 3],
    ],
    [P256]: [
      [1, 1],
      [1, 3],
      [2, 2],
      [3, 1],
    ],
    [P384]: [
      [1, 1],
      [2, 2],
      [3, 3],
    ],
    [P521]: [
      [1, 3],
      [2, 1],
      [3, 2],
    ],
    [X_WING]: [
      [1, 1],
      [1, 3],
    ],
  };
  for (const [kem, pairs] of Object.entries(sampled)) {
    for (const [kdf, aead] of pairs) {
      keyId = (keyId + 11) % 256;
      add(`suite-${Number(kem).toString(16).padStart(4, '0')}-${kdf}-${aead}`, keyId, {
        kem: Number(kem),
        kdf,
        aead,
      });
    }
  }
  const usual = { kem: X25519, kdf: 1, aead: 1 };
  add('key-id-zero', 0, usual);
  add('key-id-255', 255, usual);
  add(
    'two-suites-offered-second-used',
    17,
    { ...usual, aead: 3 },
    {
      suites: [
        [1, 1],
        [1, 3],
      ],
    },
  );
  add('request-padded-with-zeros', 18, usual, {
    request: concat(simpleRequest('pad.example', '/'), new Uint8Array(199)),
  });
  add('response-padded-with-zeros', 19, usual, { response: concat(response(204, [], NO_AAD), new Uint8Array(250)) });
  add('query-and-repeated-fields', 20, usual, {
    request: simpleRequest('query.example:8443', '/find?q=a%20b&empty=', [
      ['accept', 'a/b'],
      ['accept', 'c/d'],
    ]),
    response: response(
      404,
      [
        ['set-cookie', 'a=1'],
        ['set-cookie', 'b=2'],
      ],
      NO_AAD,
    ),
  });
  add('content-of-3000-bytes', 21, usual, {
    request: request('PUT', 'upload.example', '/blob', [['content-type', 'application/octet-stream']], random(3000)),
    response: response(201, [], random(1500)),
  });
  add('opaque-one-byte-messages', 22, usual, { request: text('q'), response: text('r') });
  add('other-media-type-labels', 23, usual, {
    request: text('not binary HTTP at all'),
    response: text('and neither is this'),
    labels: { request: 'message/vector request', response: 'message/vector response' },
  });
  return out;
}

/**
 * Exchanges with every intermediate value. @hpke/core (noble for the hybrid KEM) seals the request with a recorded
 * ephemeral key; ohttp-go (Rust for the hybrid KEM) opens it and seals the response; panva's hpke opens both; the Rust crate opens the request where it has the suite.
 */
export async function ohttpMessages(
  peers: PeerPrograms,
  sources: Record<'go' | 'rust' | 'js', string>,
): Promise<unknown[]> {
  const prepared = await Promise.all(plans().map(prepare));
  const whole = prepared.filter((one) => one.labels === BHTTP);
  // ohttp-go makes keys from seeds only, and its seed for the hybrid KEM is expanded in a way of its own.
  const inGo = whole.filter((one) => one.ids.kem !== X_WING);
  const inRust = whole.filter((one) => rustHas(one.ids));
  const go = runVectorJobs<Answer>(
    peers.go,
    inGo.map((one) => ({ ...job(one), seed: hex(one.to.ikm) })),
  ).results;
  const rust = runVectorJobs<Answer>(peers.rust, inRust.map(job)).results;

  return prepared.map((one) => {
    const byGo = go[inGo.indexOf(one)];
    const byRust = rust[inRust.indexOf(one)];
    for (const answer of [byGo, byRust]) {
      if (answer !== undefined) agree(`a peer on ${one.name}`, answer.error ?? answer.request, hex(one.request));
    }
    if (byGo !== undefined) return explain(one, unhex(byGo.encapsulated_response), sources.go);
    if (byRust !== undefined) return explain(one, unhex(byRust.encapsulated_response), sources.rust);
    const nonce = random(entropy(one.ids));
    const { key, aeadNonce } = responseKeys(one.ids, one.sender.enc, nonce, one.secret);
    return explain(one, concat(nonce, sealRaw(one.ids.aead, key, aeadNonce, one.response, NO_AAD)), sources.js);
  });
}

interface Answer {
  readonly request: string;
  readonly encapsulated_response: string;
}

interface Prepared extends Plan {
  readonly labels: Labels;
  readonly to: Recipient;
  readonly sender: Sender;
  readonly config: Uint8Array;
  readonly info: Uint8Array;
  readonly message: Uint8Array;
  readonly secret: Uint8Array;
}

async function prepare(plan: Plan): Promise<Prepared> {
  const labels = plan.labels ?? BHTTP;
  const to = await newRecipient(plan.ids);
  const info = requestInfo(labels.request, plan.keyId, plan.ids);
  const sender = await newSender(to, info);
  const message = concat(header(plan.keyId, plan.ids), sender.enc, await sender.seal(plan.request, NO_AAD));
  const secret = await sender.export(utf8(labels.response), entropy(plan.ids));

  const recipient = await to.suite.SetupRecipient(to.pair, sender.enc, { info });
  agree(`request of ${plan.name}`, plan.request, await recipient.Open(message.subarray(7 + sender.enc.length), NO_AAD));
  agree(`exported secret of ${plan.name}`, secret, await recipient.Export(utf8(labels.response), entropy(plan.ids)));
  const config = keyConfig(plan.keyId, to, plan.suites ?? [[plan.ids.kdf, plan.ids.aead]]);
  return { ...plan, labels, to, sender, config, info, message, secret };
}

function job(one: Prepared): Record<string, unknown> {
  return {
    op: 'gateway',
    ikmR: hex(one.to.ikm),
    key_id: one.keyId,
    kem_id: one.ids.kem,
    kdf_id: one.ids.kdf,
    aead_id: one.ids.aead,
    message: hex(one.message),
    response_bytes: hex(one.response),
  };
}

/** What the Rust crate's pure Rust backend supports. */
export function rustHas(ids: SuiteIds): boolean {
  return [X25519, P256, X_WING].includes(ids.kem) && ids.kdf === 1 && ids.aead !== 2;
}

function explain(one: Prepared, sealed: Uint8Array, source: string): Record<string, unknown> {
  const nonce = sealed.subarray(0, entropy(one.ids));
  const { prk, key, aeadNonce } = responseKeys(one.ids, one.sender.enc, nonce, one.secret);
  agree(
    `response of ${one.name}`,
    one.response,
    openRaw(one.ids.aead, key, aeadNonce, sealed.subarray(nonce.length), NO_AAD),
  );
  return {
    name: one.name,
    source,
    key_id: one.keyId,
    kem_id: one.ids.kem,
    kdf_id: one.ids.kdf,
    aead_id: one.ids.aead,
    request_label: one.labels.request,
    response_label: one.labels.response,
    ikmR: hex(one.to.ikm),
    skRm: hex(one.to.secretKey),
    pkRm: hex(one.to.publicKey),
    skEm: hex(one.sender.ephemeral!.secretKey),
    key_config: hex(one.config),
    ohttp_keys: hex(keyList(one.config)),
    request: hex(one.request),
    info: hex(one.info),
    encapsulated_request: hex(one.message),
    response: hex(one.response),
    export_secret: hex(one.secret),
    response_nonce: hex(nonce),
    prk: hex(prk),
    aead_key: hex(key),
    aead_nonce: hex(aeadNonce),
    encapsulated_response: hex(sealed),
  };
}

/** ohttp-go-peer.json: client and gateway are both ohttp-go; panva's hpke opens what it can check. */
export async function goPeer(program: string, source: string): Promise<unknown[]> {
  const jobs: (Record<string, unknown> & { ids: SuiteIds })[] = [];
  const suites: readonly (readonly [number, number, number])[] = [
    [X25519, 1, 1],
    [X25519, 1, 2],
    [X25519, 1, 3],
    [X25519, 2, 1],
    [X25519, 2, 3],
    [X25519, 3, 2],
    [P256, 1, 1],
    [P256, 1, 3],
    [P256, 2, 2],
    [P384, 1, 3],
    [P384, 2, 2],
    [P384, 3, 1],
    [P521, 1, 1],
    [P521, 3, 2],
    [P521, 3, 3],
    [X_WING, 1, 1],
    [X_WING, 1, 3],
  ];
  for (const [i, [kem, kdf, aead]] of suites.entries()) {
    const ikm = { [P384]: 48, [P521]: 66 }[kem] ?? 32;
    jobs.push({
      op: 'exchange',
      ids: { kem, kdf, aead },
      key_id: (i * 13) % 256,
      kem_id: kem,
      kdf_id: kdf,
      aead_id: aead,
      seed: hex(random(ikm)),
      method: ['GET', 'POST', 'PUT', 'DELETE'][i % 4],
      url: `https://peer.example/made/by/go/${i}`,
      headers: [`X-Round: ${i}`, 'Accept: text/plain'].slice(0, 1 + (i % 2)),
      body: i % 4 === 0 ? '' : `content of exchange ${i}`,
      padding: i % 3 === 0 ? 0 : 16 * i,
      response: { status: [200, 404, 503][i % 3], body: `answer ${i}` },
    });
  }
  const { results } = runVectorJobs<Record<string, string>>(program, jobs);
  const cases: unknown[] = [];
  for (const [i, result] of results.entries()) {
    const { ids, key_id, seed } = jobs[i]!;
    if (result.error !== undefined) throw new Error(`Go refused exchange ${i}: ${result.error}`);
    await checkPeer(ids, Number(key_id), result);
    // See ohttpMessages on this peer's seeds.
    const ikm: Record<string, unknown> = ids.kem === X_WING ? {} : { ikmR: seed };
    const {
      request: made,
      response: answer,
      encapsulated_request,
      encapsulated_response,
      skRm,
      key_config,
      ohttp_keys,
    } = result;
    cases.push({
      name: `go-${ids.kem.toString(16).padStart(4, '0')}-${ids.kdf}-${ids.aead}`,
      source,
      key_id,
      kem_id: ids.kem,
      kdf_id: ids.kdf,
      aead_id: ids.aead,
      skRm,
      ...ikm,
      key_config,
      ohttp_keys,
      request: made,
      encapsulated_request,
      response: answer,
      encapsulated_response,
    });
  }
  return cases;
}

/** ohttp-rust-peer.json: client and gateway are both the Rust crate, in the same form as ohttp-go-peer.json. */
export async function rustPeer(program: string, source: string): Promise<unknown[]> {
  const jobs: Record<string, unknown>[] = [];
  const recipients: Recipient[] = [];
  for (const kem of [X25519, P256, X_WING]) {
    for (const aead of [1, 3]) {
      const to = await newRecipient({ kem, kdf: 1, aead });
      recipients.push(to);
      jobs.push({
        op: 'exchange',
        key_id: 40 + jobs.length,
        kem_id: kem,
        kdf_id: 1,
        aead_id: aead,
        ikmR: hex(to.ikm),
        request: hex(request('POST', 'peer.example', `/made/by/rust?${jobs.length}`, [], text('from Rust'))),
        response_bytes: hex(response(200, [['x-peer', 'rust']], text('to Rust'))),
      });
    }
  }
  const { results } = runVectorJobs<Record<string, string>>(program, jobs);
  const cases: unknown[] = [];
  for (const [i, result] of results.entries()) {
    const [to, made] = [recipients[i]!, jobs[i]!];
    if (result.error !== undefined) throw new Error(`Rust refused exchange ${i}: ${result.error}`);
    const full = {
      ...result,
      skRm: hex(to.secretKey),
      request: String(made['request']),
      response: String(made['response_bytes']),
    };
    await checkPeer(to.ids, Number(made['key_id']), full);
    cases.push({
      name: `rust-${to.ids.kem.toString(16).padStart(4, '0')}-1-${to.ids.aead}`,
      source,
      key_id: made['key_id'],
      kem_id: to.ids.kem,
      kdf_id: 1,
      aead_id: to.ids.aead,
      skRm: full.skRm,
      ikmR: hex(to.ikm),
      key_config: result['key_config'],
      ohttp_keys: result['ohttp_keys'],
      request: full.request,
      encapsulated_request: result['encapsulated_request'],
      response: full.response,
      encapsulated_response: result['encapsulated_response'],
    });
  }
  return cases;
}

/** Opens a peer's whole exchange with panva's hpke and the response schedule of this file. */
async function checkPeer(ids: SuiteIds, keyId: number, result: Record<string, string | undefined>): Promise<void> {
  const suite = panvaSuite(ids);
  const message = unhex(result['encapsulated_request']!);
  const enc = message.slice(7, 7 + suite.KEM.Nenc);
  const key = await suite.DeserializePrivateKey(unhex(result['skRm']!), true);
  const pk = unhex(result['key_config']!).slice(3, 3 + suite.KEM.Npk);
  const pair = { privateKey: key, publicKey: await suite.DeserializePublicKey(pk) };
  const context = await suite.SetupRecipient(pair, enc, { info: requestInfo(BHTTP.request, keyId, ids) });
  agree('request of a peer', result['request']!, await context.Open(message.slice(7 + enc.length)));
  const secret = await context.Export(utf8(BHTTP.response), entropy(ids));
  const sealed = unhex(result['encapsulated_response']!);
  const nonce = sealed.slice(0, entropy(ids));
  const { key: aeadKey, aeadNonce } = responseKeys(ids, enc, nonce, secret);
  agree(
    'response of a peer',
    result['response']!,
    openRaw(ids.aead, aeadKey, aeadNonce, sealed.slice(nonce.length), NO_AAD),
  );
}
