/** Chunks of a message: framing, sealing and opening, the same in both directions. Chunked OHTTP §6. */
import {
  type Awaitable,
  andThen,
  concatBytes,
  encodeVarint,
  isPromiseLike,
  replaceErrors,
  utf8,
} from '@privacy-edge/bytes';
import { ChunkFraming, type SealedChunk } from './chunk-framing.ts';
import { OhttpError, openFailed } from './ohttp-error.ts';

/** Plaintext bytes that every receiver takes in one chunk, and that senders do not exceed. Chunked OHTTP §3. */
export const MAX_CHUNK_PLAINTEXT = 16_384;

const NOTHING = new Uint8Array(0);
const FINAL = utf8('final');
const FINAL_MARK = Uint8Array.of(0);

/** Seals or opens the next chunk in order; the sequence number lives behind it. */
export type ChunkStep = (aad: Uint8Array, input: Uint8Array) => Awaitable<Uint8Array>;

/** Seals the chunks of one message, in order. Calls must not overlap. */
export class ChunkSealer {
  readonly #seal: ChunkStep;
  #finished = false;

  /** @param seal - owned by this sealer from now on */
  constructor(seal: ChunkStep) {
    this.#seal = seal;
  }

  /**
   * @param plaintext - 1 to {@link MAX_CHUNK_PLAINTEXT} bytes
   * @returns length and sealed chunk, ready to be sent
   * @throws {RangeError} for another length: an empty chunk before the last one is an error to every receiver
   * @throws {@link OhttpError} `ALREADY_USED` after the final chunk
   */
  seal(plaintext: Uint8Array): Awaitable<Uint8Array> {
    this.#assertOpen();
    if (plaintext.length === 0 || plaintext.length > MAX_CHUNK_PLAINTEXT) {
      throw new RangeError(`A chunk holds 1 to ${MAX_CHUNK_PLAINTEXT} bytes`);
    }
    return andThen(this.#seal(NOTHING, plaintext), (sealed) => concatBytes(encodeVarint(sealed.length), sealed));
  }

  /**
   * Seals the last chunk, which authenticates that the message is complete.
   *
   * @param plaintext - 0 to {@link MAX_CHUNK_PLAINTEXT} bytes
   */
  sealFinal(plaintext: Uint8Array): Awaitable<Uint8Array> {
    this.#assertOpen();
    if (plaintext.length > MAX_CHUNK_PLAINTEXT)
      throw new RangeError(`A chunk holds at most ${MAX_CHUNK_PLAINTEXT} bytes`);
    this.#finished = true;
    return andThen(this.#seal(FINAL, plaintext), (sealed) => concatBytes(FINAL_MARK, sealed));
  }

  #assertOpen(): void {
    if (this.#finished) throw new OhttpError('ALREADY_USED', 'Cannot seal chunk: the final chunk was sealed already');
  }
}

/** Opens the chunks of one message as its bytes arrive. Calls must not overlap; after an error every call throws it again. */
export class ChunkOpener {
  readonly #open: ChunkStep;
  readonly #framing: ChunkFraming;
  #failure: OhttpError | undefined;
  #authenticated = false;
  #done = false;

  /**
   * @param open - owned by this opener from now on
   * @param tagLength - bytes that sealing adds
   * @param maxChunkPlaintext - largest chunk taken, bytes; at least {@link MAX_CHUNK_PLAINTEXT}
   */
  constructor(open: ChunkStep, tagLength: number, maxChunkPlaintext: number = 4 * MAX_CHUNK_PLAINTEXT) {
    this.#open = open;
    this.#framing = new ChunkFraming(tagLength, maxChunkPlaintext + tagLength);
  }

  /** True once a chunk has been authenticated: the sender holds the keys of the exchange. Stays true after an error. */
  get authenticated(): boolean {
    return this.#authenticated;
  }

  /** True once the final chunk has been authenticated. */
  get complete(): boolean {
    return this.#done;
  }

  /**
   * @param bytes - any piece of the message; may be kept by reference until its chunk is complete
   * @returns plaintext of the chunks that are complete now; none of them is empty
   * @throws {@link OhttpError} `OPEN_FAILED` or `LIMIT`
   */
  push(bytes: Uint8Array): Awaitable<readonly Uint8Array[]> {
    return this.#run(() => {
      this.#framing.push(bytes);
      return this.#openNext([]);
    });
  }

  /**
   * The message is over.
   *
   * @returns plaintext of the final chunk, unless that is empty
   * @throws {@link OhttpError} `TRUNCATED` when the final chunk has not begun, `OPEN_FAILED` when it does not authenticate
   */
  end(): Awaitable<readonly Uint8Array[]> {
    return this.#run(() => {
      const opened: Uint8Array[] = [];
      return andThen(this.#openChunk(this.#framing.end(), opened), () => {
        this.#done = true;
        return opened;
      });
    });
  }

  #openNext(opened: Uint8Array[]): Awaitable<readonly Uint8Array[]> {
    for (let chunk = this.#framing.next(); chunk !== undefined; chunk = this.#framing.next()) {
      const pending = this.#openChunk(chunk, opened);
      // A loop while the backend is synchronous: a piece can hold more chunks than the stack has frames.
      if (isPromiseLike(pending)) return pending.then(() => this.#openNext(opened));
    }
    return opened;
  }

  #openChunk(chunk: SealedChunk, opened: Uint8Array[]): Awaitable<void> {
    return andThen(
      replaceErrors(() => this.#open(chunk.final ? FINAL : NOTHING, chunk.bytes), openFailed),
      (plaintext) => {
        // An empty chunk that is not final is a way to keep a receiver busy without progress; Chunked OHTTP §6 forbids it.
        if (plaintext.length === 0 && !chunk.final) throw openFailed();
        this.#authenticated = true;
        if (plaintext.length > 0) opened.push(plaintext);
      },
    );
  }

  #run(step: () => Awaitable<readonly Uint8Array[]>): Awaitable<readonly Uint8Array[]> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#done) throw new OhttpError('ALREADY_USED', 'Cannot open chunk: the message is complete');
    const remember = (error: unknown): never => {
      this.#failure = error instanceof OhttpError ? error : openFailed();
      throw this.#failure;
    };
    try {
      const result = step();
      return isPromiseLike(result) ? result.then(undefined, remember) : result;
    } catch (error) {
      return remember(error);
    }
  }
}
