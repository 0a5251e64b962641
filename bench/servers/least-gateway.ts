/**
 * The least that a gateway on this runtime can cost: node:http, the crypto step, and undici where there is a target. No Binary
 * HTTP, no policy, no replay defence, no limits; not a gateway anybody should run, but a limit to compare one with.
 *
 * Usage: least-gateway.ts [URL of a target]
 */
import { createServer, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { AEAD_AES_128_GCM, generateKeyPair, KDF_HKDF_SHA256, KEM_X25519_HKDF_SHA256 } from '@privacy-edge/hpke';
import { systemRandom, writeOncePerTurn } from '@privacy-edge/node';
import { createGatewayKey, KeyConfigList, receiveRequest } from '@privacy-edge/ohttp';
import { type buildConnector, type Dispatcher, Pool } from 'undici';

const key = await createGatewayKey({
  keyId: 1,
  privateKey: await generateKeyPair(KEM_X25519_HKDF_SHA256, systemRandom),
  suites: [{ kdfId: KDF_HKDF_SHA256, aeadId: AEAD_AES_128_GCM }],
});
const target = process.argv[2] === undefined ? undefined : new URL(process.argv[2]);
const pool = target === undefined ? undefined : new Pool(target.origin, { connections: 64, connect: dial });

function dial(options: buildConnector.Options, callback: buildConnector.Callback): void {
  const socket = connect({ host: options.hostname, port: Number(options.port), noDelay: true });
  socket.once('connect', () => {
    writeOncePerTurn(socket);
    callback(null, socket);
  });
}

/** Keeps the last piece of an answer, which for these sizes is all of it. */
class Answer implements Dispatcher.DispatchHandler {
  readonly #done: (bytes: Uint8Array) => void;
  #bytes: Uint8Array = new Uint8Array(0);
  constructor(done: (bytes: Uint8Array) => void) {
    this.#done = done;
  }
  onRequestStart(): void {}
  onResponseStart(): void {}
  onResponseData(_controller: Dispatcher.DispatchController, piece: Uint8Array): void {
    this.#bytes = piece;
  }
  onResponseEnd(): void {
    this.#done(this.#bytes);
  }
  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    throw error;
  }
}

type Opened = Awaited<ReturnType<ReturnType<typeof receiveRequest>['open']>>;

function answer(message: Uint8Array, res: ServerResponse): void {
  // Synchronous on Node; the types allow both.
  const opened = receiveRequest(message, () => key).open() as Opened;
  const seal = (bytes: Uint8Array): void => {
    const sealed = opened.response.seal(bytes, systemRandom) as Uint8Array;
    const text = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.length).toString('latin1');
    res.writeHead(200, ['content-type', 'message/ohttp-res', 'content-length', String(text.length)]);
    res.end(text, 'latin1');
  };
  if (target === undefined || pool === undefined) {
    seal(new Uint8Array(200));
    return;
  }
  const headers = ['host', target.host, 'content-type', 'application/octet-stream'];
  const request = { path: '/', method: 'POST' as const, headers, body: Buffer.from(opened.request.subarray(0, 100)) };
  pool.dispatch(request, new Answer(seal));
}

const server = createServer((req, res) => {
  if (req.method === 'GET') {
    res.writeHead(200, { 'content-type': 'application/ohttp-keys' });
    res.end(KeyConfigList.encode([key.config]));
    return;
  }
  let message: Uint8Array = new Uint8Array(0);
  req.on('data', (piece: Uint8Array) => {
    message = piece;
  });
  req.on('end', () => answer(message, res));
});
server.on('connection', (socket) => writeOncePerTurn(socket));
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${port}` })}\n`);
});
process.stdin.once('end', () => process.exit(0)).resume();
