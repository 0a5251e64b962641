/** Relay, gateway and target as they would be deployed, each on a TLS listener of its own, with {@link Evidence} listening in. */

import { randomBytes } from 'node:crypto';
import {
  createGateway,
  createRelay,
  defaultGatewayConfig,
  type FetchTarget,
  KeySchedule,
  targetRule,
} from '@privacy-edge/gateway-roles';
import { AEAD_AES_128_GCM, KDF_HKDF_SHA256, KEM_MLKEM768_X25519, KEM_X25519_HKDF_SHA256 } from '@privacy-edge/hpke';
import type { BodySource, RoleHandler } from '@privacy-edge/http-exchange';
import {
  attachReplayTable,
  createFetchTarget,
  createForward,
  createLog,
  createReplayTable,
  type Listener,
  type ListenerOptions,
  type LocalAuthority,
  serve,
  serveRelay,
  systemClock,
  systemRandom,
} from '@privacy-edge/node';
import type { Evidence } from './evidence.ts';

/** A name that only the gateway can resolve. */
const TARGET_HOST = 'answers.example';

/** Running parties. */
export interface Parties {
  /** URL of the relay resource. */
  readonly relay: string;
  /** Origin of the target, reachable through the gateway only. */
  readonly target: string;
  /** The gateway's key configurations, as the page pins them. */
  readonly keys: Uint8Array;
  close(): Promise<void>;
}

/**
 * Starts everything.
 *
 * @param beforeWord - awaited before each word of a streamed answer but the first
 */
export async function startParties(
  authority: LocalAuthority,
  evidence: Evidence,
  beforeWord: () => Promise<void>,
  pages: string,
): Promise<Parties> {
  const { event: log } = createLog({ level: 'warn' });
  const listen = async (name: string, names: readonly string[] = []): Promise<ListenerOptions> => ({
    certificate: await authority.issue(name, names),
    log,
  });
  const trust = { extraRoots: [authority.rootPem] };

  const target = await serve(targetHandler(evidence, beforeWord), await listen('target', [TARGET_HOST]));
  evidence.watch('target', target.port);
  const targetOrigin = `https://${TARGET_HOST}:${target.port}`;

  const keys = keySchedule();
  const targets = createFetchTarget({ ...trust, resolve: async () => [{ address: '127.0.0.1', family: 4 }] });
  const window = createReplayTable({ capacity: 4096, windowMs: 120_000, clock: systemClock, random: systemRandom });
  // A window that starts empty may have forgotten messages, but not for keys that are as new as the window itself.
  const replay = attachReplayTable({ ...window.handle, amnesiaUntilMs: 0 }, systemClock);
  const ports = {
    keys,
    replay,
    clock: systemClock,
    random: systemRandom,
    fetchTarget: watchedTarget(evidence, targets.fetchTarget),
  };
  const rules = [targetRule(`${targetOrigin}/`, { allowPrivate: true })];
  const handler = createGateway(ports, { ...defaultGatewayConfig, targets: rules });
  const gateway = await serve(watched(evidence, 'gateway', handler), await listen('gateway'));
  evidence.watch('gateway', gateway.port);

  const forwarder = createForward(trust);
  const relayRole = createRelay(
    { forward: forwarder.forward, clock: systemClock },
    {
      gateways: [
        {
          name: 'demo',
          path: '/demo',
          url: gateway.url + defaultGatewayConfig.gatewayPath,
          keysUrl: gateway.url + defaultGatewayConfig.keysPath,
          allowPrivate: true,
          incremental: 'forward',
          timeoutMs: 30_000,
          maxRequestBytes: 1 << 20,
          maxResponseBytes: 1 << 24,
        },
      ],
      rateLimit: { requestsPerSecond: 10, burst: 100, ipv4PrefixBits: 24, ipv6PrefixBits: 56, maxPrefixes: 1000 },
      corsOrigins: [pages],
    },
  );
  const relay = await serveRelay(
    (request, client) => watched(evidence, 'relay', (seen) => relayRole(seen, client))(request),
    await listen('relay'),
  );
  evidence.watch('relay', relay.port);
  const listeners: readonly Listener[] = [relay, gateway, target];
  return {
    relay: `https://localhost:${relay.port}/demo`,
    target: targetOrigin,
    keys: (await keys.ringAt(systemClock())).published,
    close: async () => {
      await forwarder.close(0);
      await targets.close(0);
      await Promise.all(listeners.map((listener) => listener.close(0)));
    },
  };
}

