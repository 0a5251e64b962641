/** One try: one request under one HPKE context of its own, one answer. RFC 9458 §4.3. */
import { decodeResponse, encodeRequest } from '@privacy-edge/bhttp';
import { MEDIA_TYPE_REQUEST, MEDIA_TYPE_RESPONSE } from '@privacy-edge/ohttp';
import { type Answer, openingFailed } from './answer.ts';
import { headOf, type InnerRequest } from './inner-request.ts';
import type { Attempt } from './options.ts';
import { readBody } from './outer.ts';
import { post } from './post.ts';

/**
 * Sends a request once.
 *
 * @param request - from the application
 * @param attempt - how
 * @throws {@link ObliviousError} all codes but those about targets and redirects
 */
export function exchange(request: InnerRequest, attempt: Attempt): Promise<Answer> {
  const { body } = request;
  const { settings, date } = attempt;
  const { chunked } = settings;
  const head = headOf(request, date);
  // Only the interactive mode leaves a body a stream.
  if (chunked !== undefined && body instanceof ReadableStream) return chunked.sendStream(head, body, attempt);
  const message = encodeRequest(
    { ...head, body: (body as Uint8Array | null) ?? new Uint8Array(0), trailers: [] },
    { paddedLength: settings.padding },
  );
  return chunked === undefined ? exchangeWhole(message, attempt) : chunked.sendWhole(message, attempt);
}

async function exchangeWhole(plaintext: Uint8Array, attempt: Attempt): Promise<Answer> {
  const { encapsulator, settings, scope } = attempt;
  const { message, response } = await encapsulator.encapsulate(plaintext, settings.random);
  const outer = await post(message, MEDIA_TYPE_REQUEST, MEDIA_TYPE_RESPONSE, attempt);
  const sealed = await scope.race(readBody(outer, settings.maxResponseBytes));
  try {
    const { body, ...head } = decodeResponse(await response.open(sealed));
    return {
      head,
      content: () => {
        scope.close();
        return body;
      },
      peek: () => Promise.resolve(body),
      cancel: () => {},
    };
  } catch (cause) {
    throw openingFailed(cause);
  }
}
