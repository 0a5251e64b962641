/** A relay and a gateway in memory, as one `fetch`: they record what they saw and answer as a test says. */
import {
  type BinaryRequest,
  decodeRequest,
  encodeResponse,
  type Field,
  RequestDecoder,
  ResponseEncoder,
} from '@privacy-edge/bhttp';
import { concatBytes } from '@privacy-edge/bytes';
import { generateKeyPair } from '@privacy-edge/hpke';
import {
  createGatewayKey,
  type GatewayKey,
  KeyConfigList,
  MEDIA_TYPE_CHUNKED_REQUEST,
  receiveChunkedRequest,
  receiveRequest,
} from '@privacy-edge/ohttp';
import {
  createObliviousFetch,
  type ObliviousEvent,
  type ObliviousFetch,
  type ObliviousFetchOptions,
} from '../src/index.ts';

export const RELAY = 'https://relay.example/app';
export const KEYS_URL = 'https://relay.example/app/keys';
const NOW_MS: number = Date.UTC(2026, 10, 22, 15, 0, 0);

const random = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length));

/** A new gateway key with X25519. */
export async function newKey(keyId: number): Promise<GatewayKey> {
  const privateKey = await generateKeyPair(0x0020, random);
  return createGatewayKey({ keyId, privateKey, suites: [{ kdfId: 1, aeadId: 1 }] });
}

/** What the target answers. */
export interface TargetAnswer {
  readonly status?: number;
  readonly fields?: readonly Field[];
  readonly body?: string | Uint8Array | readonly (string | Uint8Array)[] | AsyncIterable<Uint8Array>;
  /** Cuts content into binary chunks of one byte. */
  readonly tiny?: boolean;
  /** Ends a chunked response without its final chunk. */
  readonly cut?: boolean;
}

/** One request as the relay saw it. */
export interface Posted {
  readonly url: string;
  readonly init: RequestInit & { readonly duplex?: string };
  readonly body: Uint8Array;
}

/** A request that the gateway opened. */
export interface Opened extends BinaryRequest {
  /** Bytes of the plaintext with its padding. */
  readonly plaintextLength: number;
}

/** Everything around one client. */
export interface World {
  readonly fetch: ObliviousFetch;
  readonly posted: Posted[];
  readonly opened: Opened[];
  readonly events: ObliviousEvent[];
  keyFetches: number;
  nowMs: number;
}

/** How a test bends the world. */
export interface WorldOptions extends Partial<Omit<ObliviousFetchOptions, 'relay'>> {
  /** Keys that the gateway takes; the first is what the default key source lists. */
  readonly gatewayKeys: readonly GatewayKey[];
  readonly target?: (request: Opened, attempt: number) => TargetAnswer | Promise<TargetAnswer>;
  /** Answers instead of the gateway. */
  readonly relay?: (posted: Posted, attempt: number) => Response | undefined | Promise<Response | undefined>;
  /** Changes what the gateway sends; makes it whole. */
  readonly mangle?: (body: Uint8Array) => Uint8Array;
  /** Answers requests for keys. */
  readonly keyServer?: (attempt: number) => Response | Promise<Response>;
}

/** Lists keys as a server would. */
export function keysResponse(keys: readonly GatewayKey[], headers: Readonly<Record<string, string>> = {}): Response {
  const bytes = KeyConfigList.encode(keys.map(({ config }) => config));
  return new Response(bytes as Uint8Array<ArrayBuffer>, {
    headers: { 'content-type': 'application/ohttp-keys', ...headers },
  });
}

/** Builds a world. */
export function worldOf(options: WorldOptions): World {
  const { gatewayKeys, target = () => ({}), relay, keyServer, mangle, ...rest } = options;
  const world: Omit<World, 'fetch'> = { posted: [], opened: [], events: [], keyFetches: 0, nowMs: NOW_MS };
  const outer = async (url: string, init: RequestInit): Promise<Response> => {
    if (init.method !== 'POST') return (keyServer ?? (() => keysResponse(gatewayKeys)))(world.keyFetches++);
    const attempt = world.posted.length;
    const streaming = init.body instanceof ReadableStream;
    const body = streaming ? new Uint8Array(0) : new Uint8Array(init.body as Uint8Array<ArrayBuffer>);
    const posted: Posted = { url, init, body };
    world.posted.push(posted);
    const instead = await relay?.(posted, attempt);
    if (instead !== undefined) return instead;
    const type = new Headers(init.headers).get('content-type');
    const response = await (type === MEDIA_TYPE_CHUNKED_REQUEST
      ? gatewayChunked(streaming ? (init.body as ReadableStream<Uint8Array>) : piecesOf(body), gatewayKeys, run)
      : gatewayWhole(body, gatewayKeys, run));
    if (mangle === undefined) return response;
    const mangled = mangle(new Uint8Array(await response.arrayBuffer()));
    return new Response(mangled as Uint8Array<ArrayBuffer>, response);
  };
  const run = async (request: Opened): Promise<TargetAnswer> => {
    world.opened.push(request);
    return target(request, world.opened.length - 1);
  };
  const fetch = createObliviousFetch({
    relay: RELAY,
    keys: { url: KEYS_URL },
    fetch: outer,
    now: () => world.nowMs,
    onEvent: (event) => world.events.push(event),
    ...rest,
  });
  return Object.assign(world, { fetch });
}

