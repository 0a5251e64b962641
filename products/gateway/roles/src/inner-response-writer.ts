/** Writes the response of a chunked exchange as sealed chunks. Chunked OHTTP §6.2. */
import {
  type BinaryResponse,
  type Field,
  type InformationalResponse,
  ResponseEncoder,
  type ResponseHead,
} from '@privacy-edge/bhttp';
import { type ChunkSealer, MAX_CHUNK_PLAINTEXT } from '@privacy-edge/ohttp';
import { type PaddingPolicy, paddedLength } from './padding.ts';

/** Encodes and seals; every method yields bytes that are ready to be sent. One call at a time, in the order of HTTP. */
export class InnerResponseWriter {
  readonly #encoder = new ResponseEncoder();
  readonly #sealer: ChunkSealer;
  readonly #padding: PaddingPolicy;
  #length = 0;

  constructor(sealer: ChunkSealer, padding: PaddingPolicy) {
    this.#sealer = sealer;
    this.#padding = padding;
  }

  /** An informational response, sent at once. */
  informational(response: InformationalResponse): AsyncGenerator<Uint8Array> {
    return this.#seal(this.#encoder.informational(response));
  }

  /** The head of the final response, sent at once. */
  head(head: ResponseHead): AsyncGenerator<Uint8Array> {
    return this.#seal(this.#encoder.head(head));
  }

  /** A piece of content, sent at once. */
  data(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
    return this.#seal(this.#encoder.data(bytes));
  }

  /** The end of the response with its padding, in the final chunk and as many before it as the padding needs. */
  async *end(trailers: readonly Field[]): AsyncGenerator<Uint8Array> {
    const bare = this.#encoder.end(trailers);
    const unpadded = this.#length + bare.length;
    // Padding is zero bytes behind the message (RFC 9292 §3.8), so it can be put on afterwards.
    const tail = new Uint8Array(bare.length + paddedLength(this.#padding, unpadded) - unpadded);
    tail.set(bare);
    const last = Math.max(0, Math.ceil(tail.length / MAX_CHUNK_PLAINTEXT) - 1) * MAX_CHUNK_PLAINTEXT;
    yield* this.#seal(tail.subarray(0, last));
    yield await this.#sealer.sealFinal(tail.subarray(last));
  }

  /** A complete response that was made here. */
  async *whole(response: BinaryResponse): AsyncGenerator<Uint8Array> {
    yield* this.head(response);
    yield* this.data(response.body);
    yield* this.end(response.trailers);
  }

  async *#seal(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
    this.#length += bytes.length;
    for (let at = 0; at < bytes.length; at += MAX_CHUNK_PLAINTEXT) {
      yield await this.#sealer.seal(bytes.subarray(at, at + MAX_CHUNK_PLAINTEXT));
    }
  }
}
