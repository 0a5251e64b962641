/** What the runtime gives where the application passes nothing in: network, clock, timer. */

/** A `fetch`, for instance one that goes through a relay. */
export type Fetch = (input: string, init: RequestInit) => Promise<Response>;

/**
 * Waits.
 *
 * @param ms - at least 0
 * @param signal - ends the wait early, with its reason
 */
export type Wait = (ms: number, signal: AbortSignal | undefined) => Promise<void>;

/** Cloudflare's runtime has none of what the members below switch off, and refuses to hear about it. */
const isWorkerd: boolean = typeof navigator === 'object' && navigator.userAgent === 'Cloudflare-Workers';

/** Nothing goes along that tells more than the address does. */
export const ANONYMOUS: RequestInit = isWorkerd ? {} : { credentials: 'omit', referrerPolicy: 'no-referrer' };

/** No cache answers in place of the server. */
export const UNCACHED: RequestInit = isWorkerd ? {} : { cache: 'no-store' };

/** The platform's `fetch`, looked up when it is called. */
export const platformFetch: Fetch = (input, init) => fetch(input, init);

/** The platform's clock, milliseconds since the epoch. */
export const platformNow = (): number => Date.now();

/** The platform's timer. */
export const platformWait: Wait = (ms, signal) =>
  new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    if (signal?.aborted === true) stop();
    else signal?.addEventListener('abort', stop, { once: true });
  });
