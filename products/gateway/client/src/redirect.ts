/** Redirects of the target, followed through the gateway by the rules of Fetch. RFC 9110 §15.4. */
import { getField, type ResponseHead } from '@privacy-edge/bhttp';
import { type InnerRequest, targetOf } from './inner-request.ts';
import { ObliviousError } from './oblivious-error.ts';

/** Redirects followed in one call, as in Fetch. */
export const MAX_REDIRECTS = 20;

const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];
/** Fields that speak of a body that is no longer sent. */
const OF_BODY = /^content-(?:encoding|language|location|type)$/;
/** Fields meant for one origin only. */
const OF_ORIGIN = /^(?:proxy-)?authorization$|^cookie$/;

/**
 * The request that a redirect asks for.
 *
 * @param request - what was answered
 * @param head - the target's answer
 * @param mode - as for `fetch`
 * @returns undefined when the answer is to be returned as it is
 * @throws {@link ObliviousError} `REDIRECT`
 */
export function redirected(request: InnerRequest, head: ResponseHead, mode: RequestRedirect): InnerRequest | undefined {
  const location = getField(head.fields, 'location');
  if (!REDIRECTS.includes(head.status) || mode === 'manual') return undefined;
  if (mode === 'error') throw refused('redirects are set to be errors');
  if (location === undefined) return undefined;
  const url = parse(location, request.url);
  const { status } = head;
  const { method } = request;
  const toGet = status === 303 ? method !== 'GET' && method !== 'HEAD' : status < 303 && method === 'POST';
  const body = toGet ? null : request.body;
  if (body instanceof ReadableStream) throw refused('its body was a stream, which cannot be sent again');
  const away = url.origin !== request.url.origin;
  const fields = request.fields.filter(([name]) => !(toGet && OF_BODY.test(name)) && !(away && OF_ORIGIN.test(name)));
  return { method: toGet ? 'GET' : method, url, fields, body };
}

function parse(location: string, base: URL): URL {
  try {
    return targetOf(location, base);
  } catch (cause) {
    throw refused('it leads to no http or https URL', { cause });
  }
}

/**
 * @param why - completes the message
 * @param options - `cause`
 */
export function refused(why: string, options?: ErrorOptions): ObliviousError {
  return new ObliviousError('REDIRECT', `Cannot follow redirect: ${why}`, options);
}
