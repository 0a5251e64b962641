/**
 * The relay's one copy of a gateway's key configurations. RFC 9458 §3.2, RFC 9540 §6.
 *
 * All clients get the same copy, and the gateway sees one request of the relay instead of one of each client, so it
 * cannot hand a client keys of its own. For the same reason a gateway that forbids caching is overruled for
 * {@link MIN_LIFETIME_MS}: the relay does not cache somebody's answer here, it publishes a copy under its own name.
 */

import type { Field } from '@privacy-edge/bhttp';
import { DecodeError } from '@privacy-edge/bytes';
import { BodyError } from '@privacy-edge/http-exchange';
import { freshnessMs, isMediaType } from '@privacy-edge/http-fields';
import { KeyConfigList, MEDIA_TYPE_KEYS } from '@privacy-edge/ohttp';
import { type Clock, type Forward, ForwardError, type ForwardResponse } from './ports.ts';
import { MAX_REDIRECTS, redirectsGet, redirectTarget } from './relay-discovery.ts';
import { FORWARD_FAILURES, RESPONSE_BODY_FAILURES, RelayError } from './relay-error.ts';

/** Longest key configuration list that is read. */
const MAX_KEYS_BYTES = 65_536;
/** A copy is kept at least this long, whatever the gateway says. */
const MIN_LIFETIME_MS = 60_000;
/** Lifetime of a copy whose gateway does not say. */
const DEFAULT_LIFETIME_MS = 600_000;
/** A copy is never kept longer, so that a wrong lifetime heals by itself. */
const MAX_LIFETIME_MS = 86_400_000;
/** After a failure the gateway is left alone this long, so that its clients cannot hammer it through the relay. */
const FAILURE_PAUSE_MS = 5_000;

/** Where a list comes from. */
export interface KeysSource {
  /** Name of the gateway in the configuration. */
  readonly gateway: string;
  /** Absolute URL that answers GET with `application/ohttp-keys`. */
  readonly url: string;
  /** True for a well-known URI, whose redirects are followed; a configured URL means exactly itself. */
  readonly followRedirects: boolean;
  readonly timeoutMs: number;
  readonly allowPrivate: boolean;
}

/** A list that parsed, and how long it is good for. */
export interface KeysCopy {
  /** Exactly as the gateway sent it. */
  readonly bytes: Uint8Array;
  /** Where the list was found in the end. */
  readonly url: string;
  readonly receivedAtMs: number;
  readonly lifetimeMs: number;
}

interface HeldCopy extends KeysCopy {
  readonly etag: string | undefined;
}

/** Fetches one list when it is needed, once for everybody who waits for it. */
export class KeysCache {
  readonly #forward: Forward;
  readonly #clock: Clock;
  readonly #source: KeysSource;
  /** No client can abort a fetch that others wait for; the source's timeout ends it. */
  readonly #signal = new AbortController().signal;
  #copy: HeldCopy | undefined;
  #pending: Promise<HeldCopy> | undefined;
  #failure: { readonly error: RelayError; readonly untilMs: number } | undefined;
  /** Counts calls of {@link KeysCache.renew}, so that an answer to a question from before one is not kept. */
  #renewals = 0;

  /**
   * @param forward - how the gateway is reached
   * @param clock - decides freshness
   * @param source - from the operator
   */
  constructor(forward: Forward, clock: Clock, source: KeysSource) {
    this.#forward = forward;
    this.#clock = clock;
    this.#source = source;
  }

