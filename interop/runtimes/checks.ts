/**
 * What `createObliviousFetch` must do in every runtime. Runs inside of it, against a relay and a gateway that are real
 * processes, and uses nothing but what all runtimes have.
 */

import {
  chunkedResponse,
  createObliviousFetch,
  interactive,
  type ObliviousEvent,
  type ObliviousFetch,
  type ObliviousFetchOptions,
} from '@privacy-edge/gateway';

/** Where everything is. Decoys stand where a relay could be; what they answer is said by their path. */
export interface World {
  /** URL of the relay resource; its keys are below. */
  readonly relay: string;
  /** Origin of the target, which only the gateway may ask. */
  readonly target: string;
  /** A server with a good certificate. */
  readonly decoy: string;
  /** A server whose certificate comes from an authority that nobody trusts. */
  readonly stranger: string;
  /** Digest of the list of key configurations. */
  readonly pin: string;
  /** Last part of the paths of one exchange, so that exchanges do not meet. */
  readonly run: string;
}

/** How a check ended. */
export interface Outcome {
  readonly name: string;
  /** Absent when it passed. */
  readonly error?: string;
}

type Check = (world: World) => Promise<void>;

/** In order: the last one makes the gateway change its keys, after which the pin is worth nothing. */
const CHECKS: Readonly<Record<string, Check>> = {
  'plain requests': plainRequests,
  'a chunked answer, piece by piece': streamedAnswer,
  'a chunked request, piece by piece': streamedRequest,
  'abort before the answer': abortBefore,
  'abort inside of the answer': abortInside,
  'algorithms that are loaded when wanted': otherAlgorithms,
  'keys that are pinned': pinnedKeys,
  'keys that are not pinned': otherKeys,
  'a redirect of the relay': relayRedirect,
  'an answer in clear': clearAnswer,
  'a certificate of a stranger': strangeCertificate,
  'new keys of the gateway': newKeys,
};

/** Runs all checks, one after the other. */
export async function runChecks(world: World): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const [name, check] of Object.entries(CHECKS)) {
    try {
      await check({ ...world, run: `${world.run}-${outcomes.length}` });
      outcomes.push({ name });
    } catch (error) {
      outcomes.push({ name, error: reasons(error) });
    }
  }
  return outcomes;
}

function client(world: World, options: Partial<ObliviousFetchOptions> = {}): ObliviousFetch {
  const { relay, target } = world;
  return createObliviousFetch({
    relay,
    gateway: target,
    keys: { url: `${relay}/keys` },
    timeoutMs: 30_000,
    ...options,
  });
}

/** Asks the target for something beside the exchange under test, as obliviously as the rest. */
async function ask(world: World, path: string): Promise<string> {
  try {
    return await (await client(world)(`${world.target}/${path}/${world.run}`)).text();
  } catch (cause) {
    throw new Error(`the target does not answer to "${path}"`, { cause });
  }
}

async function plainRequests(world: World): Promise<void> {
  const fetch = client(world);
  const url = `${world.target}/echo?a=1&b=%20`;
  const answer = await fetch(url, { method: 'POST', headers: { 'x-probe': 'first' }, body: 'asked' });
  same('kind', answer instanceof Response, true);
  same('status', answer.status, 200);
  same('URL', answer.url, url);
  same('method seen', answer.headers.get('x-seen-method'), 'POST');
  same('URL seen', answer.headers.get('x-seen-url'), '/echo?a=1&b=%20');
  same('field seen', answer.headers.get('x-probe'), 'first');
  same('content', await answer.text(), 'asked');
  const body = new Uint8Array(50_000).map((_, i) => i % 251);
  const large = await fetch(new Request(url, { method: 'PUT', body }));
  same('large content', String(new Uint8Array(await large.arrayBuffer())), String(body));
}

async function streamedAnswer(world: World): Promise<void> {
  const answer = await client(world, { chunked: chunkedResponse })(`${world.target}/words/${world.run}`);
  const reader = readerOf(answer);
  same('first word', await textUntil(reader, 'one '), 'one ');
  // The target has not said the second word yet.
  await ask(world, 'release');
  same('second word', await textUntil(reader, 'two'), 'two');
  same('end', (await reader.read()).done, true);
}

async function streamedRequest(world: World): Promise<void> {
  const [first, second] = [new TextEncoder().encode('to be '), new TextEncoder().encode('or not')];
  const pieces = [async () => first, () => ask(world, 'uploading').then(() => second)];
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const next = pieces.shift();
        // The second piece is made only after the first one has reached the target.
        if (next === undefined) controller.close();
        else controller.enqueue(await next());
      },
    },
    { highWaterMark: 0 },
  );
  const init = { method: 'POST', body, duplex: 'half' };
  const answer = await client(world, { chunked: interactive })(`${world.target}/upload/${world.run}`, init);
  same('content', await answer.text(), 'to be or not');
}

