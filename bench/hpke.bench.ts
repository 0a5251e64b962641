/**
 * What one exchange costs a gateway, in CPU time of this process. Prints one table, then the same as JSON.
 *
 * Run: node bench/hpke.bench.ts
 *
 * A figure is the best of several slices, since other work on the machine can only add to it. Ratios are against the
 * X25519 exchange of the same run and are what should be compared between machines.
 */
import { createPrivateKey, createPublicKey, diffieHellman } from 'node:crypto';
import { cpus } from 'node:os';
import {
  AEAD_AES_128_GCM,
  generateKeyPair,
  KDF_HKDF_SHA256,
  KEM_MLKEM768_X25519,
  KEM_X25519_HKDF_SHA256,
  type Kem,
  prepareRecipient,
  prepareSender,
  type RecipientContext,
  type RecipientSetup,
  type SenderSetup,
  suiteOf,
  systemRandom,
} from '@privacy-edge/hpke';
import * as peer from 'hpke';

const SLICES = 12;
const SLICE_MS = 120;
const INFO = new Uint8Array(27).fill(7);
const EMPTY = new Uint8Array(0);
const LABEL = new TextEncoder().encode('message/bhttp response');
const KEY_INFO = new TextEncoder().encode('key');
const NONCE_INFO = new TextEncoder().encode('nonce');
const REQUEST = new Uint8Array(200).fill(1);
const REPLY = new Uint8Array(200).fill(2);
const REPLY_16K = new Uint8Array(16384).fill(2);

interface Row {
  readonly operation: string;
  readonly microseconds: number;
  readonly ratio: number;
}

function cpuMicroseconds(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** Best CPU microseconds of one call. */
async function measure(operation: () => unknown): Promise<number> {
  for (let i = 0; i < 2000; i++) await operation();
  const isAsync = operation() instanceof Promise;
  let best = Number.POSITIVE_INFINITY;
  for (let slice = 0; slice < SLICES; slice++) {
    const until = performance.now() + SLICE_MS;
    const before = cpuMicroseconds();
    let calls = 0;
    do {
      for (let i = 0; i < 20; i++) {
        if (isAsync) await operation();
        else operation();
      }
      calls += 20;
    } while (performance.now() < until);
    best = Math.min(best, (cpuMicroseconds() - before) / calls);
  }
  return best;
}

interface Exchange {
  readonly sender: SenderSetup;
  readonly recipient: RecipientSetup;
  readonly enc: Uint8Array;
  readonly ciphertext: Uint8Array;
}

async function prepareExchange(kemId: Kem['id']): Promise<Exchange> {
  const suite = suiteOf(kemId, KDF_HKDF_SHA256, AEAD_AES_128_GCM);
  const privateKey = await generateKeyPair(kemId, systemRandom);
  const sender = await prepareSender(suite, privateKey.publicKey, INFO);
  const recipient = await prepareRecipient(suite, privateKey, INFO);
  const { enc, context } = await sender.setup(systemRandom);
  return { sender, recipient, enc, ciphertext: await context.seal(EMPTY, REQUEST) };
}

/** Opens a request; this backend answers at once. */
function open({ recipient, enc, ciphertext }: Exchange): RecipientContext {
  const context = recipient.setup(enc) as RecipientContext;
  context.open(EMPTY, ciphertext);
  return context;
}

/** The response of RFC 9458 §4.4 with this package's own functions. */
function respond(exchange: Exchange, context: RecipientContext, reply: Uint8Array): Uint8Array {
  const { kdf, aead } = exchange.recipient.suite;
  const secret = context.export(LABEL, 16) as Uint8Array;
  const salt = new Uint8Array(exchange.enc.length + 16);
  salt.set(exchange.enc);
  salt.set(systemRandom(16), exchange.enc.length);
  const prk = kdf.extract(salt, secret) as Uint8Array;
  const key = aead.importKey(kdf.expand(prk, KEY_INFO, aead.Nk) as Uint8Array) as Awaited<
    ReturnType<typeof aead.importKey>
  >;
  return key.seal(kdf.expand(prk, NONCE_INFO, aead.Nn) as Uint8Array, EMPTY, reply) as Uint8Array;
}

/** A plain exchange between two imported keys. */
function rawExchange(): () => unknown {
  const options = { asymmetricKeyType: 'x25519', format: 'raw-private' } as const;
  const privateKey = createPrivateKey({ key: systemRandom(32), ...options });
  const publicKey = createPublicKey(createPrivateKey({ key: systemRandom(32), ...options }));
  return () => diffieHellman({ privateKey, publicKey });
}

async function peerOpen(): Promise<() => Promise<unknown>> {
  const suite = new peer.CipherSuite(peer.KEM_DHKEM_X25519_HKDF_SHA256, peer.KDF_HKDF_SHA256, peer.AEAD_AES_128_GCM);
  const pair = await suite.GenerateKeyPair();
  const { encapsulatedSecret, ciphertext } = await suite.Seal(pair.publicKey, REQUEST, { info: INFO });
  return () => suite.Open(pair, encapsulatedSecret, ciphertext, { info: INFO });
}

const x25519 = await prepareExchange(KEM_X25519_HKDF_SHA256);
const xWing = await prepareExchange(KEM_MLKEM768_X25519);
const operations: readonly (readonly [string, () => unknown])[] = [
  ['X25519 diffieHellman alone', rawExchange()],
  ['X25519 open 200 B', () => open(x25519)],
  ['X25519 open 200 B + respond 200 B', () => respond(x25519, open(x25519), REPLY)],
  ['X25519 open 200 B + respond 16 KiB', () => respond(x25519, open(x25519), REPLY_16K)],
  ['X25519 set up + seal 200 B', () => seal(x25519)],
  ['MLKEM768-X25519 open 200 B + respond 200 B', () => respond(xWing, open(xWing), REPLY)],
  ['MLKEM768-X25519 set up + seal 200 B', () => seal(xWing)],
  ['hpke 1.1.7 (WebCrypto) X25519 open 200 B', await peerOpen()],
];

function seal({ sender }: Exchange): unknown {
  const { context } = sender.setup(systemRandom) as Awaited<ReturnType<SenderSetup['setup']>>;
  return context.seal(EMPTY, REQUEST);
}

const rows: Row[] = [];
for (const [operation, run] of operations) {
  const microseconds = await measure(run);
  rows.push({ operation, microseconds, ratio: microseconds / (rows[0]?.microseconds ?? microseconds) });
}

console.log(`${'operation'.padEnd(46)}${'us CPU'.padStart(8)}${'x X25519'.padStart(10)}`);
for (const { operation, microseconds, ratio } of rows) {
  console.log(`${operation.padEnd(46)}${microseconds.toFixed(1).padStart(8)}${ratio.toFixed(2).padStart(10)}`);
}
const machine = { cpu: cpus()[0]?.model ?? 'unknown', cpus: cpus().length, arch: process.arch };
console.log(JSON.stringify({ bench: 'hpke', machine, node: process.version, openssl: process.versions.openssl, rows }));
