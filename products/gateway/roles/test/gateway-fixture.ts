/** A gateway with ports in memory, and a client that seals for it. */

import assert from 'node:assert/strict';
import {
  type BinaryRequest,
  type BinaryResponse,
  decodeResponse,
  encodeRequest,
  type Field,
  getField,
  RequestEncoder,
  ResponseDecoder,
  type ResponseEvent,
} from '@privacy-edge/bhttp';
import { concatBytes, toHex, utf8 } from '@privacy-edge/bytes';
import { deriveKeyPair, KEM_X25519_HKDF_SHA256, systemRandom } from '@privacy-edge/hpke';
import {
  BodyError,
  type BodySource,
  type RoleHandler,
  type RoleRequest,
  type RoleResponse,
} from '@privacy-edge/http-exchange';
import { formatHttpDate } from '@privacy-edge/http-fields';
import {
  createGatewayKey,
  type EncapsulatedChunkedRequest,
  type Encapsulator,
  encapsulateChunked,
  type GatewayKey,
  KeyConfigList,
  MEDIA_TYPE_CHUNKED_REQUEST,
  MEDIA_TYPE_REQUEST,
  prepareEncapsulator,
} from '@privacy-edge/ohttp';
import {
  createGateway,
  defaultGatewayConfig,
  type FetchTarget,
  type GatewayConfig,
  type GatewayOutcome,
  type GatewayPorts,
  type KeyRing,
  type ReplayOutcome,
  type ReplayStore,
  type TargetErrorCode,
  type TargetRequest,
  type TargetResponse,
  targetRule,
} from '../src/index.ts';

/** The moment at which every test begins. */
export const NOW: number = Date.UTC(2026, 2, 1, 12, 0, 0);
export const SUITE = { kdfId: 1, aeadId: 1 } as const;
export const RUNS: number = Math.min(Number(process.env['PRIVACY_EDGE_FUZZ_RUNS'] ?? 200), 20_000);

const GATEWAY_PATH = '/gateway';
const KEYS_PATH = '/keys';

/** A store that remembers for ever, unless it is full. */
export class MemoryReplayStore implements ReplayStore {
  amnesiaUntilMs = 0;
  capacity: number = Number.POSITIVE_INFINITY;
  failing: ReplayOutcome | 'throws' | undefined;
  readonly seen: Set<string> = new Set<string>();

  has(nonce: Uint8Array): boolean {
    if (this.failing === 'throws') throw new TypeError('store is away');
    return this.seen.has(toHex(nonce));
  }

  remember(nonce: Uint8Array): ReplayOutcome {
    if (this.failing === 'throws') throw new TypeError('store is away');
    if (this.failing !== undefined) return this.failing;
    if (this.seen.has(toHex(nonce))) return 'seen';
    if (this.seen.size >= this.capacity) return 'full';
    this.seen.add(toHex(nonce));
    return 'fresh';
  }
}

/** A body in these pieces; ends with an error instead of an end when there is one. */
export function bodyOf(
  pieces: readonly Uint8Array[],
  options: { announced?: number; error?: Error; closed?: () => void } = {},
): BodySource {
  const { announced, error, closed } = options;
  return {
    announcedLength: announced,
    async read(maxBytes) {
      await Promise.resolve();
      const whole = concatBytes(...pieces);
      if (whole.length > maxBytes) throw new BodyError('TOO_LARGE', 'Too large');
      if (error !== undefined) throw error;
      return whole;
    },
    async *stream() {
      try {
        for (const piece of pieces) {
          await Promise.resolve();
          yield piece;
        }
        if (error !== undefined) throw error;
      } finally {
        closed?.();
      }
    },
  };
}

/** A target's answer. */
export function targetResponse(
  init: { status?: number; fields?: readonly Field[]; body?: BodySource | string; trailers?: readonly Field[] } = {},
): TargetResponse {
  const { status = 200, fields = [['content-type', 'text/plain']], body = 'hello', trailers = [] } = init;
  return {
    status,
    fields,
    body: typeof body === 'string' ? bodyOf(body === '' ? [] : [utf8(body)]) : body,
    trailers: () => trailers,
  };
}

/** What the target was sent, with its content. */
export interface SeenRequest extends Omit<TargetRequest, 'body' | 'trailers'> {
  readonly body: string | null;
  readonly trailers: readonly Field[];
}

/** A gateway under test. */
export interface Bench {
  readonly gateway: RoleHandler;
  readonly key: GatewayKey;
  readonly client: Encapsulator;
  readonly replay: MemoryReplayStore;
  readonly ports: GatewayPorts;
  readonly config: GatewayConfig;
  /** Requests whose content the target received to its end. */
  readonly seen: SeenRequest[];
  /** Requests whose content broke off. */
  readonly broken: unknown[];
  /** Every outcome reported, in order, with a `+` for chunked ones. */
  readonly outcomes: string[];
  readonly answeredInMs: number[];
  now: number;
}

