/**
 * What is sent through the deployment: requests that are answered, and everything that is refused or fails, all of it with
 * distinctive values that somebody may know and somebody must not.
 */
import { randomBytes, randomInt } from 'node:crypto';
import { type BinaryResponse, decodeResponse, encodeRequest, type Field } from '@privacy-edge/bhttp';
import { utf8 } from '@privacy-edge/bytes';
import { chunkedResponse, createObliviousFetch } from '@privacy-edge/gateway';
import { systemRandom } from '@privacy-edge/hpke';
import { formatHttpDate } from '@privacy-edge/http-fields';
import { type Encapsulator, KeyConfigList, prepareEncapsulator, selectSuite } from '@privacy-edge/ohttp';
import { CliError } from '../cli-error.ts';
import { DistinctiveClient } from './client.ts';
import { Deployment, type DeploymentOptions } from './deployment.ts';
import type { FactName } from './promise.ts';
import type { Reply } from './target.ts';

/** Name of the target, which nothing that the relay gets says. */
export const TARGET_HOST = 'records.example';

/** Something that somebody may know. */
export interface Fact {
  readonly fact: FactName;
  /** What of it. */
  readonly name: string;
  readonly sign: string | number | Buffer;
}

/** Marks of everything about the connection, and of everything inside; each distinctive value starts with one. */
export interface Marks {
  readonly outer: string;
  readonly inner: string;
}

/** What happened. */
export interface Scene {
  readonly deployment: Deployment;
  readonly client: DistinctiveClient;
  readonly marks: Marks;
  /** Of the client. */
  readonly address: string;
  readonly facts: readonly Fact[];
}

const OUTER_FIELDS = [
  'user-agent',
  'accept-language',
  'cookie',
  'authorization',
  'proxy-authorization',
  'forwarded',
  'x-forwarded-for',
  'via',
  'origin',
  'referer',
  'from',
  'traceparent',
  'x-request-id',
  'x-device',
];
const INNER_FIELDS = ['user-agent', 'cookie', 'authorization', 'x-device', 'accept-language'];
const KINDS = ['whole', 'chunked'] as const;
type Kind = (typeof KINDS)[number];

/**
 * Starts a deployment and sends everything through it. Whoever gets the scene closes its deployment.
 *
 * @throws {@link CliError} `FAILED` when an answer is not what it has to be: then nothing is proved
 */
export async function playScene(roles: DeploymentOptions['roles']): Promise<Scene> {
  const word = (): string => randomBytes(8).toString('hex');
  const marks = { outer: `outer-${word()}`, inner: `inner-${word()}` };
  const outer = (name: string): string => `${marks.outer}-${name}-${randomBytes(3).toString('hex')}`;
  const address = `127.${randomInt(10, 250)}.${randomInt(10, 250)}.${randomInt(10, 250)}`;
  const relayName = `${outer('name')}.example`;
  const deployment = await Deployment.start({ roles, relayName, targetHost: TARGET_HOST, replies: repliesOf(marks) });
  try {
    const outerFields = Object.fromEntries(OUTER_FIELDS.map((name) => [name, outer(name)]));
    const parameter = outer('parameter');
    const { relayPort, rootPem } = deployment;
    const options = { relayPort, relayName, rootPem, address, fields: outerFields, parameter: `id=${parameter}` };
    const playing = { deployment, client: new DistinctiveClient(options), marks, address };
    for (const kind of KINDS) await exchange(playing, kind);
    await provokeRelay(playing);
    await provokeGateway(playing);
    await exhaustRate(playing);
    return { ...playing, facts: factsOf(playing, relayName, { ...outerFields, parameter }) };
  } catch (error) {
    await deployment.close();
    throw error;
  }
}

