/** The target of the demonstration: a small application over HTTPS, with everything that reaches it written down. */
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { joinParent } from './child.ts';
import { Recorder } from './recorder.ts';

/** What the target is told. */
export interface TargetTask {
  readonly certFile: string;
  readonly keyFile: string;
  readonly trace: string;
  /** Text that it answers with. */
  readonly answer: string;
}

/** Events of the stream. */
const STREAM_EVENTS = 3;

const task = joinParent<TargetTask>();
const recorder = new Recorder(task.trace);
recorder.recordServers();
/** Streams wait here until the client says that it got the last event: what arrives late cannot have been asked for early. */
let release: (() => void) | undefined;

const tls = { cert: readFileSync(task.certFile), key: readFileSync(task.keyFile) };
const server = createServer(tls, (req, res) => {
  void answer(req, res);
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`${JSON.stringify({ event: 'ready', role: 'target', port, pid: process.pid })}\n`);
});
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => process.exit(0));

async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
  recorder.bytes('request body', await buffer(req));
  if (req.url === '/stream') return stream(res);
  if (req.url === '/stream/next') release?.();
  const body = Buffer.from(`${JSON.stringify({ answer: task.answer })}\n`);
  recorder.bytes('answer body', body);
  res.writeHead(200, { 'content-type': 'application/json', 'content-length': String(body.length) });
  res.end(body);
}

async function stream(res: ServerResponse): Promise<void> {
  res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  for (let event = 1; event <= STREAM_EVENTS; event++) {
    res.write(`data: event ${event} of ${STREAM_EVENTS}\n\n`);
    if (event === STREAM_EVENTS) break;
    const { promise, resolve } = Promise.withResolvers<void>();
    release = resolve;
    await promise;
  }
  res.end();
}
