/** The gateway's side of one exchange. RFC 9458 §4.3 and §4.4. */
import { type Awaitable, andThen, concatBytes, replaceErrors, utf8 } from '@privacy-edge/bytes';
import type { RandomSource, RecipientContext, Suite } from '@privacy-edge/hpke';
import { responseChunkStep } from './chunked-response.ts';
import { ChunkOpener, ChunkSealer } from './chunks.ts';
import type { GatewayKey, PreparedSuite } from './gateway-key.ts';
import { CHUNKED_LABELS, HEADER_LENGTH } from './labels.ts';
import { OhttpError, openFailed } from './ohttp-error.ts';
import { deriveResponseKeys, responseNonceLength } from './response-keys.ts';

const NOTHING = new Uint8Array(0);

/** Looks up an active key by its identifier. */
export type FindKey = (keyId: number) => GatewayKey | undefined;

/** A request whose header is known to be acceptable, before any key was used. */
export class ReceivedRequest {
  readonly keyId: number;
  /** The encapsulated key: unique to each honest request, so it serves as the nonce of replay defences. */
  readonly enc: Uint8Array;
  readonly #prepared: PreparedSuite;
  readonly #key: GatewayKey;
  readonly #ciphertext: Uint8Array;

  /** Made by {@link receiveRequest}. */
  constructor(key: GatewayKey, prepared: PreparedSuite, enc: Uint8Array, ciphertext: Uint8Array) {
    this.keyId = key.config.keyId;
    this.enc = enc;
    this.#key = key;
    this.#prepared = prepared;
    this.#ciphertext = ciphertext;
  }

  /**
   * Opens the request and prepares the one response it allows.
   *
   * @throws {@link OhttpError} `OPEN_FAILED` for every reason alike
   * @see RFC 9458 §4.3
   */
  open(): Awaitable<OpenedRequest> {
    const { whole, hpke } = this.#prepared;
    const { enc } = this;
    return replaceErrors(
      () =>
        andThen(whole.setup(enc), (context) =>
          andThen(context.open(NOTHING, this.#ciphertext), (request) => ({
            request,
            response: new ResponseSealer(hpke, context, utf8(this.#key.labels.response), enc),
          })),
        ),
      openFailed,
    );
  }
}

/** The content of a request, and the means to answer it once. */
export interface OpenedRequest {
  /** Binary HTTP request. */
  readonly request: Uint8Array;
  readonly response: ResponseSealer;
}

/** Seals the response to one request, once. */
export class ResponseSealer {
  readonly #suite: Suite;
  readonly #context: RecipientContext;
  readonly #label: Uint8Array;
  readonly #enc: Uint8Array;
  #used = false;

  /** Made by {@link ReceivedRequest.open}. */
  constructor(suite: Suite, context: RecipientContext, label: Uint8Array, enc: Uint8Array) {
    this.#suite = suite;
    this.#context = context;
    this.#label = label;
    this.#enc = enc;
  }

