/** Vectors of Binary HTTP. */
import {
  type BinaryRequest,
  type BinaryResponse,
  decodeRequest,
  decodeResponse,
  encodeRequest,
  encodeResponse,
  type Field,
  type InformationalResponse,
  RequestDecoder,
  type RequestEvent,
  ResponseDecoder,
  type ResponseEvent,
} from '@privacy-edge/bhttp';
import { concatBytes, DecodeError, toHex } from '@privacy-edge/bytes';
import { SAME, type Verdict } from './kind.ts';
import { expectFailure, expectSame, type Vector, VectorError } from './vector.ts';

type MessageType = 'request' | 'response';

/** Checks one message: decoded whole and as a stream, encoded again, or refused by both decoders. RFC 9292 §3. */
export async function checkBhttp(vector: Vector): Promise<Verdict> {
  const bytes = vector.hex('hex');
  const expected = vector.text('expect');
  if (expected === 'ok') checkValid(vector.vector('decoded'), bytes);
  else if (expected === 'invalid') await checkInvalid(vector, bytes);
  else throw new VectorError('UNREADABLE', `Cannot read vector: "${expected}" is no known expectation`);
  return SAME;
}

function checkValid(decoded: Vector, bytes: Uint8Array): void {
  const type = readType(decoded.text('type'));
  const wanted = recordedForm(decoded, type);
  expectSame('decoded message', decodeWhole(type, bytes), wanted);
  for (const size of [1, 7, bytes.length]) expectSame(`streamed in ${size}s`, decodeStream(type, bytes, size), wanted);
  for (const framing of ['known', 'indeterminate'] as const) {
    const again =
      type === 'request'
        ? encodeRequest(decodeRequest(bytes), { framing })
        : encodeResponse(decodeResponse(bytes), { framing });
    expectSame(`encoded again with ${framing} length`, decodeWhole(type, again), wanted);
  }
}

async function checkInvalid(vector: Vector, bytes: Uint8Array): Promise<void> {
  for (const type of wantedTypes(vector)) {
    const attempts: readonly [string, () => unknown][] = [
      [`as a ${type}`, () => decodeWhole(type, bytes)],
      [`as a streamed ${type}`, () => decodeStream(type, bytes, 1)],
    ];
    for (const [what, attempt] of attempts) {
      if (vector.flag('decoder_may_accept')) await toleratedAttempt(what, attempt);
      else await expectFailure(what, attempt, (error) => error instanceof DecodeError);
    }
  }
}

/** Where the format lets a decoder skip a check, only the kind of error is left to look at. */
async function toleratedAttempt(what: string, attempt: () => unknown): Promise<void> {
  try {
    attempt();
  } catch (error) {
    if (!(error instanceof DecodeError)) throw new VectorError('MISMATCH', `${what}: wrong error`, { cause: error });
  }
}

/** What the caller asked for; bytes that are no message at all are none of either type. */
function wantedTypes(vector: Vector): readonly MessageType[] {
  const context = vector.has('context') ? vector.text('context') : '';
  if (context.includes('response')) return ['response'];
  if (context.includes('request')) return ['request'];
  return ['request', 'response'];
}

function readType(type: string): MessageType {
  if (type === 'request' || type === 'response') return type;
  throw new VectorError('UNREADABLE', `Cannot read vector: "${type}" is no type of message`);
}

function recordedForm(decoded: Vector, type: MessageType): unknown {
  const rest = {
    headers: decoded.fields('headers'),
    content: decoded.text('content'),
    trailers: decoded.fields('trailers'),
  };
  if (type === 'response') {
    const informational = decoded
      .vectors('informational')
      .map((one) => ({ status: one.integer('status'), headers: one.fields('headers') }));
    return { status: decoded.integer('status'), ...rest, informational };
  }
  const control = ['method', 'scheme', 'authority', 'path'].map((name) => decoded.text(name));
  return { control, ...rest };
}

function decodeWhole(type: MessageType, bytes: Uint8Array): unknown {
  return type === 'request' ? requestForm(decodeRequest(bytes)) : responseForm(decodeResponse(bytes));
}

function decodeStream(type: MessageType, bytes: Uint8Array, size: number): unknown {
  const decoder = type === 'request' ? new RequestDecoder() : new ResponseDecoder();
  const events: (RequestEvent | ResponseEvent)[] = [];
  for (let at = 0; at < bytes.length; at += size) events.push(...decoder.push(bytes.subarray(at, at + size)));
  events.push(...decoder.end());
  return type === 'request' ? requestForm(joinRequest(events)) : responseForm(joinResponse(events));
}

function requestForm(request: BinaryRequest): unknown {
  const { method, scheme, authority, path, fields, body, trailers } = request;
  return { control: [method, scheme, authority, path], headers: fields, content: toHex(body), trailers };
}

function responseForm(response: BinaryResponse): unknown {
  const { status, fields, body, trailers } = response;
  const informational = response.informational.map((one) => ({ status: one.status, headers: one.fields }));
  return { status, headers: fields, content: toHex(body), trailers, informational };
}

type AnyEvent = RequestEvent | ResponseEvent;

function joinParts(events: readonly AnyEvent[]): { body: Uint8Array; trailers: readonly Field[] } {
  if (events.at(-1)?.type !== 'end') throw new VectorError('MISMATCH', 'the stream has no end');
  const body = concatBytes(...events.flatMap((event) => (event.type === 'data' ? [event.bytes] : [])));
  return { body, trailers: events.flatMap((event) => (event.type === 'trailers' ? event.fields : [])) };
}

function joinRequest(events: readonly AnyEvent[]): BinaryRequest {
  for (const event of events)
    if (event.type === 'head' && 'method' in event.head) return { ...event.head, ...joinParts(events) };
  throw new VectorError('MISMATCH', 'the stream has no head');
}

function joinResponse(events: readonly AnyEvent[]): BinaryResponse {
  const informational: InformationalResponse[] = [];
  for (const event of events) {
    if (event.type === 'informational') informational.push(event);
    if (event.type === 'head' && 'status' in event.head) return { ...event.head, informational, ...joinParts(events) };
  }
  throw new VectorError('MISMATCH', 'the stream has no head');
}
