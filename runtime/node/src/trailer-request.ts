/**
 * One HTTP/1.1 request to a target over node:http on a connection of its own: for request trailers and the `*` target, which
 * undici cannot send.
 */
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import {
  TargetError,
  type TargetInformational,
  type TargetRequest,
  type TargetResponse,
} from '@privacy-edge/gateway-roles';
import { connectGuarded, systemResolve } from './guarded-outbound.ts';
import { contentLength, IncomingBody } from './incoming-body.ts';
import { connectError } from './outbound-error.ts';
import type { OriginRoute, OutboundOptions } from './outbound-route.ts';
import { fieldList } from './raw-fields.ts';

/** How one request is made. */
export interface TrailerExchange {
  readonly signal: AbortSignal;
  /** Called once, when the connection is closed or could not be made. */
  readonly leave: () => void;
  readonly onInformational: ((informational: TargetInformational) => void) | undefined;
}

/**
 * Sends `request` with its trailers.
 *
 * @throws {@link TargetError}
 */
export async function sendWithTrailers(
  request: TargetRequest,
  route: OriginRoute,
  options: OutboundOptions,
  exchange: TrailerExchange,
): Promise<TargetResponse> {
  const { signal, leave, onInformational } = exchange;
  const connectTimeoutMs = options.connectTimeoutMs ?? 5000;
  const { extraRoots = [], resolve = systemResolve } = options;
  const socket = await connectGuarded({
    ...route,
    protocols: ['http/1.1'],
    connectTimeoutMs,
    extraRoots,
    resolve,
  }).catch((error: unknown) => {
    leave();
    const { code, message, cause } = connectError(error);
    throw new TargetError(code === 'FORBIDDEN_ADDRESS' ? code : 'CONNECT_FAILED', message, { cause });
  });
  socket.once('close', leave);
  const outgoing = begin(socket, request, signal, options.maxHeaderBytes ?? 32_768);
  outgoing.on('information', ({ statusCode, rawHeaders }) => {
    onInformational?.({ status: statusCode, fields: fieldList(rawHeaders) });
  });
  void writeBody(outgoing, request);
  const incoming = await answerTo(outgoing, request.route.timeoutMs);
  return answer(incoming, options.idleTimeoutMs ?? 30_000);
}

function begin(socket: Socket, request: TargetRequest, signal: AbortSignal, maxHeaderSize: number): ClientRequest {
  const { method, path } = request;
  const createConnection = (): Socket => socket;
  try {
    const headers = headerLines(request);
    return httpRequest({ createConnection, method, path, headers, setHost: false, signal, maxHeaderSize });
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

function headerLines(request: TargetRequest): string[] {
  const lines = ['host', request.authority, 'connection', 'close'];
  for (const [name, value] of request.fields) if (name !== 'content-length') lines.push(name, value);
  if (request.body !== null) lines.push('transfer-encoding', 'chunked');
  return lines;
}

async function writeBody(outgoing: ClientRequest, request: TargetRequest): Promise<void> {
  const { body, trailers } = request;
  try {
    if (body instanceof Uint8Array) outgoing.write(body);
    else if (body !== null) {
      for await (const chunk of body) {
        if (outgoing.destroyed) return;
        if (!outgoing.write(chunk)) await drained(outgoing);
      }
    }
    if (body !== null && trailers !== undefined)
      outgoing.addTrailers(trailers().map(([name, value]): [string, string] => [name, value]));
    outgoing.end();
  } catch (error) {
    outgoing.destroy(error instanceof Error ? error : undefined);
  }
}

/** Room in the socket, or its end. */
function drained(outgoing: ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    outgoing.once('drain', resolve).once('close', resolve);
  });
}

function answerTo(outgoing: ClientRequest, timeoutMs: number): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new TargetError('TIMEOUT', 'The peer did not answer in time'));
      outgoing.destroy();
    }, timeoutMs);
    outgoing.once('response', (incoming: IncomingMessage) => {
      clearTimeout(timer);
      resolve(incoming);
    });
    outgoing.on('error', (cause) => {
      clearTimeout(timer);
      reject(new TargetError('BROKEN', 'The exchange broke', { cause }));
    });
  });
}

function answer(incoming: IncomingMessage, timeoutMs: number): TargetResponse {
  const announcedLength = contentLength(incoming.headers['content-length']);
  return {
    status: incoming.statusCode ?? 0,
    fields: fieldList(incoming.rawHeaders),
    body: new IncomingBody(incoming, { announcedLength, timeoutMs, ownsStream: true }),
    trailers: () => fieldList(incoming.rawTrailers),
  };
}
