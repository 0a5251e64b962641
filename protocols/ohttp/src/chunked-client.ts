/** The client's side of one chunked exchange; apart from whole messages, so that who does not stream need not load it. */
import { type Awaitable, andThen, utf8 } from '@privacy-edge/bytes';
import type { RandomSource } from '@privacy-edge/hpke';
import { ChunkedResponseOpener } from './chunked-response.ts';
import { ChunkOpener, ChunkSealer } from './chunks.ts';
import type { Encapsulator } from './client.ts';
import { CHUNKED_LABELS } from './labels.ts';
import { deriveResponseKeys, responseNonceLength } from './response-keys.ts';

/** The beginning of a chunked request, the sealer for what follows, and the opener for the answer. */
export interface EncapsulatedChunkedRequest {
  /** First bytes of a `message/ohttp-chunked-req`: header and encapsulated key. */
  readonly header: Uint8Array;
  readonly request: ChunkSealer;
  readonly response: ChunkedResponseOpener;
}

/**
 * Starts a chunked request.
 *
 * @param encapsulator - for the key configuration in use
 * @param random - for the ephemeral key; called anew for each request, also for a retry
 * @throws {@link OhttpError} `CONFIG_UNUSABLE`
 * @see Chunked OHTTP §6.1
 */
export function encapsulateChunked(
  encapsulator: Encapsulator,
  random: RandomSource,
): Awaitable<EncapsulatedChunkedRequest> {
  return andThen(encapsulator.start(CHUNKED_LABELS.request, random), ({ header, enc, context, hpke }) => ({
    header,
    request: new ChunkSealer((aad, plaintext) => context.seal(aad, plaintext)),
    response: new ChunkedResponseOpener(
      responseNonceLength(hpke),
      (responseNonce) => deriveResponseKeys(hpke, context, utf8(CHUNKED_LABELS.response), enc, responseNonce),
      (openChunk) => new ChunkOpener(openChunk, hpke.aead.Nt),
    ),
  }));
}
