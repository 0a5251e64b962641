/**
 * A gateway and its application in one process: `withGateway` opens encapsulated requests and hands them to an ordinary
 * fetch-style handler, which serves direct requests as before.
 *
 * Run: node examples/02-gateway-in-front-of-a-fetch-application.ts
 */
import { randomBytes } from 'node:crypto';
import { createObliviousFetch } from '@privacy-edge/gateway';
import { defaultGatewayConfig, KeySchedule, targetRule, withGateway } from '@privacy-edge/gateway-roles';
import { AEAD_AES_128_GCM, KDF_HKDF_SHA256, KEM_X25519_HKDF_SHA256 } from '@privacy-edge/hpke';
import { MemoryReplayStore } from '@privacy-edge/testing';

const application = (request: Request): Response => new Response(`hello from ${new URL(request.url).pathname}\n`);

const keys = new KeySchedule({
  segments: [{ secret: randomBytes(32), epoch: 0, fromMs: Date.now() }],
  epochMs: 7 * 86_400_000,
  publishAheadMs: 86_400_000,
  retainMs: 2 * 86_400_000,
  kemIds: [KEM_X25519_HKDF_SHA256],
  suites: [{ kdfId: KDF_HKDF_SHA256, aeadId: AEAD_AES_128_GCM }],
});

const handler = withGateway(
  application,
  { keys, replay: new MemoryReplayStore(), clock: Date.now, random: (length) => randomBytes(length) },
  { ...defaultGatewayConfig, targets: [targetRule('https://app.example/')] },
);

// A direct request, as before.
console.log(await (await handler(new Request('https://app.example/direct'))).text());

// An encapsulated one. A relay would stand in between; here the client posts to the gateway itself.
const obliviousFetch = createObliviousFetch({
  relay: `https://app.example${defaultGatewayConfig.gatewayPath}`,
  keys: async () => new Uint8Array(await (await handler(new Request('https://app.example/ohttp-keys'))).arrayBuffer()),
  fetch: (url, init) => handler(new Request(url, init)),
});
console.log(await (await obliviousFetch('https://app.example/oblivious')).text());
