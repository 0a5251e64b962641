/** Shared by the tests of this folder: real sockets on loopback, nothing sleeps. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, connect, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { TargetRequest, TargetRoute } from '@privacy-edge/gateway-roles';

/** A folder that is gone after the test. */
export async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'pe-node-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Listens on a free loopback port; the server is closed after the test. */
export async function listenOn(t: TestContext, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    if ('closeAllConnections' in server) (server as unknown as { closeAllConnections(): void }).closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Connects, writes text, and returns everything received until the peer closes. */
export async function talk(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(text);
  return received(socket);
}

/** Everything until the end of a socket. */
export async function received(socket: Socket): Promise<string> {
  let all = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    all += chunk;
  });
  socket.resume();
  await once(socket, 'close');
  return all;
}

/** A signal that never fires. */
export const never: AbortSignal = new AbortController().signal;

/** Bytes of ASCII text. */
export function bytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'latin1'));
}

/** ASCII text of bytes. */
export function text(value: Uint8Array): string {
  return Buffer.from(value).toString('latin1');
}

/** All chunks of a stream. */
export async function collect(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** A route that allows servers of this machine. */
export const LOOPBACK_ROUTE: TargetRoute = {
  socketPath: undefined,
  protocol: 'auto',
  allowPrivate: true,
  timeoutMs: 5000,
};

/** A GET without content to a server of this machine, unless told otherwise. */
export function targetRequest(change: Partial<TargetRequest> = {}): TargetRequest {
  return {
    method: 'GET',
    scheme: 'http',
    host: '127.0.0.1',
    port: 80,
    authority: 'target.example',
    path: '/',
    fields: [],
    body: null,
    trailers: undefined,
    route: LOOPBACK_ROUTE,
    ...change,
  };
}
