/** What an application decides about its oblivious fetch. */
import type { RequestHead } from '@privacy-edge/bhttp';
import { type Encapsulator, type SymmetricSuite, systemRandom } from '@privacy-edge/ohttp';
import type { Answer } from './answer.ts';
import type { Scope } from './scope.ts';

/** The part of `fetch` that is needed. */
export type Fetch = (input: string, init: RequestInit) => Promise<Response>;

/**
 * Where key configurations (`application/ohttp-keys`) come from. Whoever hands them out must not be able to give each
 * client its own: ship them, pin them, or take them from where everybody does, such as the relay.
 */
export type KeySource =
  /** A list shipped with the application. */
  | Uint8Array
  /** Fetched from a server, which must be https. */
  | {
      readonly url: string | URL;
      /** How to get there, for instance through a proxy; default the option of the same name. */
      readonly fetch?: Fetch | undefined;
      /**
       * SHA-256 digests, as `sha256-` and base64, as base64url or as hexadecimal, of a whole list or of one key configuration in it.
       * With pins, nothing else is used.
       */
      readonly pin?: readonly string[] | undefined;
    }
  /** Any other way. Called again only after the gateway has rejected what it gave. */
  | (() => Promise<Uint8Array>);

/**
 * Which targets the gateway may serve: one origin, several, or a predicate. The target is not authenticated to the
 * client, the gateway's word is all there is, so this is where an application says whom it trusts with what.
 *
 * @see RFC 9458 §6.1
 */
export type TargetRule = string | readonly string[] | ((target: URL) => boolean);

/** Something that happened on the way of one request; for logs and tests. Holds no address and no content. */
export type ObliviousEvent =
  /** Key configurations were loaded. */
  | { readonly type: 'keys'; readonly usable: number; readonly skipped: number }
  /** The request is sent again: with other keys, or once with the gateway's date. */
  | { readonly type: 'retry'; readonly reason: 'keys' | 'date' }
  /** A redirect of the target is followed through the gateway. */
  | { readonly type: 'redirect'; readonly status: number };

/** Options of `createObliviousFetch`. */
export interface ObliviousFetchOptions {
  /** The relay resource; https, except on loopback. Sees the client's address, and sizes and times, nothing else. */
  readonly relay: string | URL;
  /** Targets that this gateway may serve; default every https origin. */
  readonly gateway?: TargetRule | undefined;
  readonly keys: KeySource;
  /** Reaches the relay; default the global one. */
  readonly fetch?: Fetch | undefined;
  /** Milliseconds since the epoch; default the system's clock. */
  readonly now?: (() => number) | undefined;
  /** Fresh bytes from a cryptographic generator; default the runtime's. */
  readonly random?: ((length: number) => Uint8Array) | undefined;
  /**
   * Narrows which algorithms may be used; default everything usable, in the gateway's order. Outside of Node everything but
   * DHKEM(X25519, HKDF-SHA256), 0x0020, with AES-GCM is loaded when it is first used. A service worker may not load
   * anything later: bundle it into one file, or narrow the choice to these.
   */
  readonly preference?: ((kemId: number, suite: SymmetricSuite) => boolean) | undefined;
  /**
   * To how many bytes a request of so many is padded with zeros; at least as many. Default the next power of two from
   * 256 to 65536, then multiples of 65536.
   */
  readonly padding?: 'none' | ((length: number) => number) | undefined;
  /** Whether requests carry a Date, which gateways that refuse replays want (RFC 9458 §6.5.1); default true. */
  readonly date?: boolean | undefined;
  /**
   * How chunked messages are used: `chunkedResponse` or `interactive` of this package. Default not at all: requests and
   * responses are whole messages, and the code for chunks need not be loaded. There is no fallback from one to another,
   * which would split clients into groups (Chunked OHTTP §7).
   */
  readonly chunked?: ChunkedMode | undefined;
  /** Milliseconds until a whole message, or the head of a chunked one, must have arrived; default 60000. */
  readonly timeoutMs?: number | undefined;
  /** Longest encapsulated response, bytes; default 32 MiB for whole messages and 1 GiB for chunked ones. */
  readonly maxResponseBytes?: number | undefined;
  /** Called at once; must not throw. */
  readonly onEvent?: ((event: ObliviousEvent) => void) | undefined;
}

/** A way to use chunked messages; made by this package only. */
export interface ChunkedMode {
  /** Whether a request body that is a stream is sent as it is produced. */
  readonly interactive: boolean;
  /** @param plaintext - complete binary request */
  sendWhole(plaintext: Uint8Array, attempt: Attempt): Promise<Answer>;
  /** @param body - from the application */
  sendStream(head: RequestHead, body: ReadableStream<Uint8Array>, attempt: Attempt): Promise<Answer>;
}

/** Everything that one try needs beside the request. */
export interface Attempt {
  /** Value of Date, if the request has one. */
  readonly date: string | undefined;
  /** For the keys in use. */
  readonly encapsulator: Encapsulator;
  readonly settings: Settings;
  readonly scope: Scope;
}

/** The options with all defaults in place. */
export interface Settings {
  readonly relay: string;
  readonly keys: KeySource;
  readonly preference: ObliviousFetchOptions['preference'];
  readonly fetch: Fetch;
  readonly now: () => number;
  readonly random: (length: number) => Uint8Array;
  readonly padding: (length: number) => number;
  readonly date: boolean;
  readonly chunked: ChunkedMode | undefined;
  readonly timeoutMs: number;
  readonly maxResponseBytes: number;
  readonly onEvent: (event: ObliviousEvent) => void;
  readonly mayServe: (target: URL) => boolean;
}

/**
 * @param options - from the application
 * @throws {TypeError} for a relay that is not https
 */
export function settingsOf(options: ObliviousFetchOptions): Settings {
  const { padding = powerOfTwo, chunked } = options;
  return {
    relay: secureUrl(options.relay),
    keys: options.keys,
    preference: options.preference,
    fetch: options.fetch ?? ((input, init) => fetch(input, init)),
    now: options.now ?? Date.now,
    random: options.random ?? systemRandom,
    padding: padding === 'none' ? (length) => length : padding,
    date: options.date ?? true,
    chunked,
    timeoutMs: options.timeoutMs ?? 60_000,
    maxResponseBytes: options.maxResponseBytes ?? (chunked === undefined ? 2 ** 25 : 2 ** 30),
    onEvent: options.onEvent ?? (() => {}),
    mayServe: predicateOf(options.gateway),
  };
}

/**
 * @param url - absolute
 * @returns the same as text
 * @throws {TypeError} unless it is https, or http on loopback, which no network ever sees
 */
export function secureUrl(url: string | URL): string {
  const { href, protocol, hostname } = new URL(url);
  const loopback = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname);
  if (protocol !== 'https:' && !(protocol === 'http:' && loopback)) {
    throw new TypeError('Cannot use relay or key source: its URL must be https');
  }
  return href;
}

function predicateOf(rule: TargetRule | undefined): (target: URL) => boolean {
  if (rule === undefined) return (target) => target.protocol === 'https:';
  if (typeof rule === 'function') return rule;
  const origins = [rule].flat().map((origin) => new URL(origin).origin);
  return (target) => origins.includes(target.origin);
}

function powerOfTwo(length: number): number {
  if (length > 65_536) return Math.ceil(length / 65_536) * 65_536;
  return Math.max(256, 2 ** Math.ceil(Math.log2(length)));
}