/** What differs from a gateway that allows everything at https://target.example. */
export interface BenchOptions {
  readonly config?: Partial<GatewayConfig>;
  /** Called once the content of the request is complete. */
  readonly target?: FetchTarget;
  /** In place of the whole port. */
  readonly fetchTarget?: FetchTarget;
  readonly random?: GatewayPorts['random'];
  readonly keys?: GatewayPorts['keys'];
}

/** Makes a gateway with one X25519 key, identifier 7. */
export async function makeBench(options: BenchOptions = {}): Promise<Bench> {
  const privateKey = await deriveKeyPair(KEM_X25519_HKDF_SHA256, new Uint8Array(32).fill(3));
  const key = await createGatewayKey({ keyId: 7, privateKey, suites: [SUITE] });
  const ring: KeyRing = {
    epochs: [],
    published: KeyConfigList.encode([key.config]),
    publishedUntilMs: NOW + 3_600_000,
    changesAtMs: NOW + 3_600_000,
    find: (keyId) => (keyId === 7 ? key : undefined),
  };
  const bench: { now: number; seen: SeenRequest[]; broken: unknown[]; outcomes: string[]; answeredInMs: number[] } = {
    now: NOW,
    seen: [],
    broken: [],
    outcomes: [],
    answeredInMs: [],
  };
  const replay = new MemoryReplayStore();
  const answer: FetchTarget = options.target ?? (() => Promise.resolve(targetResponse()));
  const ports: GatewayPorts = {
    keys: options.keys ?? { ringAt: () => ring },
    fetchTarget: options.fetchTarget ?? recordingTarget(bench, answer),
    replay,
    clock: () => bench.now,
    random: options.random ?? systemRandom,
    observer: {
      ended: (outcome: GatewayOutcome, chunked) => bench.outcomes.push(outcome + (chunked ? '+' : '')),
      targetAnswered: (elapsedMs) => bench.answeredInMs.push(elapsedMs),
    },
  };
  const config: GatewayConfig = {
    ...defaultGatewayConfig,
    gatewayPath: GATEWAY_PATH,
    keysPath: KEYS_PATH,
    targets: [targetRule('https://target.example')],
    ...options.config,
  };
  const client = await prepareEncapsulator(key.config, SUITE);
  return Object.assign(bench, { gateway: createGateway(ports, config), key, client, replay, ports, config });
}

function recordingTarget(bench: Pick<Bench, 'seen' | 'broken'>, answer: FetchTarget): FetchTarget {
  return async (request, signal, onInformational) => {
    const { body, trailers, ...head } = request;
    let content: string | null = null;
    try {
      if (body instanceof Uint8Array) content = Buffer.from(body).toString('latin1');
      else if (body !== null) {
        content = '';
        for await (const piece of body) content += Buffer.from(piece).toString('latin1');
      }
    } catch (error) {
      bench.broken.push(error);
      throw error;
    }
    bench.seen.push({ ...head, body: content, trailers: trailers?.() ?? [] });
    return answer(request, signal, onInformational);
  };
}

/** A request to the gateway as an adapter would make it. */
export function post(
  body: BodySource | Uint8Array,
  init: { method?: string; path?: string; headers?: Record<string, string | undefined>; signal?: AbortSignal } = {},
): RoleRequest {
  const headers: Record<string, string | undefined> = { 'content-type': MEDIA_TYPE_REQUEST, ...init.headers };
  return {
    method: init.method ?? 'POST',
    path: init.path ?? GATEWAY_PATH,
    header: (name) => headers[name],
    body: body instanceof Uint8Array ? bodyOf(body.length === 0 ? [] : [body], { announced: body.length }) : body,
    signal: init.signal ?? new AbortController().signal,
  };
}

/** A GET to https://target.example/ with a Date of now, unless told otherwise. */
export function innerRequest(init: Partial<BinaryRequest> & { dateMs?: number | undefined } = {}): BinaryRequest {
  const { dateMs = NOW, fields = [], ...rest } = init;
  const date: Field[] = 'dateMs' in init && init.dateMs === undefined ? [] : [['date', formatHttpDate(dateMs)]];
  return {
    method: 'GET',
    scheme: 'https',
    authority: 'target.example',
    path: '/',
    body: new Uint8Array(0),
    trailers: [],
    ...rest,
    fields: [...fields, ...date],
  };
}

/** What came back: the answer in clear, and what is in it when it is encapsulated. */
export interface Exchanged {
  readonly outer: RoleResponse;
  readonly inner: BinaryResponse | undefined;
  /** Body of the request, to be replayed. */
  readonly message: Uint8Array;
  /** Length of the encoded inner response with its padding. */
  readonly paddedLength: number;
}

/** Sends a whole request through the gateway. */
export async function send(
  bench: Bench,
  request: BinaryRequest | Uint8Array,
  init: Parameters<typeof post>[1] = {},
): Promise<Exchanged> {
  const encoded = request instanceof Uint8Array ? request : encodeRequest(request);
  const { message, response } = await bench.client.encapsulate(encoded, systemRandom);
  const outer = await bench.gateway(post(message, init));
  if (outer.status !== 200) return { outer, inner: undefined, message, paddedLength: 0 };
  assert.ok(outer.body instanceof Uint8Array);
  const plaintext = await response.open(outer.body);
  return { outer, inner: decodeResponse(plaintext), message, paddedLength: plaintext.length };
}