/** One key that every browser can use at once, and one that also withstands quantum computers. */
function keySchedule(): KeySchedule {
  return new KeySchedule({
    segments: [{ secret: randomBytes(32), epoch: 0, fromMs: Date.now() }],
    epochMs: 7 * 86_400_000,
    publishAheadMs: 86_400_000,
    retainMs: 2 * 86_400_000,
    kemIds: [KEM_X25519_HKDF_SHA256, KEM_MLKEM768_X25519],
    suites: [{ kdfId: KDF_HKDF_SHA256, aeadId: AEAD_AES_128_GCM }],
  });
}

/** The application that is asked: it reads the question, and can say nothing about who asks. */
function targetHandler(evidence: Evidence, beforeWord: () => Promise<void>): RoleHandler {
  return async ({ method, path, body }) => {
    if (method !== 'POST') return { status: 405, fields: [['allow', 'POST']], body: null };
    const question = await body.read(4096);
    const answer = answerTo(Buffer.from(question).toString());
    evidence.note('target', question);
    evidence.note('target', Buffer.from(answer));
    const words = path === '/ask/stream' ? spoken(answer, beforeWord) : Buffer.from(answer);
    return { status: 200, fields: [['content-type', 'text/plain; charset=utf-8']], body: words };
  };
}

/** What the target says. */
export function answerTo(question: string): string {
  return `You ask “${question}”. I can read every word of that, and I answer it gladly. I only wonder who you are: the one who called me is the gateway.`;
}

async function* spoken(answer: string, beforeWord: () => Promise<void>): AsyncGenerator<Uint8Array> {
  const words = answer.split(/(?<= )/);
  for (const [i, word] of words.entries()) {
    if (i > 0) await beforeWord();
    yield Buffer.from(word);
  }
}

/** The same role; the messages that it reads and writes are noted. */
function watched(evidence: Evidence, party: 'relay' | 'gateway', handler: RoleHandler): RoleHandler {
  return async (request) => {
    const { method, path, signal } = request;
    const body = watchedBody(evidence, party, request.body);
    const response = await handler({ method, path, signal, body, header: (name) => request.header(name) });
    // What a gateway sends is what it read from the target, sealed.
    return party === 'relay' ? { ...response, body: watchedContent(evidence, party, response.body) } : response;
  };
}

/** The gateway opens what the relay cannot: this is where it can read. */
function watchedTarget(evidence: Evidence, fetchTarget: FetchTarget): FetchTarget {
  return async (request, signal, onInformational) => {
    evidence.note(
      'gateway',
      Buffer.from(`${request.method} ${request.scheme}://${request.authority}${request.path}\n`),
    );
    const body = watchedContent(evidence, 'gateway', request.body);
    const response = await fetchTarget({ ...request, body }, signal, onInformational);
    return {
      status: response.status,
      fields: response.fields,
      body: watchedBody(evidence, 'gateway', response.body),
      trailers: () => response.trailers(),
    };
  };
}

function watchedBody(evidence: Evidence, party: 'relay' | 'gateway', body: BodySource): BodySource {
  return {
    announcedLength: body.announcedLength,
    read: async (maxBytes) => {
      const bytes = await body.read(maxBytes);
      evidence.note(party, bytes);
      return bytes;
    },
    stream: () => tap(evidence, party, body.stream()),
  };
}

function watchedContent<Content extends Uint8Array | AsyncIterable<Uint8Array> | null>(
  evidence: Evidence,
  party: 'relay' | 'gateway',
  content: Content,
): Content | AsyncIterable<Uint8Array> {
  if (content === null) return content;
  if (!(content instanceof Uint8Array)) return tap(evidence, party, content);
  evidence.note(party, content);
  return content;
}

async function* tap(
  evidence: Evidence,
  party: 'relay' | 'gateway',
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    evidence.note(party, chunk);
    yield chunk;
  }
}