function repliesOf(marks: Marks): Readonly<Record<string, Reply>> {
  const inner = (kind: string, name: string): string => `${marks.inner}-${kind}-${name}`;
  const replies: Record<string, Reply> = {
    [`/${inner('broken', 'path')}`]: {
      fields: { 'x-answer': inner('broken', 'field'), 'content-length': '1000' },
      body: [inner('broken', 'body')],
      breaks: true,
    },
  };
  for (const kind of KINDS) {
    replies[`/${inner(kind, 'path')}`] = {
      fields: { 'x-answer': inner(kind, 'answer-field'), 'set-cookie': `id=${inner(kind, 'answer-cookie')}` },
      body: [inner(kind, 'answer-one'), inner(kind, 'answer-two')],
      ...(kind === 'chunked' && { trailers: { 'x-sum': inner(kind, 'answer-trailer') } }),
    };
  }
  return replies;
}

type Playing = Omit<Scene, 'facts'>;

/** One request that is answered. */
async function exchange({ deployment, client, marks }: Playing, kind: Kind): Promise<void> {
  const inner = (name: string): string => `${marks.inner}-${kind}-${name}`;
  const relay = `https://relay.example:${deployment.relayPort}/demo`;
  const obliviousFetch = createObliviousFetch({
    relay,
    keys: { url: `${relay}/keys` },
    fetch: client.fetch(kind === 'whole' ? 'http/1.1' : 'h2'),
    ...(kind === 'chunked' && { chunked: chunkedResponse }),
  });
  const response = await obliviousFetch(`${deployment.targetOrigin}/${inner('path')}?q=${inner('query')}`, {
    method: 'POST',
    headers: Object.fromEntries(INNER_FIELDS.map((name) => [name, inner(name)])),
    body: inner('content'),
  });
  expectStatus(`a ${kind} request`, response.status, 200);
  const text = await response.text();
  if (response.headers.get('x-answer') !== inner('answer-field') || text !== inner('answer-one') + inner('answer-two'))
    throw unproven(`the answer to a ${kind} request did not arrive`);
}

const MESSAGE = { 'content-type': 'message/ohttp-req' };
const TEXT = { 'content-type': 'text/plain' };

/** What a relay refuses by itself, or its gateway in clear. */
async function provokeRelay({ client, marks: { outer } }: Playing): Promise<void> {
  const send = async (wanted: number, what: string, ...sent: Parameters<DistinctiveClient['send']>): Promise<void> =>
    expectStatus(what, (await client.send(...sent)).status, wanted);
  const noise = Buffer.from('a body that was never sealed');
  await send(404, 'an unknown resource', 'http/1.1', 'POST', `/${outer}-nowhere?${outer}`, TEXT, Buffer.from(outer));
  await send(415, 'another media type', 'h2', 'POST', '/demo', TEXT, Buffer.from(`${outer} as text`));
  await send(405, 'another method', 'h2', 'DELETE', '/demo', {}, Buffer.alloc(0));
  await send(400, 'a message that is none', 'http/1.1', 'POST', '/demo', MESSAGE, noise);
}

/** What a gateway refuses, each time with values that would be worth a line in a log. */
async function provokeGateway({ deployment, client, marks: { inner } }: Playing): Promise<void> {
  const encapsulator = await encapsulatorOf(client);
  const host = deployment.targetOrigin;
  const device: Field = ['x-device', inner];
  const now = Date.now();
  const cases: readonly (readonly [what: string, wanted: number, plaintext: Uint8Array])[] = [
    ['a forbidden target', 403, innerRequest(`https://${inner}-forbidden.example/${inner}`, now)],
    ['something that the target does not have', 404, innerRequest(`${host}/${inner}-missing?${inner}`, now, device)],
    ['a target that breaks off', 502, innerRequest(`${host}/${inner}-broken-path`, now, device)],
    ['a wrong date', 400, innerRequest(`${host}/${inner}-late`, 0)],
    ['a malformed request', 400, utf8(`\u0009${inner}-malformed`)],
  ];
  for (const [what, wanted, plaintext] of cases) {
    const { message, response } = await encapsulator.encapsulate(plaintext, systemRandom);
    const answer = await client.send('h2', 'POST', '/demo', MESSAGE, Buffer.from(message));
    expectStatus(`${what}, outside`, answer.status, 200);
    const opened: BinaryResponse = decodeResponse(await response.open(answer.body));
    expectStatus(what, opened.status, wanted);
  }
  const sealed = await encapsulator.encapsulate(innerRequest(`${host}/${inner}-spoilt`, now), systemRandom);
  const spoilt = Buffer.from(sealed.message);
  spoilt[spoilt.length - 1] = (spoilt.at(-1) ?? 0) ^ 1;
  const refused = await client.send('h2', 'POST', '/demo', MESSAGE, spoilt);
  expectStatus('a message that does not open', refused.status, 400);
}