/** Everything of a stream; `error` is what it ended with. */
export async function drain(body: RoleResponse['body']): Promise<{ bytes: Uint8Array; error: unknown }> {
  const pieces: Uint8Array[] = [];
  if (body === null) return { bytes: new Uint8Array(0), error: undefined };
  if (body instanceof Uint8Array) return { bytes: body, error: undefined };
  try {
    for await (const piece of body) pieces.push(piece);
    return { bytes: concatBytes(...pieces), error: undefined };
  } catch (error) {
    return { bytes: concatBytes(...pieces), error };
  }
}

/** A chunked request that is being made. */
export type ChunkedRequest = EncapsulatedChunkedRequest;

/** The pieces of a chunked message: header, the head of the request, each part of its content, the end. */
export async function chunkedPieces(
  chunked: ChunkedRequest,
  request: BinaryRequest,
  contents: readonly Uint8Array[] = request.body.length > 0 ? [request.body] : [],
): Promise<Uint8Array[]> {
  const encoder = new RequestEncoder();
  const pieces = [chunked.header, await chunked.request.seal(encoder.head(request))];
  for (const content of contents) pieces.push(await chunked.request.seal(encoder.data(content)));
  pieces.push(await chunked.request.sealFinal(encoder.end(request.trailers)));
  return pieces;
}

/** What came back from a chunked exchange. */
export interface ChunkedExchanged {
  readonly outer: RoleResponse;
  readonly events: readonly ResponseEvent[];
  /** Whether the final chunk came. */
  readonly complete: boolean;
  readonly error: unknown;
  readonly message: Uint8Array;
  /** Sizes of the plaintext chunks that are not empty. */
  readonly chunkSizes: readonly number[];
}

/** Sends a chunked request through the gateway. */
export async function sendChunked(
  bench: Bench,
  request: BinaryRequest,
  init: {
    contents?: readonly Uint8Array[];
    /** Changes the pieces before they are sent. */
    damage?: (pieces: Uint8Array[]) => Uint8Array[];
    error?: Error;
    closed?: () => void;
    signal?: AbortSignal;
  } = {},
): Promise<ChunkedExchanged> {
  const chunked = await encapsulateChunked(bench.client, systemRandom);
  const made = await chunkedPieces(chunked, request, init.contents);
  const pieces = init.damage?.(made) ?? made;
  const outer = await bench.gateway(postChunked(bodyOf(pieces, init), init.signal));
  return { outer, message: concatBytes(...pieces), ...(await openChunked(chunked, outer)) };
}

/** A chunked request as an adapter would make it. */
export function postChunked(body: BodySource, signal?: AbortSignal): RoleRequest {
  return post(body, { headers: { 'content-type': MEDIA_TYPE_CHUNKED_REQUEST }, ...(signal && { signal }) });
}

/** Opens the answer to a chunked request. */
export async function openChunked(
  chunked: ChunkedRequest,
  outer: RoleResponse,
): Promise<Omit<ChunkedExchanged, 'outer' | 'message'>> {
  if (outer.status !== 200) return { events: [], complete: false, error: undefined, chunkSizes: [] };
  const { bytes, error } = await drain(outer.body);
  const decoder = new ResponseDecoder();
  const chunks = [...(await chunked.response.push(bytes))];
  if (error === undefined) chunks.push(...(await chunked.response.end()));
  const events = chunks.flatMap((chunk) => decoder.push(chunk));
  if (chunked.response.complete) events.push(...decoder.end());
  return { events, complete: chunked.response.complete, error, chunkSizes: chunks.map((chunk) => chunk.length) };
}

/** The final response among events. */
export function headOf(events: readonly ResponseEvent[]): { status: number; fields: readonly Field[] } {
  for (const event of events) if (event.type === 'head') return event.head;
  return assert.fail('there is no head');
}

/** The content among events. */
export function contentOf(events: readonly ResponseEvent[]): string {
  let content = '';
  for (const event of events) if (event.type === 'data') content += Buffer.from(event.bytes).toString('latin1');
  return content;
}

/** A problem document's type. */
export function problemType(body: Uint8Array): string {
  const { type } = JSON.parse(Buffer.from(body).toString()) as { type: string };
  return type;
}

/** A field of an answer in clear. */
export function field(response: { fields: readonly Field[] }, name: string): string | undefined {
  return getField(response.fields, name);
}

/** Lets everything run that only waits for other microtasks or I/O callbacks. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** What a client gets inside when its target gave no answer. */
export const TARGET_FAILURES: readonly (readonly [code: TargetErrorCode, status: number])[] = Object.entries({
  FORBIDDEN_ADDRESS: 403,
  CONNECT_FAILED: 502,
  TIMEOUT: 504,
  BROKEN: 502,
  OVERLOADED: 503,
} satisfies Record<TargetErrorCode, number>) as [TargetErrorCode, number][];
