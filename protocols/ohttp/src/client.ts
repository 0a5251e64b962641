/** The client's side of one exchange. RFC 9458 §4.3 and §4.4. */
import { type Awaitable, andThen, concatBytes, replaceErrors, utf8 } from '@privacy-edge/bytes';
import {
  importPublicKey,
  type PublicKey,
  prepareSender,
  type RandomSource,
  type SenderContext,
  type SenderSetup,
  type Suite,
  suiteOf,
} from '@privacy-edge/hpke';
import { isSuiteUsable, type KeyConfig, type SymmetricSuite } from './key-config.ts';
import { encodeHeader, type Labels, requestInfo, WHOLE_LABELS } from './labels.ts';
import { OhttpError, openFailed } from './ohttp-error.ts';
import { deriveResponseKeys, type Exporter, responseNonceLength } from './response-keys.ts';

const NOTHING = new Uint8Array(0);

/** An encapsulated request and the means to open its one answer. */
export interface EncapsulatedRequest {
  /** Body of a `message/ohttp-req`. */
  readonly message: Uint8Array;
  readonly response: ResponseOpener;
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

/** The HPKE context of one request. */
export interface RequestContext {
  /** Header and encapsulated key. */
  readonly header: Uint8Array;
  readonly enc: Uint8Array;
  readonly context: SenderContext;
  readonly hpke: Suite;
}

/** Encapsulates requests for one key configuration. Stateless between requests: each gets an HPKE context of its own. */
export class Encapsulator {
  /** What requests are encapsulated for. */
  readonly config: KeyConfig;
  /** The suite used. */
  readonly suite: SymmetricSuite;
  readonly #labels: Labels;
  readonly #hpke: Suite;
  readonly #publicKey: PublicKey;
  readonly #header: Uint8Array;
  /** By label: what the requests that have it share. */
  readonly #setups = new Map<string, Awaitable<SenderSetup>>();

  /** Made by {@link prepareEncapsulator}. */
  constructor(config: KeyConfig, suite: SymmetricSuite, labels: Labels, hpke: Suite, publicKey: PublicKey) {
    this.config = config;
    this.suite = suite;
    this.#labels = labels;
    this.#hpke = hpke;
    this.#publicKey = publicKey;
    this.#header = encodeHeader(config.keyId, config.kemId, suite);
  }

  /**
   * @param request - Binary HTTP request
   * @param random - for the ephemeral key; called anew for each request, also for a retry
   * @throws {@link OhttpError} `CONFIG_UNUSABLE` when the public key cannot be used (a low-order point, say)
   * @see RFC 9458 §4.3
   */
  encapsulate(request: Uint8Array, random: RandomSource): Awaitable<EncapsulatedRequest> {
    return andThen(this.start(this.#labels.request, random), ({ hpke, header, enc, context }) =>
      andThen(context.seal(NOTHING, request), (ciphertext) => ({
        message: concatBytes(header, ciphertext),
        response: new ResponseOpener(hpke, context, utf8(this.#labels.response), enc),
      })),
    );
  }

  /**
   * Starts a request whose content is sealed by somebody else, such as `encapsulateChunked`.
   *
   * @param label - of the kind of request; what requests of one kind share is computed with the first
   * @param random - for the ephemeral key
   * @throws {@link OhttpError} `CONFIG_UNUSABLE`
   */
  start(label: string, random: RandomSource): Awaitable<RequestContext> {
    return replaceErrors(
      () =>
        andThen(this.#setup(label), (setup) =>
          andThen(setup.setup(random), ({ enc, context }) => ({
            header: concatBytes(this.#header, enc),
            enc,
            context,
            hpke: this.#hpke,
          })),
        ),
      keyUnusable,
    );
  }

  #setup(label: string): Awaitable<SenderSetup> {
    const known = this.#setups.get(label);
    if (known !== undefined) return known;
    const setup = prepareSender(this.#hpke, this.#publicKey, requestInfo(label, this.#header));
    this.#setups.set(label, setup);
    return setup;
  }
}

/**
 * Prepares a key configuration for use: validates the public key.
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
  const { kemId, publicKey } = config;
  if (!isSuiteUsable(kemId, suite)) {
    throw unusable('suite');
  }
  const hpke = suiteOf(kemId, suite.kdfId, suite.aeadId);
  return andThen(
    replaceErrors(() => importPublicKey(kemId, publicKey), keyUnusable),
    (key) => new Encapsulator(config, suite, labels, hpke, key),
  );
}

/** An invalid key, or one of an algorithm whose code cannot be loaded. */
function keyUnusable(): OhttpError {
  return unusable('public key');
}

function unusable(what: string): OhttpError {
  return new OhttpError('CONFIG_UNUSABLE', `Cannot use key configuration: its ${what} is not usable here`);
}