  /**
   * @param response - Binary HTTP response
   * @param random - for the response nonce, which keeps keys apart even when a request is replayed
   * @returns body of a `message/ohttp-res`
   * @throws {@link OhttpError} `ALREADY_USED` on a second call
   * @see RFC 9458 §4.4
   */
  seal(response: Uint8Array, random: RandomSource): Awaitable<Uint8Array> {
    if (this.#used) throw new OhttpError('ALREADY_USED', 'Cannot seal response: this request was answered already');
    this.#used = true;
    const responseNonce = random(responseNonceLength(this.#suite));
    return andThen(deriveResponseKeys(this.#suite, this.#context, this.#label, this.#enc, responseNonce), (keys) =>
      andThen(keys.key.seal(keys.nonce, NOTHING, response), (sealed) => concatBytes(responseNonce, sealed)),
    );
  }
}

/** The key and suite that a request header names. */
interface NamedKey {
  readonly key: GatewayKey;
  readonly prepared: PreparedSuite;
}

/**
 * Reads Key Identifier (8), KEM (16), KDF (16), AEAD (16) and checks all four against what is offered.
 *
 * @param message - at least {@link HEADER_LENGTH} bytes
 */
function findNamedKey(message: Uint8Array, findKey: FindKey): NamedKey {
  const u16 = (at: number): number => ((message[at] as number) << 8) | (message[at + 1] as number);
  const keyId = message[0] as number;
  const key = findKey(keyId);
  // The KEM is part of the key, so another one under the same identifier is another key.
  const prepared = key !== undefined && key.config.kemId === u16(1) ? key.find(u16(3), u16(5)) : undefined;
  if (key === undefined || prepared === undefined) {
    throw new OhttpError('KEY_UNKNOWN', `Cannot open request: key ${keyId} with these algorithms is not offered`);
  }
  return { key, prepared };
}

/**
 * Parses an encapsulated request without using a key.
 *
 * @param message - body of a `message/ohttp-req`; attacker-controlled; kept by reference
 * @throws {@link OhttpError} `MALFORMED` below 7 bytes, `KEY_UNKNOWN`, `OPEN_FAILED` when nothing could be sealed in so few bytes
 * @see RFC 9458 §4.3
 */
export function receiveRequest(message: Uint8Array, findKey: FindKey): ReceivedRequest {
  if (message.length < HEADER_LENGTH)
    throw new OhttpError('MALFORMED', 'Cannot open request: it is shorter than its header');
  const { key, prepared } = findNamedKey(message, findKey);
  const encEnd = HEADER_LENGTH + prepared.hpke.kem.Nenc;
  if (message.length < encEnd + prepared.hpke.aead.Nt) throw openFailed();
  return new ReceivedRequest(key, prepared, message.subarray(HEADER_LENGTH, encEnd), message.subarray(encEnd));
}

/** The beginning of a chunked request, before any key was used. */
export class ReceivedChunkedRequest {
  readonly keyId: number;
  /** The encapsulated key; see {@link ReceivedRequest.enc}. */
  readonly enc: Uint8Array;
  /** Bytes of the message after header and encapsulated key that have arrived already. */
  readonly rest: Uint8Array;
  readonly #prepared: PreparedSuite;

  /** Made by {@link receiveChunkedRequest}. */
  constructor(key: GatewayKey, prepared: PreparedSuite, enc: Uint8Array, rest: Uint8Array) {
    this.keyId = key.config.keyId;
    this.enc = enc;
    this.rest = rest;
    this.#prepared = prepared;
  }

  /**
   * Sets up the contexts of both directions. Nothing is authenticated before the first chunk opened.
   *
   * @throws {@link OhttpError} `OPEN_FAILED`
   * @see Chunked OHTTP §6.1
   */
  open(): Awaitable<OpenedChunkedRequest> {
    const { chunked, hpke } = this.#prepared;
    return replaceErrors(
      () =>
        andThen(chunked.setup(this.enc), (context) => ({
          request: new ChunkOpener((aad, sealed) => context.open(aad, sealed), hpke.aead.Nt),
          startResponse: startResponseOnce(hpke, context, this.enc),
        })),
      openFailed,
    );
  }
}

/** Both directions of a chunked exchange. */
export interface OpenedChunkedRequest {
  readonly request: ChunkOpener;
  /** Starts the one response; `ALREADY_USED` on a second call. */
  startResponse(random: RandomSource): Awaitable<ChunkedResponse>;
}

/** A chunked response that is being made. */
export interface ChunkedResponse {
  /** First bytes of the `message/ohttp-chunked-res`. */
  readonly nonce: Uint8Array;
  readonly sealer: ChunkSealer;
}

function startResponseOnce(
  suite: Suite,
  context: RecipientContext,
  enc: Uint8Array,
): (random: RandomSource) => Awaitable<ChunkedResponse> {
  let used = false;
  return (random) => {
    if (used) throw new OhttpError('ALREADY_USED', 'Cannot start response: this request was answered already');
    used = true;
    const nonce = random(responseNonceLength(suite));
    return andThen(deriveResponseKeys(suite, context, utf8(CHUNKED_LABELS.response), enc, nonce), (keys) => ({
      nonce,
      sealer: new ChunkSealer(responseChunkStep(keys, 'seal')),
    }));
  };
}

/**
 * Parses the beginning of a chunked request without using a key.
 *
 * @param beginning - all bytes that have arrived so far; attacker-controlled; kept by reference
 * @returns undefined while more bytes are needed
 * @throws {@link OhttpError} `KEY_UNKNOWN` as soon as the header is there
 */
export function receiveChunkedRequest(beginning: Uint8Array, findKey: FindKey): ReceivedChunkedRequest | undefined {
  if (beginning.length < HEADER_LENGTH) return undefined;
  const { key, prepared } = findNamedKey(beginning, findKey);
  const encEnd = HEADER_LENGTH + prepared.hpke.kem.Nenc;
  if (beginning.length < encEnd) return undefined;
  return new ReceivedChunkedRequest(
    key,
    prepared,
    beginning.subarray(HEADER_LENGTH, encEnd),
    beginning.subarray(encEnd),
  );
}
