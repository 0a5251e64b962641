/** Chunked responses: a response nonce, then chunks under keys derived with it. Chunked OHTTP §6.2. */
import { type Awaitable, andThen, concatBytes } from '@privacy-edge/bytes';
import type { ChunkOpener, ChunkStep } from './chunks.ts';
import { OhttpError } from './ohttp-error.ts';
import type { ResponseKeys } from './response-keys.ts';

/**
 * Opens or seals successive chunks of a response: the nonce of chunk i is the response's AEAD nonce XOR i.
 *
 * The number is taken before the operation starts, so two operations can never share a nonce.
 */
export function responseChunkStep(keys: ResponseKeys, direction: 'seal' | 'open'): ChunkStep {
  let counter = 0;
  return (aad, input) => {
    if (counter >= MAX_CHUNKS) throw new OhttpError('LIMIT', 'Cannot continue response: too many chunks');
    const nonce = chunkNonce(keys.nonce, counter++);
    return direction === 'seal' ? keys.key.seal(nonce, aad, input) : keys.key.open(nonce, aad, input);
  };
}

/**
 * Chunked OHTTP §7.3 asks for a limit well below the 256^Nn chunks after which nonces repeat. This many chunks of 16 KiB are
 * fewer than the records that RFC 8446 §5.5 allows one AES-GCM key.
 */
const MAX_CHUNKS = 2 ** 24;

/** `base` XOR the counter as a big-endian number of the same length. */
export function chunkNonce(base: Uint8Array, counter: number): Uint8Array {
  const nonce = base.slice();
  let rest = counter;
  for (let i = nonce.length - 1; rest > 0 && i >= 0; i--) {
    nonce[i] = (nonce[i] as number) ^ (rest & 0xff);
    rest = Math.floor(rest / 256);
  }
  return nonce;
}

/** Opens the chunked response to one request as its bytes arrive. Calls must not overlap. */
export class ChunkedResponseOpener {
  readonly #nonceLength: number;
  readonly #derive: (responseNonce: Uint8Array) => Awaitable<ResponseKeys>;
  readonly #makeOpener: (openChunk: ChunkStep) => ChunkOpener;
  #head: Uint8Array = new Uint8Array(0);
  #opener: ChunkOpener | undefined;

  /** Made by `encapsulateChunked`. */
  constructor(
    nonceLength: number,
    derive: (responseNonce: Uint8Array) => Awaitable<ResponseKeys>,
    makeOpener: (openChunk: ChunkStep) => ChunkOpener,
  ) {
    this.#nonceLength = nonceLength;
    this.#derive = derive;
    this.#makeOpener = makeOpener;
  }

  /** True once the final chunk has been authenticated: before that the response may have been cut. */
  get complete(): boolean {
    return this.#opener?.complete ?? false;
  }

  /**
   * @param bytes - any piece of a `message/ohttp-chunked-res`; controlled by relay and gateway
   * @returns plaintext chunks that are complete now
   * @throws {@link OhttpError} `OPEN_FAILED` or `LIMIT`
   */
  push(bytes: Uint8Array): Awaitable<readonly Uint8Array[]> {
    if (this.#opener !== undefined) return this.#opener.push(bytes);
    const missing = this.#nonceLength - this.#head.length;
    this.#head = concatBytes(this.#head, bytes.subarray(0, missing));
    if (this.#head.length < this.#nonceLength) return [];
    return andThen(this.#derive(this.#head), (keys) => {
      this.#opener = this.#makeOpener(responseChunkStep(keys, 'open'));
      return this.#opener.push(bytes.subarray(missing));
    });
  }

  /**
   * The response is over.
   *
   * @returns plaintext of the final chunk, unless that is empty
   * @throws {@link OhttpError} `TRUNCATED` when the final chunk is missing: what was returned before must not be trusted to be all
   */
  end(): Awaitable<readonly Uint8Array[]> {
    if (this.#opener === undefined)
      throw new OhttpError('TRUNCATED', 'Cannot open message: it ends before its final chunk');
    return this.#opener.end();
  }
}
