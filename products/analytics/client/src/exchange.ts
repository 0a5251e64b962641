/** Requests to aggregators. DAP §3. */
import { DecodeError, Gatherer } from '@privacy-edge/bytes';
import { messageNameOf, problemCode } from '@privacy-edge/dap';
import { decodeProblem, isMediaType, PROBLEM_MEDIA_TYPE, parseHttpDate } from '@privacy-edge/http-fields';
import { AnalyticsError } from './analytics-error.ts';
import { ANONYMOUS, type Fetch, UNCACHED, type Wait } from './platform.ts';
import { race } from './race.ts';

/** Longest problem document that is read. */
const MAX_PROBLEM_BYTES = 16_384;
/** First pause before a request is sent again, where the server names none; doubles each time. */
const FIRST_PAUSE_MS = 500;
/** Longest pause that a server may ask for. */
const MAX_PAUSE_MS = 3_600_000;

/** The way to the aggregators. */
export interface Network {
  readonly fetch: Fetch;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly wait: Wait;
  /** Milliseconds until an answer must be there as a whole. */
  readonly timeoutMs: number;
  /** How often a request that may have been lost is sent again. */
  readonly retries: number;
}

/** One request. */
export interface Outgoing {
  /** For error messages: what cannot be done without it. */
  readonly action: string;
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** The longest answer that is read, bytes. */
  readonly maxBytes: number;
}

/** An answer with a status of success, and its whole body. */
export interface Answer {
  readonly headers: Headers;
  readonly body: Uint8Array;
  /** Whether the request was sent more than once. */
  readonly repeated: boolean;
}

/**
 * Sends a request, and sends the same bytes again when no answer came or the server has a moment of weakness: every request
 * of DAP may be repeated.
 *
 * @param signal - of the caller
 * @throws {@link AnalyticsError} `UNREACHABLE`, `TIMEOUT`, `REFUSED`, `ANSWER_INVALID`; the reason of the signal
 */
export async function exchange(network: Network, request: Outgoing, signal: AbortSignal | undefined): Promise<Answer> {
  for (let attempt = 0; ; attempt++) {
    const outcome = await once(network, request, signal, attempt > 0);
    if (!('error' in outcome)) return outcome;
    if (!outcome.transient || attempt === network.retries) throw outcome.error;
    await network.wait(outcome.pauseMs ?? FIRST_PAUSE_MS * 2 ** attempt, signal);
  }
}

interface Failure {
  readonly error: AnalyticsError;
  readonly transient: boolean;
  readonly pauseMs?: number | undefined;
}

async function once(
  network: Network,
  request: Outgoing,
  outer: AbortSignal | undefined,
  repeated: boolean,
): Promise<Answer | Failure> {
  outer?.throwIfAborted();
  const timer = AbortSignal.timeout(network.timeoutMs);
  const signal = outer === undefined ? timer : AbortSignal.any([outer, timer]);
  try {
    const response = await race(network.fetch(request.url, initOf(request, signal)), signal);
    if (response.ok) {
      const body = await race(readBody(response, request.maxBytes, request.action), signal);
      return { headers: response.headers, body, repeated };
    }
    return await race(refusal(response, request, network.now()), signal);
  } catch (cause) {
    if (outer?.aborted === true) throw outer.reason;
    if (cause instanceof AnalyticsError) return { error: cause, transient: false };
    const error = timer.aborted
      ? new AnalyticsError('TIMEOUT', `Cannot ${request.action}: no answer came in time`)
      : new AnalyticsError('UNREACHABLE', `Cannot ${request.action}: no answer came`, { cause: nameOf(cause) });
    return { error, transient: true };
  }
}

/** A redirect is not the answer to any of these requests. Keys are kept as long as this package says, not as a cache does. */
function initOf({ method, headers = {}, body }: Outgoing, signal: AbortSignal): RequestInit {
  return {
    method,
    headers: { ...headers },
    ...(body !== undefined && { body: body as Uint8Array<ArrayBuffer> }),
    ...(method === 'GET' && UNCACHED),
    ...ANONYMOUS,
    redirect: 'manual',
    signal,
  };
}

/** What a platform says of a failed connection may name addresses: only the kind of error is kept. */
function nameOf(cause: unknown): string {
  return cause instanceof Error ? cause.name : typeof cause;
}

async function refusal(response: Response, { action }: Outgoing, nowMs: number): Promise<Failure> {
  const { status, headers } = response;
  const problem = await problemOf(response, action);
  const said = problem === undefined ? `the answer has status ${status}` : `the server says ${problem}`;
  return {
    error: new AnalyticsError('REFUSED', `Cannot ${action}: ${said}`, { status, problem }),
    transient: status === 429 || (status >= 500 && problem === undefined),
    pauseMs: retryAfterMs(headers, nowMs),
  };
}

async function problemOf(response: Response, action: string): Promise<AnalyticsError['problem']> {
  if (!isMediaType(response.headers.get('content-type') ?? undefined, PROBLEM_MEDIA_TYPE)) {
    void response.body?.cancel().catch(() => {});
    return undefined;
  }
  try {
    return problemCode(decodeProblem(await readBody(response, MAX_PROBLEM_BYTES, action)).type);
  } catch (error) {
    // The status says enough when the document is of no use.
    if (error instanceof DecodeError || error instanceof AnalyticsError) return undefined;
    throw error;
  }
}

/**
 * How long a server asks to wait.
 *
 * @param headers - attacker-controlled
 * @returns milliseconds, at most an hour; undefined where it does not say
 * @see RFC 9110 §10.2.3
 */
export function retryAfterMs(headers: Headers, nowMs: number): number | undefined {
  const value = headers.get('retry-after') ?? '';
  const dateMs = /^\d{1,9}$/.test(value) ? nowMs + 1000 * Number(value) : parseHttpDate(value, nowMs);
  return dateMs === undefined ? undefined : Math.min(MAX_PAUSE_MS, Math.max(0, dateMs - nowMs));
}

/**
 * Checks what kind of message an answer is.
 *
 * @param name - `message` parameter of its media type
 * @throws {@link AnalyticsError} `ANSWER_INVALID`
 * @see DAP §9.1
 */
export function requireMessage({ headers }: Pick<Answer, 'headers'>, name: string, action: string): void {
  if (messageNameOf(headers.get('content-type') ?? undefined) !== name) {
    throw new AnalyticsError('ANSWER_INVALID', `Cannot ${action}: the answer is no ${name}`);
  }
}

async function readBody(response: Response, maxBytes: number, action: string): Promise<Uint8Array> {
  const gatherer = new Gatherer();
  const reader = response.body?.getReader();
  for (let next = await reader?.read(); next?.value !== undefined; next = await reader?.read()) {
    gatherer.push(next.value);
    if (gatherer.length > maxBytes) {
      void reader?.cancel().catch(() => {});
      throw new AnalyticsError('ANSWER_INVALID', `Cannot ${action}: the answer is too long`);
    }
  }
  return gatherer.take();
}
