/**
 * The little of HTTP that a client needs to read. The general parsers of this kit judge what a peer sends more strictly,
 * but every page that uses this client would have to load them; here nothing but the outcome for this client depends on it.
 */

/**
 * @param contentType - attacker-controlled
 * @param essence - lower case, without parameters
 * @returns whether the field names that media type, whatever its parameters
 */
export function isMediaType(contentType: string | null | undefined, essence: string): boolean {
  return contentType?.split(';', 1)[0]?.trim().toLowerCase() === essence;
}

/**
 * How long a response stays fresh. RFC 9111 §4.2.
 *
 * @param headers - Cache-Control and Age are looked at
 * @param unsaid - milliseconds, where the response does not say
 * @returns milliseconds from now on, 0 for what must not be stored
 */
export function lifetimeMs(headers: Headers, unsaid: number): number {
  const directives = headers.get('cache-control') ?? '';
  if (/\bno-(?:store|cache)\b/i.test(directives)) return 0;
  const maxAge = /(?:^|[\s,])max-age="?(\d+)/i.exec(directives)?.[1];
  return maxAge === undefined ? unsaid : 1000 * Math.max(0, Number(maxAge) - seconds(headers.get('age')));
}

/**
 * @param text - a number of seconds, such as the value of Age; attacker-controlled
 * @returns 0 for anything else
 */
export function seconds(text: string | null | undefined): number {
  return /^\d{1,9}$/.test(text ?? '') ? Number(text) : 0;
}

/** RFC 9110 §5.6.7. @param timeMs - since the epoch */
export function formatDate(timeMs: number): string {
  return new Date(timeMs).toUTCString();
}

/**
 * @param text - attacker-controlled
 * @returns milliseconds since the epoch; NaN unless it is in the preferred form of RFC 9110 §5.6.7, with a year from 1000 on,
 *   because runtimes read smaller ones as years of two digits
 */
export function parseDate(text: string | undefined): number {
  return /^\w{3}, \d\d \w{3} [1-9]\d{3} \d\d:\d\d:\d\d GMT$/.test(text ?? '') ? Date.parse(text as string) : Number.NaN;
}

/**
 * @param bytes - attacker-controlled
 * @returns the `type` of a problem document, if it is one
 * @see RFC 9457 §3.1.1
 */
export function problemType(bytes: Uint8Array): unknown {
  try {
    return (JSON.parse(new TextDecoder().decode(bytes)) as { readonly type?: unknown } | null)?.type;
  } catch {
    return undefined;
  }
}