/** The problem of a gateway that does not know a key. */
export function keyProblem(status = 400): Response {
  const type = 'https://iana.org/assignments/http-problem-types#ohttp-key';
  return new Response(JSON.stringify({ type }), { status, headers: { 'content-type': 'application/problem+json' } });
}

/** The answer of a gateway that finds a date wrong. */
export function dateProblem(date: string, more: readonly Field[] = []): TargetAnswer {
  const body = JSON.stringify({ type: 'https://iana.org/assignments/http-problem-types#date' });
  return { status: 400, fields: [['content-type', 'application/problem+json'], ['date', date], ...more], body };
}

type Run = (request: Opened) => Promise<TargetAnswer>;

const finder =
  (keys: readonly GatewayKey[]) =>
  (keyId: number): GatewayKey | undefined =>
    keys.find((key) => key.config.keyId === keyId);

async function gatewayWhole(message: Uint8Array, keys: readonly GatewayKey[], run: Run): Promise<Response> {
  let received: ReturnType<typeof receiveRequest>;
  try {
    received = receiveRequest(message, finder(keys));
  } catch {
    return keyProblem();
  }
  const { request, response } = await received.open();
  const answer = await run({ ...decodeRequest(request), plaintextLength: request.length });
  const body = concatBytes(...(await collect(answer.body)));
  const plain = encodeResponse({
    status: answer.status ?? 200,
    fields: answer.fields ?? [],
    informational: [],
    body,
    trailers: [],
  });
  const sealed = await response.seal(plain, random);
  return new Response(sealed as Uint8Array<ArrayBuffer>, { headers: { 'content-type': 'message/ohttp-res' } });
}

async function gatewayChunked(
  message: AsyncIterable<Uint8Array>,
  keys: readonly GatewayKey[],
  run: Run,
): Promise<Response> {
  const incoming = message[Symbol.asyncIterator]();
  let received: ReturnType<typeof receiveChunkedRequest>;
  let beginning: Uint8Array = new Uint8Array(0);
  while (received === undefined) {
    const next = await incoming.next();
    if (next.done === true) return new Response(null, { status: 400 });
    beginning = concatBytes(beginning, next.value);
    try {
      received = receiveChunkedRequest(beginning, finder(keys));
    } catch {
      return keyProblem();
    }
  }
  const { request, startResponse } = await received.open();
  const plain = [...(await request.push(received.rest))];
  const { nonce, sealer } = await startResponse(random);
  const opened = async (): Promise<Opened> => {
    for (let next = await incoming.next(); next.done !== true; next = await incoming.next()) {
      plain.push(...(await request.push(next.value)));
    }
    plain.push(...(await request.end()));
    const decoder = new RequestDecoder();
    const plaintext = concatBytes(...plain);
    const events = [...decoder.push(plaintext), ...decoder.end()];
    const head = events.flatMap((event) => (event.type === 'head' ? [event.head] : []))[0]!;
    const body = concatBytes(...events.flatMap((event) => (event.type === 'data' ? [event.bytes] : [])));
    return { ...head, body, trailers: [], plaintextLength: plaintext.length };
  };
  const outgoing = async function* (): AsyncGenerator<Uint8Array> {
    yield nonce;
    const answer = await run(await opened());
    const encoder = new ResponseEncoder();
    yield sealer.seal(encoder.head({ status: answer.status ?? 200, fields: answer.fields ?? [] }));
    for await (const piece of piecesFrom(answer.body)) {
      const data = answer.tiny
        ? concatBytes(...Array.from(piece, (byte) => Uint8Array.of(1, byte)))
        : encoder.data(piece);
      for (let at = 0; at < data.length; at += 16_384) yield sealer.seal(data.subarray(at, at + 16_384));
    }
    yield sealer.seal(encoder.end());
    if (answer.cut !== true) yield sealer.sealFinal(new Uint8Array(0));
  };
  return new Response(streamFrom(outgoing()), { headers: { 'content-type': 'message/ohttp-chunked-res; x=y' } });
}

/** A stream of what a generator yields, without reading ahead. */
export function streamFrom(
  source: AsyncGenerator<Uint8Array>,
  highWaterMark = 0,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream(
    {
      async pull(controller) {
        const next = await source.next();
        if (next.done === true) controller.close();
        else controller.enqueue(next.value as Uint8Array<ArrayBuffer>);
      },
      async cancel() {
        await source.return(undefined);
      },
    },
    { highWaterMark },
  );
}

async function* piecesOf(body: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < body.length; at += 7) yield body.subarray(at, at + 7);
}

async function* piecesFrom(body: TargetAnswer['body']): AsyncGenerator<Uint8Array> {
  if (body === undefined) return;
  const pieces = typeof body === 'string' || body instanceof Uint8Array ? [body] : body;
  for await (const piece of pieces) yield typeof piece === 'string' ? new TextEncoder().encode(piece) : piece;
}

async function collect(body: TargetAnswer['body']): Promise<Uint8Array[]> {
  const all: Uint8Array[] = [];
  for await (const piece of piecesFrom(body)) all.push(piece);
  return all;
}
