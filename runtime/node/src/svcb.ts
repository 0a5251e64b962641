/**
 * Finds out from the DNS whether a target has an Oblivious Gateway. Node's resolver knows neither SVCB nor HTTPS records, so
 * this asks the configured resolvers itself: UDP first, TCP when an answer was cut.
 */
import { createSocket } from 'node:dgram';
import { getServers } from 'node:dns';
import { connect, isIPv6 } from 'node:net';
import type { RandomSource } from '@privacy-edge/gateway-roles';
import packet from 'dns-packet';
import { RuntimeError } from './error.ts';
import { decodeSvcb, isMandatory, isUsable, portOf, SVC_PARAM_OHTTP } from './svcb-record.ts';

/** A resolver of the operator. */
export interface Resolver {
  readonly address: string;
  readonly port: number;
}

/** How to ask. */
export interface OhttpLookupOptions {
  /** Asked in order; default the system's. */
  readonly resolvers?: readonly Resolver[];
  /** Milliseconds for each resolver. Default 2000. */
  readonly timeoutMs?: number;
  readonly random: RandomSource;
  /** `HTTPS` for a web target (the default), `SVCB` for another protocol with its own prefixed name. */
  readonly recordType?: 'HTTPS' | 'SVCB';
}

/** What the DNS says about a target. */
export interface OhttpService {
  /** True when the best usable record carries the `ohttp` parameter. */
  readonly oblivious: boolean;
  /** True when that record also makes the parameter mandatory: the service answers to Oblivious HTTP only. */
  readonly mandatory: boolean;
  /** Name to reach the service at. */
  readonly host: string;
  /** Port the record names, if any. */
  readonly port: number | undefined;
  /** Seconds the answer may be kept. */
  readonly ttlSeconds: number;
}

const ABSENT = { oblivious: false, mandatory: false, port: undefined } as const;
const TYPES = { SVCB: 'UNKNOWN_64', HTTPS: 'UNKNOWN_65' } as const;
const MAX_ALIASES = 4;
const MAX_UDP_BYTES = 1232;

/**
 * Looks for the `ohttp` parameter of a target. The DNS is not authenticated here: the answer is a hint that saves a request,
 * its absence no proof, and the gateway's keys still come over HTTPS (RFC 9540 §6).
 *
 * @param host - name of the target
 * @throws {@link RuntimeError} `DNS_FAILED` when no resolver gave a valid answer
 * @see RFC 9540 §4
 */
export async function lookUpOhttp(host: string, options: OhttpLookupOptions): Promise<OhttpService> {
  const type = options.recordType ?? 'HTTPS';
  let name = canonical(host);
  let ttlSeconds = 86_400;
  for (let aliases = 0; aliases <= MAX_ALIASES; aliases++) {
    const found = bestRecord(await ask(name, type, options), name, TYPES[type]);
    ttlSeconds = Math.min(ttlSeconds, found?.ttlSeconds ?? 300);
    if (found === undefined) return { ...ABSENT, host: name, ttlSeconds };
    const { record } = found;
    if (record.priority > 0) {
      const oblivious = record.params.has(SVC_PARAM_OHTTP);
      const mandatory = oblivious && isMandatory(record, SVC_PARAM_OHTTP);
      return { oblivious, mandatory, host: record.target || found.owner, port: portOf(record), ttlSeconds };
    }
    // RFC 9460 §2.5.1: an alias to the root says that the service does not exist.
    if (record.target === '') return { ...ABSENT, host: name, ttlSeconds };
    name = record.target;
  }
  throw new RuntimeError('DNS_FAILED', 'Cannot look up the service: too many aliases');
}

type Packet = ReturnType<typeof packet.decode>;

interface Found {
  readonly record: ReturnType<typeof decodeSvcb>;
  readonly owner: string;
  readonly ttlSeconds: number;
}

/** Follows CNAMEs inside the answer, drops records we may not use, and takes an alias first, then the lowest priority. */
function bestRecord(answer: Packet, name: string, type: string): Found | undefined {
  let owner = name;
  const answers = answer.answers ?? [];
  for (let hops = 0; hops < 8; hops++) {
    const cname = answers.find((entry) => entry.type === 'CNAME' && canonical(entry.name) === owner);
    if (cname === undefined || typeof cname.data !== 'string') break;
    owner = canonical(cname.data);
  }
  let best: Found | undefined;
  for (const entry of answers) {
    if (entry.type !== type || canonical(entry.name) !== owner || !(entry.data instanceof Uint8Array)) continue;
    const record = decodeSvcb(entry.data);
    if (record.priority > 0 && !isUsable(record)) continue;
    if (best === undefined || record.priority < best.record.priority)
      best = { record, owner, ttlSeconds: entry.ttl ?? 0 };
  }
  return best;
}

