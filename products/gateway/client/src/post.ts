/** The outer exchange with the relay. RFC 9458 §5. */
import { PROBLEM_MEDIA_TYPE, PROBLEM_OHTTP_KEY } from '@privacy-edge/http-fields';
import { isMediaType, problemType } from './http.ts';
import { ObliviousError } from './oblivious-error.ts';
import type { Settings } from './options.ts';
import { OUTER_INIT, readBody } from './outer.ts';
import type { Scope } from './scope.ts';

/** Longest problem document that is looked at. */
export const MAX_PROBLEM_BYTES = 16_384;

/**
 * Posts an encapsulated request, once: RFC 9458 §6.5 has no retry after a connection that failed, which proves nothing.
 *
 * @param body - encapsulated
 * @param requestType - its media type; the chunked one is sent as incremental
 * @param responseType - the only media type that an answer may have
 * @param context - the way to the relay, and how long to wait
 * @returns an answer that is encapsulated, as far as can be seen before it is opened
 * @throws {@link ObliviousError} `RELAY_UNREACHABLE`, `RELAY_STATUS`, `UNENCAPSULATED`, `KEYS_REJECTED`
 */
export async function post(
  body: Uint8Array | ReadableStream<Uint8Array>,
  requestType: string,
  responseType: string,
  { settings, scope }: { readonly settings: Settings; readonly scope: Scope },
): Promise<Response> {
  const { signal } = scope;
  const chunked = requestType.includes('chunked');
  const init: RequestInit & { duplex?: 'half' } = {
    ...OUTER_INIT,
    method: 'POST',
    // Nothing here depends on what is inside, and the relay passes nothing else on.
    headers: { 'content-type': requestType, ...(chunked && { incremental: '?1' }) },
    body: body as BodyInit,
    signal,
    ...(body instanceof ReadableStream && { duplex: 'half' }),
  };
  let response: Response;
  try {
    response = await scope.race(settings.fetch(settings.relay, init));
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    throw new ObliviousError('RELAY_UNREACHABLE', 'Cannot reach relay: no answer came', { cause });
  }
  if (response.status !== 200 || !isMediaType(response.headers.get('content-type'), responseType)) {
    throw await inClear(response, scope);
  }
  return response;
}

/** RFC 9458 §5.2: what is not encapsulated comes from the relay, or from anybody, but not from the target. */
async function inClear(response: Response, scope: Scope): Promise<ObliviousError> {
  const { status, headers } = response;
  const problem = status >= 400 && isMediaType(headers.get('content-type'), PROBLEM_MEDIA_TYPE);
  if (problem && problemType(await scope.race(readBody(response, MAX_PROBLEM_BYTES))) === PROBLEM_OHTTP_KEY) {
    return new ObliviousError('KEYS_REJECTED', 'Cannot use key configuration: the gateway does not know it', {
      status,
    });
  }
  if (!problem) void response.body?.cancel().catch(() => {});
  return response.ok
    ? new ObliviousError('UNENCAPSULATED', 'Cannot use answer: it is not encapsulated')
    : new ObliviousError('RELAY_STATUS', `Cannot use answer: the relay says ${status}`, { status });
}
