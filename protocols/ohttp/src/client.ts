/** The client's side of one exchange. RFC 9458 §4.3 and §4.4. */
import { type Awaitable, andThen, concatBytes, utf8 } from '@privacy-edge/bytes';
import { importPublicKey, prepareSender, type SenderSetup, type Suite, suiteOf } from '@privacy-edge/hpke';
import { ChunkedResponseOpener } from './chunked-response.ts';
import { ChunkOpener, ChunkSealer } from './chunks.ts';
import { isSuiteUsable, type KeyConfig, type SymmetricSuite } from './key-config.ts';
import { CHUNKED_LABELS, encodeHeader, type Labels, requestInfo, WHOLE_LABELS } from './labels.ts';
import { OhttpError, openFailed } from './ohttp-error.ts';
import { deriveResponseKeys, type Exporter, responseNonceLength } from './response-keys.ts';
import { replaceErrors } from './settle.ts';

const NOTHING = new Uint8Array(0);

/** Returns `length` fresh bytes from a cryptographic generator. */
export type RandomSource = (length: number) => Uint8Array;

/** An encapsulated request and the means to open its one answer. */
export interface EncapsulatedRequest {
  /** Body of a `message/ohttp-req`. */
  readonly message: Uint8Array;
  readonly response: ResponseOpener;
}

/** The beginning of a chunked request, the sealer for what follows, and the opener for the answer. */
export interface EncapsulatedChunkedRequest {
  /** First bytes of a `message/ohttp-chunked-req`: header and encapsulated key. */
  readonly header: Uint8Array;
  readonly request: ChunkSealer;
  readonly response: ChunkedResponseOpener;
}

/** Opens the response to one request, once. */
export class ResponseOpener {
  readonly #suite: Suite;
  readonly #exporter: Exporter;
  readonly #label: Uint8Array;
  readonly #enc: Uint8Array;
  #used = false;

  /** Made by {@link Encapsulator.encapsulate}. */
  constructor(suite: Suite, exporter: Exporter, label: Uint8Array, enc: Uint8Array) {
    this.#suite = suite;
    this.#exporter = exporter;
    this.#label = label;
    this.#enc = enc;
  }

  /**
   * @param message - body of a `message/ohttp-res`; controlled by relay and gateway
   * @returns the Binary HTTP response
   * @throws {@link OhttpError} `OPEN_FAILED`; `ALREADY_USED` on a second call
   * @see RFC 9458 §4.4
   */
  open(message: Uint8Array): Awaitable<Uint8Array> {
    if (this.#used) throw new OhttpError('ALREADY_USED', 'Cannot open response: this request was answered already');
    this.#used = true;
    const nonceLength = responseNonceLength(this.#suite);
    if (message.length < nonceLength + this.#suite.aead.Nt) throw openFailed();
    const responseNonce = message.subarray(0, nonceLength);
    return replaceErrors(
      () =>
        andThen(deriveResponseKeys(this.#suite, this.#exporter, this.#label, this.#enc, responseNonce), (keys) =>
          keys.key.open(keys.nonce, NOTHING, message.subarray(nonceLength)),
        ),
      openFailed,
    );
  }
}

/** Encapsulates requests for one key configuration. Stateless between requests: each gets an HPKE context of its own. */
export class Encapsulator {
  /** What requests are encapsulated for. */
  readonly config: KeyConfig;
  /** The suite used. */
  readonly suite: SymmetricSuite;
  readonly #hpke: Suite;
  readonly #header: Uint8Array;
  readonly #whole: SenderSetup;
  readonly #chunked: SenderSetup;
  readonly #labels: Labels;

  /** Made by {@link prepareEncapsulator}. */
  constructor(
    config: KeyConfig,
    suite: SymmetricSuite,
    labels: Labels,
    hpke: Suite,
    whole: SenderSetup,
    chunked: SenderSetup,
  ) {
    this.config = config;
    this.suite = suite;
    this.#labels = labels;
    this.#hpke = hpke;
    this.#header = encodeHeader(config.keyId, config.kemId, suite);
    this.#whole = whole;
    this.#chunked = chunked;
  }

  /**
   * @param request - Binary HTTP request
   * @param random - for the ephemeral key; called anew for each request, also for a retry
   * @throws {@link OhttpError} `CONFIG_UNUSABLE` when the public key cannot be used (a low-order point, say)
   * @see RFC 9458 §4.3
   */
  encapsulate(request: Uint8Array, random: RandomSource): Awaitable<EncapsulatedRequest> {
    return andThen(this.#setup(this.#whole, random), ({ enc, context }) =>
      andThen(context.seal(NOTHING, request), (ciphertext) => ({
        message: concatBytes(this.#header, enc, ciphertext),
        response: new ResponseOpener(this.#hpke, context, utf8(this.#labels.response), enc),
      })),
    );
  }

  /**
   * Starts a chunked request.
   *
   * @throws {@link OhttpError} `CONFIG_UNUSABLE`
   * @see Chunked OHTTP §6.1
   */
  encapsulateChunked(random: RandomSource): Awaitable<EncapsulatedChunkedRequest> {
    return andThen(this.#setup(this.#chunked, random), ({ enc, context }) => ({
      header: concatBytes(this.#header, enc),
      request: new ChunkSealer((aad, plaintext) => context.seal(aad, plaintext)),
      response: new ChunkedResponseOpener(
        responseNonceLength(this.#hpke),
        (responseNonce) => deriveResponseKeys(this.#hpke, context, utf8(CHUNKED_LABELS.response), enc, responseNonce),
        (openChunk) => new ChunkOpener(openChunk, this.#hpke.aead.Nt),
      ),
    }));
  }

  #setup(setup: SenderSetup, random: RandomSource): ReturnType<SenderSetup['setup']> {
    return replaceErrors(
      () => setup.setup(random),
      () =>
        new OhttpError('CONFIG_UNUSABLE', 'Cannot encapsulate: the public key of the key configuration is not usable'),
    );
  }
}

/**
 * Prepares a key configuration for use: validates the public key and computes what all requests share.
 *
 * @param config - authenticated by the caller (HTTPS or a pinned digest); RFC 9458 §3 leaves that to the client
 * @param suite - one of `config.suites`
 * @param labels - only for protocols that carry something else than Binary HTTP
 * @throws {@link OhttpError} `CONFIG_UNUSABLE` for a suite Oblivious HTTP cannot use, or an invalid public key
 */
export function prepareEncapsulator(
  config: KeyConfig,
  suite: SymmetricSuite,
  labels: Labels = WHOLE_LABELS,
): Awaitable<Encapsulator> {
  if (!isSuiteUsable(config.kemId, suite)) {
    throw new OhttpError('CONFIG_UNUSABLE', 'Cannot use key configuration: its suite is not supported');
  }
  const hpke = suiteOf(config.kemId, suite.kdfId, suite.aeadId);
  const header = encodeHeader(config.keyId, config.kemId, suite);
  return replaceErrors(
    () =>
      andThen(importPublicKey(config.kemId, config.publicKey), (publicKey) =>
        andThen(prepareSender(hpke, publicKey, requestInfo(labels.request, header)), (whole) =>
          andThen(
            prepareSender(hpke, publicKey, requestInfo(CHUNKED_LABELS.request, header)),
            (chunked) => new Encapsulator(config, suite, labels, hpke, whole, chunked),
          ),
        ),
      ),
    () => new OhttpError('CONFIG_UNUSABLE', 'Cannot use key configuration: its public key is not valid'),
  );
}
