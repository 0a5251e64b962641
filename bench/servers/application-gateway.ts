/** A gateway and its application in one process, as an operator would put them together. Prints its URL as JSON. */
import { randomBytes } from 'node:crypto';
import {
  createGateway,
  defaultGatewayConfig,
  type FetchTarget,
  KeySchedule,
  targetRule,
} from '@privacy-edge/gateway-roles';
import { AEAD_AES_128_GCM, KDF_HKDF_SHA256, KEM_MLKEM768_X25519, KEM_X25519_HKDF_SHA256 } from '@privacy-edge/hpke';
import { createLog, createReplayTable, serve, systemClock, systemRandom } from '@privacy-edge/node';

const [kem = 'x25519', size = '200'] = process.argv.slice(2);
const body = new Uint8Array(Number(size)).fill(0x61);
const answer: FetchTarget = () =>
  Promise.resolve({
    status: 200,
    fields: [
      ['content-type', 'text/plain'],
      ['content-length', String(body.length)],
    ],
    body: {
      announcedLength: body.length,
      read: () => Promise.resolve(body),
      stream: () => Promise.reject(new TypeError('whole only')) as never,
    },
    trailers: () => [],
  });

const keys = new KeySchedule({
  segments: [{ secret: randomBytes(32), epoch: 0, fromMs: Date.now() - 1000 }],
  epochMs: 86_400_000,
  publishAheadMs: 3_600_000,
  retainMs: 3_600_000,
  kemIds: [kem === 'x-wing' ? KEM_MLKEM768_X25519 : KEM_X25519_HKDF_SHA256],
  suites: [{ kdfId: KDF_HKDF_SHA256, aeadId: AEAD_AES_128_GCM }],
});
// What a fresh store may have forgotten is nothing here: the keys are new.
const table = createReplayTable({ capacity: 1 << 20, windowMs: 120_000, clock: systemClock, random: systemRandom });
const replay = {
  amnesiaUntilMs: 0,
  has: (nonce: Uint8Array) => table.has(nonce),
  remember: (nonce: Uint8Array) => table.remember(nonce),
};
const config = { ...defaultGatewayConfig, targets: [targetRule('https://app.example/')] };
const gateway = createGateway({ keys, fetchTarget: answer, replay, clock: systemClock, random: systemRandom }, config);
const listener = await serve(gateway, { log: createLog({ level: 'error', format: 'json' }).event });
process.stdout.write(`${JSON.stringify({ url: listener.url, gateway: config.gatewayPath, keys: config.keysPath })}\n`);
process.stdin.once('end', () => process.exit(0)).resume();