async function ask(name: string, type: 'HTTPS' | 'SVCB', options: OhttpLookupOptions): Promise<Packet> {
  const resolvers = options.resolvers ?? systemResolvers();
  let cause: unknown;
  for (const resolver of resolvers) {
    try {
      const [high = 0, low = 0] = options.random(2);
      const id = (high << 8) | low;
      const query = packet.encode({
        type: 'query',
        id,
        flags: packet.RECURSION_DESIRED,
        questions: [{ name, type: TYPES[type] }],
        additionals: [{ name: '.', type: 'OPT', udpPayloadSize: MAX_UDP_BYTES } as never],
      });
      const accept = (bytes: Buffer): Packet | undefined => acceptAnswer(bytes, id, name, TYPES[type]);
      const timeoutMs = options.timeoutMs ?? 2000;
      const answer = await overUdp(resolver, query, timeoutMs, accept);
      return usable(answer.flag_tc === true ? await overTcp(resolver, query, timeoutMs, accept) : answer);
    } catch (error) {
      cause = error;
    }
  }
  throw new RuntimeError('DNS_FAILED', 'Cannot look up the service: no resolver gave a valid answer', { cause });
}

/** The answer to exactly this question; undefined for anything else, which is ignored as RFC 5452 §9.1 asks. */
function acceptAnswer(bytes: Buffer, id: number, name: string, type: string): Packet | undefined {
  let answer: Packet;
  try {
    answer = packet.decode(bytes);
  } catch {
    return undefined;
  }
  const [question, ...others] = answer.questions ?? [];
  const same = question !== undefined && question.type === type && canonical(question.name) === name;
  return answer.id === id && answer.type === 'response' && same && others.length === 0 ? answer : undefined;
}

function usable(answer: Packet): Packet {
  if (answer.rcode === 'NOERROR' || answer.rcode === 'NXDOMAIN') return answer;
  throw new RuntimeError('DNS_FAILED', `The resolver answered ${answer.rcode ?? 'nothing'}`);
}

type Accept = (bytes: Buffer) => Packet | undefined;

function overUdp(resolver: Resolver, query: Buffer, timeoutMs: number, accept: Accept): Promise<Packet> {
  const socket = createSocket(isIPv6(resolver.address) ? 'udp6' : 'udp4');
  return settleWithin<Packet>(timeoutMs, (resolve, reject) => {
    socket.on('error', reject);
    // A connected socket hears only from this resolver, from a source port that the system picks at random.
    socket.connect(resolver.port, resolver.address, () => {
      socket.on('message', (bytes) => {
        const answer = accept(bytes);
        if (answer !== undefined) resolve(answer);
      });
      socket.send(query);
    });
  }).finally(() => socket.close());
}

function overTcp(resolver: Resolver, query: Buffer, timeoutMs: number, accept: Accept): Promise<Packet> {
  const socket = connect({ host: resolver.address, port: resolver.port });
  return settleWithin<Packet>(timeoutMs, (resolve, reject) => {
    let received = Buffer.alloc(0);
    socket.on('error', reject).on('close', () => reject(dnsError('The resolver closed the connection')));
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      const answer = accept(received.subarray(2, 2 + received.readUInt16BE(0)));
      if (answer === undefined) reject(dnsError('The resolver answered another question'));
      else resolve(answer);
    });
    const length = Buffer.alloc(2);
    length.writeUInt16BE(query.length);
    socket.write(Buffer.concat([length, query]));
  }).finally(() => socket.destroy());
}

function settleWithin<T>(
  timeoutMs: number,
  start: (resolve: (value: T) => void, reject: (error: Error) => void) => void,
): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const timer = setTimeout(() => reject(dnsError('The resolver did not answer in time')), timeoutMs);
  start(resolve, reject);
  return promise.finally(() => clearTimeout(timer));
}

function dnsError(message: string): RuntimeError {
  return new RuntimeError('DNS_FAILED', message);
}

function systemResolvers(): readonly Resolver[] {
  return getServers().map((text) => {
    const bracketed = /^\[(.+)\](?::(\d+))?$/.exec(text);
    if (bracketed) return { address: bracketed[1] ?? '', port: Number(bracketed[2] ?? 53) };
    if (isIPv6(text)) return { address: text, port: 53 };
    const [address = '', port = '53'] = text.split(':');
    return { address, port: Number(port) };
  });
}

/** Lower case, without the final dot. */
function canonical(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}
