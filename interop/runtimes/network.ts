/** Relay and gateway as processes of the command line, a target behind them, and servers that only look like a relay. */

import { createHash, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Certificate, createLocalAuthority } from '@privacy-edge/node';
import type { Server } from '../processes.ts';
import { runProgram, startProgram } from '../program.ts';
import type { World } from './checks.ts';
import { decoy, type Listening, listen, Target } from './target.ts';

const GATEWAY_PATH = '/.well-known/ohttp-gateway';
const KEYS_PATH = '/ohttp-keys';
const CHANGE_MS = 25_000;

/** What a client must trust. */
export interface Trust {
  /** Path of the authority's certificate, PEM. */
  readonly caFile: string;
  /** The same for Chromium: digests of the public keys of servers, as `--ignore-certificate-errors-spki-list` takes them. */
  readonly spkiList: string;
}

/** A network that runs. */
export interface Network {
  readonly trust: Trust;
  /** Everything a client is told; the pin is of the keys that are in use now. */
  world(run: string): Promise<World>;
  stop(): Promise<void>;
}

/** Starts everything; relay and decoys serve HTTPS, from an authority that is made for this run. */
export async function startNetwork(): Promise<Network> {
  const folder = mkdtempSync(join(tmpdir(), 'privacy-edge-runtimes-'));
  const endings: (() => Promise<void> | void)[] = [() => rmSync(folder, { recursive: true, force: true })];
  const stop = async (): Promise<void> => {
    for (const end of endings.splice(0).reverse()) await end();
  };
  const keep = <T extends Listening | Server>(started: T): T => {
    endings.push(() => ('close' in started ? started.close() : started.stop()));
    return started;
  };
  try {
    const authority = await createLocalAuthority(join(folder, 'trusted'), Date.now());
    const unknown = await createLocalAuthority(join(folder, 'unknown'), Date.now());
    const keyFile = join(folder, 'gateway-keys.json');
    await runProgram('keys', 'generate', keyFile, '--retain', '1s', '--kem', 'x25519', 'p-256', 'x-wing');
    const target = keep(await listen(new Target(() => renewKeys()).listener));
    const gateway = keep(await startGateway(keyFile, target.origin));
    const certificates = [await authority.issue('relay'), await authority.issue('decoy')] as const;
    const relay = keep(await startRelay(join(folder, 'trusted'), gateway.origin));
    const resource = `${relay.origin.replace('127.0.0.1', 'localhost')}/relay`;
    const stands = decoy(() => resource);
    const decoyServer = keep(await listen(stands, certificates[1]));
    const stranger = keep(await listen(stands, await unknown.issue('stranger')));
    const keys = (): Promise<Buffer> => fetchKeys(`${resource}/keys`, authority.rootPem);

    async function renewKeys(): Promise<void> {
      const before = await keys();
      await runProgram('keys', 'rotate', keyFile);
      gateway.reload();
      await until(() => forgotten(gateway.origin, before), 'the gateway to forget its keys');
      // It keeps a copy of the list for as long as it may.
      relay.reload();
      await until(async () => !(await keys()).equals(before), 'the relay to have the new list');
    }

    const world = async (run: string): Promise<World> => ({
      relay: resource,
      target: target.origin,
      decoy: decoyServer.origin,
      stranger: stranger.origin,
      pin: `sha256-${createHash('sha256')
        .update(await keys())
        .digest('base64')}`,
      run,
    });
    const trust = { caFile: authority.rootPath, spkiList: certificates.map(spkiDigest).join() };
    return { trust, world, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function startGateway(keyFile: string, target: string): Promise<Server> {
  return startProgram('serve', () => ({
    gateway: {
      port: 0,
      admin: { enabled: false },
      log: { level: 'warn' },
      keys: { file: keyFile },
      targets: [{ origin: target, allowPrivate: true }],
      replay: { protect: 'none' },
    },
  }));
}

function startRelay(tls: string, gateway: string): Promise<Server> {
  return startProgram('relay', () => ({
    relay: {
      port: 0,
      tls: { certFile: join(tls, 'relay.pem'), keyFile: join(tls, 'relay.key') },
      admin: { enabled: false },
      log: { level: 'warn' },
      rateLimit: { requestsPerSecond: 1000, burst: 1000 },
      gateways: [
        {
          name: 'runtimes',
          path: '/relay',
          url: gateway + GATEWAY_PATH,
          keysUrl: gateway + KEYS_PATH,
          allowPrivate: true,
        },
      ],
    },
  }));
}

function spkiDigest({ certificatePem }: Certificate): string {
  const { publicKey } = new X509Certificate(certificatePem);
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(spki).digest('base64');
}

async function fetchKeys(url: string, ca: string): Promise<Buffer> {
  const [response] = (await once(get(url, { ca, agent: false }), 'response')) as [IncomingMessage];
  return buffer(response);
}

/** Whether a gateway no longer knows the first key of a list: what it is asked with is no message, but names that key. */
async function forgotten(gateway: string, list: Buffer): Promise<boolean> {
  const [keyId, kemId, suite] = [list.subarray(2, 3), list.subarray(3, 5), list.subarray(39, 43)];
  const body = Buffer.concat([keyId, kemId, suite, Buffer.alloc(64)]);
  const headers = { 'content-type': 'message/ohttp-req' };
  const answer = await fetch(gateway + GATEWAY_PATH, { method: 'POST', headers, body });
  return (await answer.text()).includes('ohttp-key');
}

async function until(condition: () => Promise<boolean>, what: string): Promise<void> {
  const end = performance.now() + CHANGE_MS;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`Waited ${CHANGE_MS} ms for ${what}`);
    await sleep(20);
  }
}