  /**
   * The current copy, fetched if there is none or it is stale.
   *
   * @throws {@link RelayError} `GATEWAY_…` when no list can be had
   */
  async get(): Promise<KeysCopy> {
    const nowMs = this.#clock();
    const held = this.#copy;
    if (held !== undefined && nowMs - held.receivedAtMs < held.lifetimeMs) return held;
    if (this.#failure !== undefined && nowMs < this.#failure.untilMs) throw this.#failure.error;
    if (this.#pending !== undefined) return this.#pending;
    const pending = this.#refresh(held).finally(() => {
      if (this.#pending === pending) this.#pending = undefined;
    });
    this.#pending = pending;
    return pending;
  }

  /** Makes the next {@link KeysCache.get} ask the gateway again, as when it turns out that the gateway has moved. */
  expire(): void {
    if (this.#copy !== undefined) this.#copy = { ...this.#copy, lifetimeMs: 0 };
  }

  /**
   * {@link KeysCache.expire} for the operator, whose gateway has other keys now: what was asked before does not count
   * either. Nothing that a client does may lead here, since each call can cost the gateway a request.
   */
  renew(): void {
    this.#renewals++;
    this.#pending = undefined;
    this.#failure = undefined;
    this.expire();
  }

  async #refresh(held: HeldCopy | undefined): Promise<HeldCopy> {
    const renewals = this.#renewals;
    try {
      const copy = await this.#fetch(held);
      // Who asked before a renewal gets this answer; who asks later must not.
      if (renewals !== this.#renewals) return copy;
      this.#copy = copy;
      this.#failure = undefined;
      return copy;
    } catch (cause) {
      const error = asRelayError(cause);
      if (renewals === this.#renewals) this.#failure = { error, untilMs: this.#clock() + FAILURE_PAUSE_MS };
      throw error;
    }
  }

  async #fetch(held: HeldCopy | undefined): Promise<HeldCopy> {
    let url = this.#source.url;
    for (let hops = 0; ; hops++) {
      const response = await this.#ask(url, held?.etag);
      if (response.status === 304 && held !== undefined) return { ...held, url, ...this.#freshness(response) };
      if (response.status === 200) return this.#accept(url, response);
      const next = this.#redirect(url, response);
      await discard(response);
      if (next === undefined || hops === MAX_REDIRECTS) throw invalid(`it answered ${response.status}`);
      url = next;
    }
  }

  #ask(url: string, etag: string | undefined): Promise<ForwardResponse> {
    const { gateway, timeoutMs, allowPrivate } = this.#source;
    const fields: Field[] = [['accept', MEDIA_TYPE_KEYS]];
    if (etag !== undefined) fields.push(['if-none-match', etag]);
    return this.#forward({ gateway, url, method: 'GET', fields, body: null, timeoutMs, allowPrivate }, this.#signal);
  }

  #redirect(from: string, response: ForwardResponse): string | undefined {
    if (!this.#source.followRedirects || !redirectsGet(response.status)) return undefined;
    return redirectTarget(from, response.header('location'));
  }

  async #accept(url: string, response: ForwardResponse): Promise<HeldCopy> {
    if (!isMediaType(response.header('content-type'), MEDIA_TYPE_KEYS)) {
      await discard(response);
      throw invalid('the answer is no key configuration list');
    }
    const bytes = await response.body.read(MAX_KEYS_BYTES);
    if (bytes.length === 0) throw invalid('the key configuration list is empty');
    // A list with nothing this kit can use may still serve a client with other algorithms; a malformed one serves nobody.
    KeyConfigList.decode(bytes);
    return { bytes, url, etag: response.header('etag'), ...this.#freshness(response) };
  }

  #freshness(response: ForwardResponse): Pick<KeysCopy, 'receivedAtMs' | 'lifetimeMs'> {
    const nowMs = this.#clock();
    const lifetimeMs =
      freshnessMs({
        cacheControl: response.header('cache-control'),
        age: response.header('age'),
        date: response.header('date'),
        expires: response.header('expires'),
        nowMs,
      }) ?? DEFAULT_LIFETIME_MS;
    return { receivedAtMs: nowMs, lifetimeMs: Math.min(Math.max(lifetimeMs, MIN_LIFETIME_MS), MAX_LIFETIME_MS) };
  }
}

/**
 * Header fields under which a copy is published. It carries no ETag: a client would send it back, and with it the record
 * of when it last asked.
 *
 * @param copy - still fresh
 * @param nowMs - the same clock that received it
 */
export function keysFields(copy: KeysCopy, nowMs: number): readonly Field[] {
  const residenceMs = Math.max(0, nowMs - copy.receivedAtMs);
  return [
    ['content-type', MEDIA_TYPE_KEYS],
    ['content-length', String(copy.bytes.length)],
    ['cache-control', `public, max-age=${Math.floor(copy.lifetimeMs / 1000)}`],
    ['age', String(Math.ceil(residenceMs / 1000))],
  ];
}

/**
 * Reads a body that nobody needs, so that its connection can be used again.
 *
 * @param response - gateway-controlled; a long or broken body is given up
 */
export async function discard(response: ForwardResponse): Promise<void> {
  try {
    await response.body.read(MAX_KEYS_BYTES);
  } catch (error) {
    if (!(error instanceof BodyError)) throw error;
  }
}

function invalid(why: string, options?: ErrorOptions): RelayError {
  return new RelayError('GATEWAY_INVALID', `Cannot use the gateway's answer: ${why}`, options);
}

function asRelayError(cause: unknown): RelayError {
  if (cause instanceof RelayError) return cause;
  if (cause instanceof ForwardError) return new RelayError(FORWARD_FAILURES[cause.code], cause.message, { cause });
  if (cause instanceof BodyError) return new RelayError(RESPONSE_BODY_FAILURES[cause.code], cause.message, { cause });
  if (cause instanceof DecodeError) return invalid('the key configuration list is malformed', { cause });
  return new RelayError('INTERNAL', 'Cannot fetch key configurations: an unexpected error', { cause });
}
