/** The response inside. RFC 9458 §4.4. */
import type { ResponseHead } from '@privacy-edge/bhttp';
import { DecodeError } from '@privacy-edge/bytes';
import { OhttpError } from '@privacy-edge/ohttp';
import { ObliviousError } from './oblivious-error.ts';

/** The response of a target, of which at least the head has arrived and opened. */
export interface Answer {
  /** Status and fields. */
  readonly head: ResponseHead;
  /** The content: bytes if all of it is there, otherwise a stream that is read as fast as it is consumed. Once. */
  content(): Uint8Array | ReadableStream<Uint8Array>;
  /**
   * The content if it is short; it stays available to {@link Answer.content}.
   *
   * @param maxBytes - the most that is waited for
   */
  peek(maxBytes: number): Promise<Uint8Array>;
  /** Gives the rest up. */
  cancel(): void;
}

/**
 * What the caller of `fetch` is told when a response cannot be opened.
 *
 * @param cause - from any layer below; what is not about the response comes back unchanged
 */
export function openingFailed(cause: unknown): unknown {
  if (cause instanceof OhttpError && cause.code === 'TRUNCATED') {
    return new ObliviousError('TRUNCATED', 'Cannot read response: it ends before it is complete', { cause });
  }
  if (!(cause instanceof OhttpError) && !(cause instanceof DecodeError)) return cause;
  return new ObliviousError('OPEN_FAILED', 'Cannot open response: it is not what the gateway sealed for us', { cause });
}