/** Until the relay has enough of this client. */
async function exhaustRate({ client, marks: { outer } }: Playing): Promise<void> {
  for (let i = 0; i < 30; i++) {
    const { status } = await client.send('h2', 'POST', '/demo', TEXT, Buffer.from(`${outer} again`));
    if (status === 429) return;
  }
  throw unproven('the relay does not limit rates');
}

async function encapsulatorOf(client: DistinctiveClient): Promise<Encapsulator> {
  const { body } = await client.send('h2', 'GET', '/demo/keys', {}, Buffer.alloc(0));
  const selected = selectSuite(KeyConfigList.decode(body).usable);
  if (selected === undefined) throw unproven('there are no usable keys');
  return prepareEncapsulator(selected.config, selected.suite);
}

function innerRequest(url: string, dateMs: number, ...fields: readonly Field[]): Uint8Array {
  const { protocol, host, pathname, search } = new URL(url);
  return encodeRequest({
    method: 'GET',
    scheme: protocol.slice(0, -1),
    authority: host,
    path: pathname + search,
    fields: [['date', formatHttpDate(dateMs)], ...fields],
    body: new Uint8Array(0),
    trailers: [],
  });
}

/** Bodies of the client that are messages: nothing else that it sends is as long. */
export function messagesOf({ client }: Pick<Scene, 'client'>): readonly Buffer[] {
  return client.sent.filter((body) => body.length > 200);
}

function factsOf(playing: Playing, relayName: string, outer: Readonly<Record<string, string>>): readonly Fact[] {
  const { deployment, client, marks, address } = playing;
  const inside = (kind: string, name: string): string => `${marks.inner}-${kind}-${name}`;
  const request = ['path', 'query', 'content', ...INNER_FIELDS];
  const response = ['answer-field', 'answer-cookie', 'answer-one', 'answer-two'];
  const of = (fact: FactName, name: string, sign: Fact['sign']): Fact => ({ fact, name, sign });
  const REQUEST = 'method, URL, fields, content of the request';
  const RESPONSE = 'status, fields, content of the response';
  return [
    of('client address and port', 'address', address),
    ...client.ports.map((port) => of('client address and port', 'port', port)),
    of('connection details', 'name in the handshake', relayName),
    ...Object.entries(outer).map(([name, sign]) => of('connection details', name, sign)),
    of('which gateway', 'authority', new URL(deployment.gatewayUrl).host),
    ...messagesOf(playing).map((body) => of('size and time of each message', 'sealed message', body.subarray(-40))),
    ...KINDS.flatMap((kind) => [
      ...request.map((name) => of(REQUEST, `${kind} ${name}`, inside(kind, name))),
      ...response.map((name) => of(RESPONSE, `${kind} ${name}`, inside(kind, name))),
    ]),
    of(RESPONSE, 'chunked answer-trailer', inside('chunked', 'answer-trailer')),
  ];
}

function expectStatus(what: string, status: number, wanted: number): void {
  if (status !== wanted) throw unproven(`${what} was answered with ${status} instead of ${wanted}`);
}

function unproven(why: string): CliError {
  return new CliError('FAILED', { what: 'Cannot prove anything', why });
}
