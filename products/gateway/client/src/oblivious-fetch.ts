/** The Oblivious HTTP client as a `fetch`. RFC 9458 §6.1. */
import { getField, toFetchResponse } from '@privacy-edge/bhttp';
import { PROBLEM_DATE, PROBLEM_MEDIA_TYPE } from '@privacy-edge/http-fields';
import type { Answer } from './answer.ts';
import { exchange } from './exchange.ts';
import { formatDate, isMediaType, parseDate, problemType, seconds } from './http.ts';
import { type InnerRequest, readInnerRequest } from './inner-request.ts';
import { KeyStore } from './key-store.ts';
import { ObliviousError } from './oblivious-error.ts';
import { type ObliviousFetchOptions, type Settings, settingsOf } from './options.ts';
import { MAX_PROBLEM_BYTES } from './post.ts';
import { MAX_REDIRECTS, redirected, refused } from './redirect.ts';
import { Scope } from './scope.ts';

/** Takes what `fetch` takes and gives what it gives, without telling the target who asks. */
export interface ObliviousFetch {
  /**
   * @throws {@link ObliviousError}; the reason of an aborted signal; {@link TypeError} for what `fetch` would refuse
   */
  (input: RequestInfo | URL, init?: RequestInit): Promise<Response>;
  /** Forgets the key configurations, also such as are being loaded. */
  invalidateKeys(): void;
}

/**
 * Makes a `fetch` whose requests reach their targets through a relay and a gateway.
 *
 * Redirects are followed through the gateway. A request is sent again in two cases only, at most once for each, and never
 * after a failed connection: the gateway does not know the key configuration and there is a newer one (RFC 9458 §5.3),
 * or the gateway finds the date wrong (RFC 9458 §6.5.2). Cookies, credentials and caches of the platform are never used.
 *
 * @example
 * const fetch = createObliviousFetch({
 *   relay: 'https://relay.example/app',
 *   gateway: 'https://app.example',
 *   keys: { url: 'https://relay.example/app/keys', pin: ['sha256-…'] },
 * });
 * const response = await fetch('https://app.example/report', { method: 'POST', body: '{}' });
 *
 * @param options - from the application
 * @throws {TypeError} for a relay that is not https
 */
export function createObliviousFetch(options: ObliviousFetchOptions): ObliviousFetch {
  const settings = settingsOf(options);
  const keys = new KeyStore(settings);
  return Object.assign(
    async (input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> => {
      const request = input instanceof Request ? input : undefined;
      const scope = new Scope(init.signal === undefined ? request?.signal : init.signal, settings.timeoutMs);
      try {
        const inner = await scope.race(readInnerRequest(input, init, settings.chunked?.interactive === true));
        return await follow(inner, init.redirect ?? request?.redirect ?? 'follow', { keys, settings, scope });
      } catch (error) {
        scope.close();
        throw error;
      }
    },
    { invalidateKeys: () => keys.invalidate() },
  );
}

/** What the steps of one call share. */
interface Call {
  readonly keys: KeyStore;
  readonly settings: Settings;
  readonly scope: Scope;
}

async function follow(first: InnerRequest, mode: RequestRedirect, call: Call): Promise<Response> {
  let request = first;
  for (let hops = 0; ; hops++) {
    if (!call.settings.mayServe(request.url)) {
      throw new ObliviousError('TARGET_FORBIDDEN', 'Cannot fetch: the gateway may not serve this target');
    }
    const answer = await sendWithRetries(request, call);
    const next = redirected(request, answer.head, mode);
    if (next === undefined) return toResponse(answer, request, hops > 0);
    answer.cancel();
    if (hops === MAX_REDIRECTS) throw refused(`there are more than ${MAX_REDIRECTS}`);
    call.settings.onEvent({ type: 'redirect', status: answer.head.status });
    request = next;
  }
}

function toResponse(answer: Answer, { method, url }: InnerRequest, wasRedirected: boolean): Response {
  const response = toFetchResponse(answer.head, answer.content(), method);
  // Response has no way to say these two, which callers resolve relative links by.
  return Object.defineProperties(response, {
    url: { value: url.href },
    redirected: { value: wasRedirected },
  });
}

async function sendWithRetries(request: InnerRequest, call: Call): Promise<Answer> {
  const { keys, settings, scope } = call;
  const once = request.body instanceof ReadableStream;
  let keysRetried = once;
  let dateRetried = once || !settings.date;
  let date = settings.date ? formatDate(settings.now()) : undefined;
  let set = await scope.race(keys.get());
  for (;;) {
    try {
      const answer = await exchange(request, { date, encapsulator: set.encapsulator, settings, scope });
      const corrected = dateRetried ? undefined : await correctedDate(answer);
      if (corrected === undefined) return answer;
      // For this one request only: remembered, it would let the gateway recognise later ones (RFC 9458 §6.5.2).
      date = corrected;
      dateRetried = true;
      settings.onEvent({ type: 'retry', reason: 'date' });
    } catch (error) {
      if (keysRetried || !(error instanceof ObliviousError && error.code === 'KEYS_REJECTED')) throw error;
      keysRetried = true;
      keys.invalidate(set);
      const newer = await scope.race(keys.get());
      // The relay can make this answer up, so all it can bring about is a look for newer keys.
      if (newer.digest === set.digest) throw error;
      set = newer;
      settings.onEvent({ type: 'retry', reason: 'keys' });
    }
  }
}

/** The date a gateway wants, if that is what its answer says. RFC 9458 §6.5.2. */
async function correctedDate(answer: Answer): Promise<string | undefined> {
  const { status, fields } = answer.head;
  if (status !== 400 || !isMediaType(getField(fields, 'content-type'), PROBLEM_MEDIA_TYPE)) return undefined;
  if (problemType(await answer.peek(MAX_PROBLEM_BYTES)) !== PROBLEM_DATE) return undefined;
  const dateMs = parseDate(getField(fields, 'date')) + 1000 * seconds(getField(fields, 'age'));
  // The sum may leave the years that the field can name, which end there; NaN compares as false.
  return dateMs >= 0 && dateMs < 2534023008e5 ? formatDate(dateMs) : undefined;
}