async function abortBefore(world: World): Promise<void> {
  const controller = new AbortController();
  const reason = new Error('enough');
  const answering = client(world)(`${world.target}/held/${world.run}`, { signal: controller.signal });
  const failed = failure(answering);
  await ask(world, 'arrived');
  controller.abort(reason);
  same('reason', await failed, reason);
  // The relay and the gateway give up what nobody waits for.
  await ask(world, 'gone');
}

async function abortInside(world: World): Promise<void> {
  const controller = new AbortController();
  const reason = new Error('enough');
  const { signal } = controller;
  const answer = await client(world, { chunked: chunkedResponse })(`${world.target}/words/${world.run}`, { signal });
  const reader = readerOf(answer);
  same('first word', await textUntil(reader, 'one '), 'one ');
  const failed = failure(reader.read());
  controller.abort(reason);
  same('reason', await failed, reason);
  await ask(world, 'gone');
}

async function otherAlgorithms(world: World): Promise<void> {
  const wanted: readonly (readonly [kemId: number, aeadId: number])[] = [
    [0x0020, 0x0003],
    [0x0010, 0x0001],
    [0x647a, 0x0001],
  ];
  for (const [kemId, aeadId] of wanted) {
    const fetch = client(world, { preference: (id, suite) => id === kemId && suite.aeadId === aeadId });
    const answer = await fetch(`${world.target}/echo`, { method: 'POST', body: 'sealed' });
    same(`content with KEM ${kemId}, AEAD ${aeadId}`, await answer.text(), 'sealed');
  }
}

async function pinnedKeys(world: World): Promise<void> {
  const keys = { url: `${world.relay}/keys`, pin: [world.pin] };
  const answer = await client(world, { keys })(`${world.target}/echo`, { method: 'POST', body: 'pinned' });
  same('content', await answer.text(), 'pinned');
}

async function otherKeys(world: World): Promise<void> {
  const pin = `sha256-${btoa(String.fromCharCode(...new Uint8Array(32)))}`;
  const keys = { url: `${world.relay}/keys`, pin: [pin] };
  await refused(client(world, { keys })(`${world.target}/echo/${world.run}`), 'KEYS_REFUSED');
  same('requests that arrived', await ask(world, 'count'), '0');
}

async function relayRedirect(world: World): Promise<void> {
  const fetch = client(world, { relay: `${world.decoy}/away`, keys: { url: `${world.relay}/keys` } });
  await refused(fetch(`${world.target}/echo/${world.run}`), 'RELAY_STATUS');
  same('requests that arrived', await ask(world, 'count'), '0');
}

async function clearAnswer(world: World): Promise<void> {
  const fetch = client(world, { relay: `${world.decoy}/clear`, keys: { url: `${world.relay}/keys` } });
  await refused(fetch(`${world.target}/echo`), 'UNENCAPSULATED');
}

async function strangeCertificate(world: World): Promise<void> {
  const fetch = client(world, { relay: `${world.stranger}/clear`, keys: { url: `${world.relay}/keys` } });
  await refused(fetch(`${world.target}/echo`), 'RELAY_UNREACHABLE');
}

async function newKeys(world: World): Promise<void> {
  const events: ObliviousEvent['type'][] = [];
  const fetch = client(world, { onEvent: ({ type }) => void events.push(type) });
  const post = async (body: string): Promise<void> =>
    same('content', await (await fetch(`${world.target}/echo`, { method: 'POST', body })).text(), body);
  await post('with the old keys');
  await ask(world, 'rotate');
  // Several at once: one look for new keys is enough for all.
  await Promise.all([post('with'), post('the'), post('new keys')]);
  same('events', events.sort().join(), 'keys,keys,retry,retry,retry');
}

function readerOf(answer: Response): ReadableStreamDefaultReader<Uint8Array> {
  if (answer.body === null) throw new Error('the answer has no body');
  return answer.body.getReader();
}

/** Reads until so much is there; pieces may be cut anywhere. */
async function textUntil(reader: ReadableStreamDefaultReader<Uint8Array>, wanted: string): Promise<string> {
  const text = new TextDecoder();
  let read = '';
  while (read.length < wanted.length) {
    const { value } = await reader.read();
    if (value === undefined) break;
    read += text.decode(value, { stream: true });
  }
  return read;
}

async function refused(answering: Promise<unknown>, code: string): Promise<void> {
  const error = await failure(answering);
  if (!(error instanceof TypeError)) throw new Error('the error is no TypeError', { cause: error });
  same('error', `${error.name} ${(error as { code?: string }).code}`, `ObliviousError ${code}`);
}

/** What a promise is rejected with. */
function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => new Error('it did not fail'),
    (error: unknown) => error,
  );
}

function same(what: string, got: unknown, wanted: unknown): void {
  if (got !== wanted) throw new Error(`${what}: ${shown(got)}, not ${shown(wanted)}`);
}

function shown(value: unknown): string {
  return value instanceof Error ? reasons(value) : String(value).slice(0, 200);
}

function reasons(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${reasons(error.cause)}`;
}
