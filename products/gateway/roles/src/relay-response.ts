/**
 * What of a gateway's answer reaches the client. RFC 9458 §6.2 has the relay keep back what it does not know: of the
 * header section exactly the fields below pass, and of contents only an encapsulated response or a problem document.
 */

import type { Field } from '@privacy-edge/bhttp';
import { BodyError, type RoleResponse } from '@privacy-edge/http-exchange';
import {
  formatCacheControl,
  isIncremental,
  isMediaType,
  mediaTypeEssence,
  PROBLEM_MEDIA_TYPE,
  parseCacheControl,
} from '@privacy-edge/http-fields';
import type { ForwardResponse } from './ports.ts';
import { BUFFERED_BYTES, LimitedBody, type ResponseEnd } from './relay-body.ts';
import { RESPONSE_BODY_FAILURES, RelayError } from './relay-error.ts';
import { discard } from './relay-keys.ts';
import type { MessageForm } from './relay-message.ts';

/** Longest problem document that passes. */
const MAX_PROBLEM_BYTES = 16_384;

/**
 * @param response - gateway-controlled; its body is always consumed or passed on
 * @param form - what the request was
 * @param maxBytes - longest content that passes
 * @param ended - called when a body that is passed on as it arrives has ended; not for other bodies
 * @returns what the client sees
 * @throws {@link RelayError} `GATEWAY_…` when the client should see none of it
 */
export async function passResponse(
  response: ForwardResponse,
  form: MessageForm,
  maxBytes: number,
  ended: (end: ResponseEnd) => void,
): Promise<RoleResponse> {
  if (response.status >= 400 && response.status <= 599) return passRefusal(response);
  const encapsulated = response.status === 200 && isMediaType(response.header('content-type'), form.responseType);
  const tooLong = (response.body.announcedLength ?? 0) > maxBytes;
  if (!encapsulated || tooLong) {
    await discard(response);
    const why = encapsulated
      ? `${response.body.announcedLength} bytes`
      : `${response.status} without an encapsulated response`;
    throw new RelayError('GATEWAY_INVALID', `Cannot pass answer on: the gateway sent ${why}`);
  }
  return passEncapsulated(response, form, maxBytes, ended);
}

async function passEncapsulated(
  response: ForwardResponse,
  form: MessageForm,
  maxBytes: number,
  ended: (end: ResponseEnd) => void,
): Promise<RoleResponse> {
  const incremental = isIncremental(response.header('incremental'));
  const { announcedLength } = response.body;
  const whole = !incremental && announcedLength !== undefined && announcedLength <= BUFFERED_BYTES;
  const body = whole
    ? await readAnswer(response, BUFFERED_BYTES)
    : new LimitedBody(response.body.stream(), maxBytes, ended);
  const length = body instanceof Uint8Array ? body.length : announcedLength;
  const fields = passedFields(response, form.responseType, length);
  return { status: 200, fields: incremental ? [...fields, ['incremental', '?1']] : fields, body };
}

async function passRefusal(response: ForwardResponse): Promise<RoleResponse> {
  const { status } = response;
  if (mediaTypeEssence(response.header('content-type')) !== PROBLEM_MEDIA_TYPE) {
    await discard(response);
    return { status, fields: passedFields(response, undefined, 0), body: null };
  }
  const body = await readAnswer(response, MAX_PROBLEM_BYTES);
  return { status, fields: passedFields(response, PROBLEM_MEDIA_TYPE, body.length), body };
}

async function readAnswer(response: ForwardResponse, maxBytes: number): Promise<Uint8Array> {
  try {
    return await response.body.read(maxBytes);
  } catch (cause) {
    if (!(cause instanceof BodyError)) throw cause;
    throw new RelayError(RESPONSE_BODY_FAILURES[cause.code], cause.message, { cause });
  }
}

/** Fields of a gateway that a client may see. Its Retry-After is about the relay as a whole, so the client has no use for it. */
function passedFields(
  response: ForwardResponse,
  contentType: string | undefined,
  length: number | undefined,
): readonly Field[] {
  const fields: Field[] = [];
  if (contentType !== undefined) fields.push(['content-type', contentType]);
  if (length !== undefined) fields.push(['content-length', String(length)]);
  const cacheControl = passedCacheControl(response.header('cache-control'));
  if (cacheControl) fields.push(['cache-control', cacheControl]);
  const date = response.header('date');
  if (date !== undefined && IMF_FIXDATE.test(date)) fields.push(['date', date]);
  return fields;
}

/**
 * What a cache needs and nothing else: known directives, each once, in our order and without the arguments that are free
 * text. A gateway that wants to mark a client finds no room for a word of its own in a field that it shares with all.
 *
 * @param value - gateway-controlled
 * @returns the empty string when nothing of it passes
 */
function passedCacheControl(value: string | undefined): string {
  if (value === undefined || value === 'no-store') return value ?? '';
  const received = parseCacheControl(value);
  const passed: Record<string, boolean | number> = {};
  for (const name of FLAGS) passed[name] = received.has(name);
  for (const name of SECONDS) {
    const seconds = received.get(name);
    if (seconds !== undefined && /^[0-9]{1,10}$/.test(seconds)) passed[name] = Number(seconds);
  }
  return formatCacheControl(passed);
}

/** Directives of RFC 9111 §5.2.2 that stand alone, or that mean more when they do. */
const FLAGS = ['no-store', 'no-cache', 'private', 'public', 'no-transform', 'must-revalidate', 'proxy-revalidate'];
/** Those that take a number of seconds. */
const SECONDS = ['max-age', 's-maxage'];
/** RFC 9110 §5.6.7 has senders use this form only; the obsolete ones do not pass. */
const IMF_FIXDATE =
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-3][0-9] (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [0-9]{4} [0-2][0-9]:[0-5][0-9]:[0-6][0-9] GMT$/;
