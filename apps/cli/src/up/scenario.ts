/** What the demonstration does as a client, and the facts that it plants. */
import { randomBytes, randomInt } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type ChunkedMode, chunkedResponse, createObliviousFetch, type ObliviousFetch } from '@privacy-edge/gateway';
import { CliError } from '../cli-error.ts';
import { createOuterFetch } from '../fetch/outer-fetch.ts';
import type { Deployment } from './deployment.ts';
import type { Fact } from './knowledge.ts';

/** Distinctive values, new at every start. */
export interface Canaries {
  /** Where the client connects from. */
  readonly address: string;
  /** Field that only the connection to the relay carries. */
  readonly connection: string;
  readonly targetHost: string;
  readonly path: string;
  readonly field: string;
  readonly body: string;
  readonly answer: string;
}

/** What the client got. */
export interface ScenarioResult {
  /** Length of the sealed request, bytes. */
  readonly sealedBytes: number;
  /** Events that arrived, each before the next was made. */
  readonly streamEvents: number;
}

/** New distinctive values. */
export function createCanaries(): Canaries {
  const word = (): string => randomBytes(6).toString('hex');
  return {
    address: `127.${randomInt(10, 250)}.${randomInt(10, 250)}.${randomInt(10, 250)}`,
    connection: `client-${word()}`,
    targetHost: `health-${word()}.example`,
    path: `/records/${word()}`,
    field: `field-${word()}`,
    body: `question-${word()}`,
    answer: `answer-${word()}`,
  };
}

/** Milliseconds for one exchange. */
const TIMEOUT_MS = 15_000;

/**
 * Makes one oblivious request, and one chunked one whose answer arrives event by event.
 *
 * @throws {@link CliError} `FAILED` when an answer is not what it has to be
 */
export async function playScenario(deployment: Deployment, canaries: Canaries): Promise<ScenarioResult> {
  const sealed: number[] = [];
  const { urls } = deployment;
  const send = createOuterFetch({
    extraRoots: [await readFile(deployment.rootPath, 'utf8')],
    localAddress: canaries.address,
    headers: { 'user-agent': canaries.connection },
    onAnswer: ({ sentBytes }) => {
      if (sentBytes !== undefined) sealed.push(sentBytes);
    },
  });
  const client = (chunked: ChunkedMode | undefined): ObliviousFetch =>
    createObliviousFetch({
      relay: urls.relay,
      gateway: urls.target,
      keys: { url: urls.relayKeys },
      fetch: send,
      timeoutMs: TIMEOUT_MS,
      chunked,
    });
  const whole = client(undefined);
  await askOnce(whole, urls.target, canaries);
  const sealedBytes = sealed[0] ?? 0;
  const streamEvents = await askForStream(client(chunkedResponse), whole, urls.target);
  return { sealedBytes, streamEvents };
}

async function askOnce(fetchObliviously: ObliviousFetch, target: string, canaries: Canaries): Promise<void> {
  const response = await fetchObliviously(`${target}${canaries.path}`, {
    method: 'POST',
    headers: { 'x-demo': canaries.field, 'content-type': 'text/plain' },
    body: canaries.body,
  });
  const text = await response.text();
  if (response.status !== 200 || !text.includes(canaries.answer))
    throw failed('the answer of the target did not arrive', `status ${response.status}`);
}

/** Every event but the first is made only after the client said, by another oblivious request, that the last one is there. */
async function askForStream(streaming: ObliviousFetch, whole: ObliviousFetch, target: string): Promise<number> {
  const response = await streaming(`${target}/stream`);
  if (response.status !== 200 || response.body === null)
    throw failed('the stream did not start', `status ${response.status}`);
  let text = '';
  let events = 0;
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const complete = text.split('\n\n').length - 1;
    for (; events < complete; events++) await whole(`${target}/stream/next`, { method: 'POST' });
  }
  const expected = Number(/of (\d+)/.exec(text)?.[1] ?? -1);
  if (events !== expected) throw failed('the stream is not complete', `${events} of ${expected} events`);
  return events;
}

/** What the table asks about. */
export function factsOf(canaries: Canaries, deployment: Deployment, result: ScenarioResult): readonly Fact[] {
  const gatewayAuthority = new URL(deployment.urls.gateway).host;
  return [
    { label: 'client address', known: ['relay'], sign: { text: canaries.address } },
    { label: "fields of the client's connection", known: ['relay'], sign: { text: canaries.connection } },
    { label: 'which gateway', known: ['relay', 'gateway'], sign: { text: gatewayAuthority } },
    { label: 'size of the sealed request', known: ['relay', 'gateway'], sign: { bodyBytes: result.sealedBytes } },
    { label: 'target host', known: ['gateway', 'target'], sign: { text: canaries.targetHost } },
    { label: 'target path', known: ['gateway', 'target'], sign: { text: canaries.path } },
    { label: 'request field', known: ['gateway', 'target'], sign: { text: canaries.field } },
    { label: 'request body', known: ['gateway', 'target'], sign: { text: canaries.body } },
    { label: 'response body', known: ['gateway', 'target'], sign: { text: canaries.answer } },
  ];
}

function failed(what: string, why: string): CliError {
  return new CliError('FAILED', { what: `Cannot show the demonstration: ${what}`, why });
}
