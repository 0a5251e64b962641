/** The target of the audit: answers as it is told, or breaks off, and writes down everything that reaches it. */
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { constants, createSecureServer, type ServerHttp2Stream } from 'node:http2';
import { buffer } from 'node:stream/consumers';
import { joinParent } from '../up/child.ts';
import { Recorder } from '../up/recorder.ts';

/** What the target is told. */
export interface TargetTask {
  readonly certFile: string;
  readonly keyFile: string;
  readonly trace: string;
  /** By path without query; anything else is 404. */
  readonly replies: Readonly<Record<string, Reply>>;
  /** Unix socket, besides a port. */
  readonly socketPath: string;
}

/** One answer. */
export interface Reply {
  readonly fields: Readonly<Record<string, string>>;
  /** Pieces; a target that breaks stops after the first. */
  readonly body: readonly string[];
  readonly breaks?: boolean;
  readonly trailers?: Readonly<Record<string, string>>;
}

const task = joinParent<TargetTask>();
const recorder = new Recorder(task.trace);
recorder.recordServers();
const tls = { cert: readFileSync(task.certFile), key: readFileSync(task.keyFile), allowHTTP1: true };
const port = await listen({ port: 0, host: '127.0.0.1' });
await listen({ path: task.socketPath });
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => process.exit(0));
process.stdout.write(`${JSON.stringify({ event: 'ready', role: 'target', port, pid: process.pid })}\n`);

function listen(where: { readonly port: number; readonly host: string } | { readonly path: string }): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const server = createSecureServer(tls, (request, response) => {
    void answer(request as unknown as IncomingMessage, response as unknown as ServerResponse);
  }).listen(where, () => {
    const address = server.address();
    resolve(address !== null && typeof address === 'object' ? address.port : 0);
  });
  return promise;
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  recorder.bytes('content', await buffer(request).catch(() => Buffer.alloc(0)));
  recorder.text('trailers', JSON.stringify(request.trailers));
  const reply = task.replies[(request.url ?? '').split('?', 1)[0] ?? ''];
  if (reply === undefined) {
    response.writeHead(404).end();
    return;
  }
  recorder.text('answer', JSON.stringify(reply));
  response.writeHead(200, reply.fields);
  for (const piece of reply.body) {
    response.write(piece);
    if (reply.breaks === true) {
      breakOff(request);
      return;
    }
  }
  response.addTrailers(reply.trailers ?? {});
  response.end();
}

/** Ends a connection, or a stream of one, in the middle of an answer. */
function breakOff(request: IncomingMessage): void {
  if ('stream' in request) (request.stream as ServerHttp2Stream).close(constants.NGHTTP2_INTERNAL_ERROR);
  else request.socket.destroy();
}
