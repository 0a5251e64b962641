/** What is common to the two outer exchanges, with the relay and with the source of keys. */
import { concatBytes } from '@privacy-edge/bytes';
import { ObliviousError } from './oblivious-error.ts';

/**
 * How outer requests are made: with nothing that tells the other side more than the address does. A redirect is not
 * followed, and so is not the expected answer. Cloudflare's runtime has none of what these switch off, and refuses to hear
 * about it.
 *
 * Messages have no cache mode: no cache keeps the answer to a POST, and Chromium takes `no-store` to mean that the
 * preflight is to be repeated for every one of them.
 */
export const OUTER_INIT: RequestInit = /* @__PURE__ */ outerInit();
/** The same for GET, without a trace in caches. */
export const OUTER_GET_INIT: RequestInit = /* @__PURE__ */ outerInit({ cache: 'no-store' });

function outerInit(more: RequestInit = {}): RequestInit {
  const redirect = 'manual';
  if (typeof navigator === 'object' && navigator.userAgent === 'Cloudflare-Workers') return { redirect };
  return { redirect, credentials: 'omit', referrerPolicy: 'no-referrer', mode: 'cors', ...more };
}

/** Reads a body piece by piece under a limit. */
export class BodyReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #left: number;

  /**
   * @param response - its body is owned by this reader from now on
   * @param maxBytes - the most that is read
   */
  constructor(response: Response, maxBytes: number) {
    this.#reader = response.body?.getReader();
    this.#left = maxBytes;
  }

  /**
   * The next piece.
   *
   * @returns undefined at the end
   * @throws {@link ObliviousError} `TOO_LARGE`; `TRUNCATED` when the connection breaks
   */
  async read(): Promise<Uint8Array | undefined> {
    const next = await this.#reader?.read().catch((cause: unknown) => {
      throw new ObliviousError('TRUNCATED', 'Cannot read response: the connection broke', { cause });
    });
    if (next?.value === undefined) return undefined;
    this.#left -= next.value.length;
    if (this.#left < 0) {
      this.cancel();
      throw new ObliviousError('TOO_LARGE', 'Cannot read response: it is too long');
    }
    return next.value;
  }

  /** Gives the rest up; a pending {@link BodyReader.read} reports the end. */
  cancel(): void {
    void this.#reader?.cancel().catch(() => {});
  }
}

/**
 * Reads a whole body.
 *
 * @param response - consumed
 * @param maxBytes - the most that is held
 * @throws {@link ObliviousError} like {@link BodyReader.read}
 */
export async function readBody(response: Response, maxBytes: number): Promise<Uint8Array> {
  const reader = new BodyReader(response, maxBytes);
  let held: Uint8Array = new Uint8Array(0);
  let length = 0;
  for (let piece = await reader.read(); piece !== undefined; piece = await reader.read()) {
    const end = length + piece.length;
    // Growing by doubling keeps bytes, not pieces, which may be one byte each.
    if (end > held.length) held = concatBytes(held, new Uint8Array(end));
    held.set(piece, length);
    length = end;
  }
  return held.subarray(0, length);
}
