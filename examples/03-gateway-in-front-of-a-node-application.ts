/**
 * The same for node:http, Express and everything that is a request listener: middleware on a real socket.
 *
 * Run: node examples/03-gateway-in-front-of-a-node-application.ts
 */
import { randomBytes } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createObliviousFetch } from '@privacy-edge/gateway';
import { defaultGatewayConfig, KeySchedule, targetRule } from '@privacy-edge/gateway-roles';
import { AEAD_AES_128_GCM, KDF_HKDF_SHA256, KEM_X25519_HKDF_SHA256 } from '@privacy-edge/hpke';
import { createReplayTable, gatewayMiddleware, systemClock, systemRandom } from '@privacy-edge/node';

const application: RequestListener = (req, res) => {
  res.setHeader('content-type', 'text/plain');
  res.end(`${req.method} ${req.url} for ${req.headers.host}\n`);
};

const keys = new KeySchedule({
  segments: [{ secret: randomBytes(32), epoch: 0, fromMs: Date.now() }],
  epochMs: 7 * 86_400_000,
  publishAheadMs: 86_400_000,
  retainMs: 2 * 86_400_000,
  kemIds: [KEM_X25519_HKDF_SHA256],
  suites: [{ kdfId: KDF_HKDF_SHA256, aeadId: AEAD_AES_128_GCM }],
});
const replay = createReplayTable({ capacity: 4096, windowMs: 120_000, clock: systemClock, random: systemRandom });
const middleware = gatewayMiddleware(
  application,
  { keys, replay, clock: systemClock, random: systemRandom },
  { ...defaultGatewayConfig, targets: [targetRule('https://app.example/')] },
);

const server = createServer((req, res) => middleware(req, res, () => application(req, res)));
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

const obliviousFetch = createObliviousFetch({
  relay: origin + defaultGatewayConfig.gatewayPath,
  keys: { url: `${origin}/ohttp-keys` },
});
console.log(await (await obliviousFetch('https://app.example/secret?page=2')).text());
server.close();
server.closeAllConnections();
