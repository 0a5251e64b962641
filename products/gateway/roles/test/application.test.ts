import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeResponse, encodeRequest } from '@privacy-edge/bhttp';
import { concatBytes, utf8 } from '@privacy-edge/bytes';
import { systemRandom } from '@privacy-edge/hpke';
import { BodyError, type RoleRequest, type RoleResponse } from '@privacy-edge/http-exchange';
import { encapsulateChunked } from '@privacy-edge/ohttp';
import {
  type ApplicationHandler,
  fetchFromApplication,
  TargetError,
  type TargetRequest,
  targetRule,
  toFetchHandler,
  withGateway,
} from '../src/index.ts';
import { streamFromIterable } from '../src/iterable-stream.ts';
import {
  bodyOf,
  chunkedPieces,
  drain,
  field,
  headOf,
  innerRequest,
  makeBench,
  openChunked,
  settle,
} from './gateway-fixture.ts';

const SIGNAL = new AbortController().signal;

function target(init: Partial<TargetRequest> = {}): TargetRequest {
  return {
    method: 'GET',
    scheme: 'https',
    host: 'app.example',
    port: 443,
    authority: 'app.example',
    path: '/a?x=1',
    fields: [],
    body: null,
    trailers: undefined,
    route: targetRule('https://app.example').route,
    ...init,
  };
}

/** A stream that gives pieces when asked, and says when it is cancelled. */
function streamOf(pieces: readonly string[], after: 'close' | 'wait' | 'error', onCancel: () => void = () => {}) {
  const left = [...pieces];
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const piece = left.shift();
        if (piece !== undefined) controller.enqueue(utf8(piece));
        else if (after === 'close') controller.close();
        else if (after === 'error') controller.error(new TypeError('secret'));
        else await new Promise(() => undefined);
      },
      cancel: onCancel,
    },
    { highWaterMark: 0 },
  );
}

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  return Buffer.from((await drain(body)).bytes).toString();
}

describe('fetchFromApplication()', () => {
  it('gives the application the request that the client made', async () => {
    let seen: Request | undefined;
    const fetchTarget = fetchFromApplication((request) => {
      seen = request;
      return new Response('ok');
    });
    await fetchTarget(
      target({
        method: 'PUT',
        fields: [
          ['accept', 'a'],
          ['accept', 'b'],
          ['x-latin', 'caf\u00e9'],
        ],
        body: utf8('content'),
      }),
      SIGNAL,
    );
    assert.deepEqual([seen?.method, seen?.url], ['PUT', 'https://app.example/a?x=1']);
    assert.deepEqual([seen?.headers.get('accept'), seen?.headers.get('x-latin')], ['a, b', 'caf\u00e9']);
    assert.equal(await seen?.text(), 'content');
  });

  it('streams a body both ways', async () => {
    const fetchTarget = fetchFromApplication((request) => new Response(request.body));
    const body = bodyOf([utf8('one '), utf8('two')]).stream();
    const response = await fetchTarget(target({ method: 'POST', body }), SIGNAL);
    assert.equal(await textOf(response.body.stream()), 'one two');
  });

  it('gives status, fields and each Set-Cookie by itself', async () => {
    const headers = new Headers([
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
      ['X-Up', '1'],
      ['connection', 'close'],
    ]);
    const fetchTarget = fetchFromApplication(() => new Response('x', { status: 404, headers }));
    const response = await fetchTarget(target(), SIGNAL);
    assert.equal(response.status, 404);
    assert.deepEqual(
      response.fields.filter(([name]) => name !== 'content-type'),
      [
        ['set-cookie', 'a=1'],
        ['set-cookie', 'b=2'],
        ['x-up', '1'],
      ],
    );
    assert.deepEqual(response.trailers(), []);
  });

  it('follows no redirect', async () => {
    const fetchTarget = fetchFromApplication(() => Response.redirect('https://other.example/', 302));
    const response = await fetchTarget(target(), SIGNAL);
    assert.deepEqual([response.status, field(response, 'location')], [302, 'https://other.example/']);
  });

  it('has no content for HEAD, and closes what the application made', async () => {
    let cancelled = false;
    const stream = streamOf(['x'], 'wait', () => (cancelled = true));
    const response = await fetchFromApplication(() => new Response(stream))(target({ method: 'HEAD' }), SIGNAL);
    assert.equal((await response.body.read(10)).length, 0);
    assert.equal(cancelled, true);
  });

  it('holds no more of a response than allowed, and closes it', async () => {
    let cancelled = false;
    const stream = streamOf(['12345', '67890', 'x'], 'wait', () => (cancelled = true));
    const response = await fetchFromApplication(() => new Response(stream))(target(), SIGNAL);
    await assert.rejects(response.body.read(10), (error) => error instanceof BodyError && error.code === 'TOO_LARGE');
    assert.equal(cancelled, true);
    const fitting = await fetchFromApplication(() => new Response('1234567890'))(target(), SIGNAL);
    assert.equal((await fitting.body.read(10)).length, 10);
    const empty = await fetchFromApplication(() => new Response(null))(target(), SIGNAL);
    assert.equal((await empty.body.read(0)).length, 0);
  });

  it('reports a response that breaks off', async () => {
    const response = await fetchFromApplication(() => new Response(streamOf(['half'], 'error')))(target(), SIGNAL);
    await assert.rejects(response.body.read(100), (error) => error instanceof BodyError && error.code === 'ABORTED');
  });

  const failing: Record<string, ApplicationHandler> = {
    throws: () => {
      throw new TypeError('secret');
    },
    rejects: () => Promise.reject(new TypeError('secret')),
  };
  for (const [name, handler] of Object.entries(failing)) {
    it(`is BROKEN when the handler ${name}`, async () => {
      await assert.rejects(
        fetchFromApplication(handler)(target(), SIGNAL),
        (error) => error instanceof TargetError && error.code === 'BROKEN' && !error.message.includes('secret'),
      );
    });
  }

  it('is a TIMEOUT when the handler does not answer', async () => {
    const route = { ...target().route, timeoutMs: 1 };
    // A timer of this process must keep it alive meanwhile: the one under test does not.
    const alive = setInterval(() => undefined, 1000);
    await assert.rejects(
      fetchFromApplication(() => new Promise<Response>(() => undefined))(target({ route }), SIGNAL),
      (error) => error instanceof TargetError && error.code === 'TIMEOUT',
    );
    clearInterval(alive);
  });

  it('tells the application when the client goes away, before and during the response', async () => {
    const client = new AbortController();
    let seen: AbortSignal | undefined;
    const pending = fetchFromApplication((request) => {
      seen = request.signal;
      return new Promise<Response>(() => undefined);
    })(target(), client.signal);
    client.abort();
    await assert.rejects(pending, TargetError);
    assert.equal(seen?.aborted, true);

    const second = new AbortController();
    let cancelled = false;
    const stream = streamOf(['event'], 'wait', () => (cancelled = true));
    const response = await fetchFromApplication(() => new Response(stream))(target(), second.signal);
    const output = response.body.stream()[Symbol.asyncIterator]();
    assert.equal((await output.next()).done, false);
    const waiting = output.next();
    second.abort();
    await assert.rejects(waiting, (error) => error instanceof BodyError && error.code === 'ABORTED');
    assert.equal(cancelled, true);
  });

  it('closes a response whose content nobody asked for', async () => {
    const client = new AbortController();
    let cancelled = false;
    await fetchFromApplication(() => new Response(streamOf([], 'wait', () => (cancelled = true))))(
      target(),
      client.signal,
    );
    client.abort();
    await settle();
    assert.equal(cancelled, true);
  });
});

describe('toFetchHandler()', () => {
  async function pass(
    request: Request,
    answer: (seen: RoleRequest) => Promise<RoleResponse> | RoleResponse,
  ): Promise<Response> {
    return toFetchHandler(async (seen) => answer(seen))(request);
  }
  const URL_ = 'https://gateway.example/path?q=1';

  it('shows the request as it came', async () => {
    const request = new Request(URL_, {
      method: 'POST',
      body: 'abc',
      headers: [
        ['x-a', '1'],
        ['x-a', '2'],
        ['content-length', '3'],
      ],
    });
    await pass(request, async (seen) => {
      assert.deepEqual(
        [seen.method, seen.path, seen.header('x-a'), seen.header('x-b')],
        ['POST', '/path?q=1', '1, 2', undefined],
      );
      assert.equal(seen.body.announcedLength, 3);
      assert.equal(Buffer.from(await seen.body.read(3)).toString(), 'abc');
      assert.equal(seen.signal.aborted, false);
      return { status: 204, fields: [], body: null };
    });
  });

  it('believes no length that is not one', async () => {
    for (const length of ['-1', '1e3', '0x10', '', '9'.repeat(16), '3, 3']) {
      const request = new Request(URL_, { headers: { 'content-length': length } });
      await pass(request, (seen) => {
        assert.equal(seen.body.announcedLength, undefined, length);
        return { status: 200, fields: [], body: null };
      });
    }
  });

  it('reads a body no further than allowed, and reports one that breaks off', async () => {
    let cancelled = false;
    const long = streamOf(['12345', '6'], 'wait', () => (cancelled = true));
    await pass(new Request(URL_, { method: 'POST', body: long, duplex: 'half' } as RequestInit), async (seen) => {
      await assert.rejects(seen.body.read(5), (error) => error instanceof BodyError && error.code === 'TOO_LARGE');
      return { status: 413, fields: [], body: null };
    });
    assert.equal(cancelled, true);
    const broken = streamOf(['1'], 'error');
    await pass(new Request(URL_, { method: 'POST', body: broken, duplex: 'half' } as RequestInit), async (seen) => {
      await assert.rejects(seen.body.read(5), (error) => error instanceof BodyError && error.code === 'ABORTED');
      return { status: 400, fields: [], body: null };
    });
  });

  it('answers with whole, streamed and no content', async () => {
    const fields = [
      ['x-a', '1'],
      ['x-a', '2'],
    ] as const;
    const whole = await pass(new Request(URL_), () => ({ status: 200, fields, body: utf8('whole') }));
    assert.deepEqual([await whole.text(), whole.headers.get('x-a')], ['whole', '1, 2']);
    const none = await pass(new Request(URL_), () => ({ status: 204, fields, body: null }));
    assert.deepEqual([none.status, none.body], [204, null]);
    let closed = false;
    const body = (): AsyncIterable<Uint8Array> =>
      bodyOf([utf8('a'), utf8('b')], { closed: () => (closed = true) }).stream();
    const streamed = await pass(new Request(URL_), () => ({ status: 200, fields, body: body() }));
    assert.equal(await streamed.text(), 'ab');
    closed = false;
    const cancelled = await pass(new Request(URL_), () => ({ status: 200, fields, body: body() }));
    const reader = cancelled.body!.getReader();
    await reader.read();
    await reader.cancel();
    assert.equal(closed, true);
  });
});

describe('withGateway()', () => {
  const ENDPOINT = 'https://app.example/gateway';
  const config = { targets: [targetRule('https://app.example')] };

  async function wrap(application: ApplicationHandler) {
    const bench = await makeBench({ config });
    return { bench, handler: withGateway(application, bench.ports, bench.config) };
  }

  function messageTo(url: string, body: BodyInit, chunked = false): Request {
    const type = chunked ? 'message/ohttp-chunked-req' : 'message/ohttp-req';
    return new Request(url, { method: 'POST', body, headers: { 'content-type': type }, duplex: 'half' } as RequestInit);
  }

  it('opens what is encapsulated and passes on everything else unchanged', async () => {
    const seen: Request[] = [];
    const { bench, handler } = await wrap((request) => {
      seen.push(request);
      return new Response(`you asked ${new URL(request.url).pathname}`);
    });
    const plain = new Request('https://app.example/plain');
    assert.equal(await (await handler(plain)).text(), 'you asked /plain');
    assert.equal(seen[0], plain);

    const inner = innerRequest({ authority: 'app.example', path: '/private', fields: [['x-secret', '1']] });
    const { message, response } = await bench.client.encapsulate(encodeRequest(inner), systemRandom);
    const outer = await handler(messageTo(ENDPOINT, message.slice()));
    assert.deepEqual([outer.status, outer.headers.get('content-type')], [200, 'message/ohttp-res']);
    const answer = decodeResponse(await response.open(new Uint8Array(await outer.arrayBuffer())));
    assert.equal(Buffer.from(answer.body).toString(), 'you asked /private');
    assert.deepEqual([seen[1]?.url, seen[1]?.headers.get('x-secret')], ['https://app.example/private', '1']);
    assert.equal(seen[1]?.headers.get('content-type'), null, 'nothing of the outer request');
    assert.deepEqual(bench.outcomes, ['answered']);
  });

  it('gives the keys, and asks the application for no gateway inside of the gateway', async () => {
    const seen: string[] = [];
    const { bench, handler } = await wrap((request) => {
      seen.push(request.url);
      return new Response('app');
    });
    assert.equal(
      (await handler(new Request('https://app.example/keys'))).headers.get('content-type'),
      'application/ohttp-keys',
    );
    assert.equal((await handler(new Request(ENDPOINT))).headers.get('content-type'), 'application/ohttp-keys');
    const inner = innerRequest({ authority: 'app.example', path: '/gateway' });
    const { message } = await bench.client.encapsulate(encodeRequest(inner), systemRandom);
    await handler(messageTo(ENDPOINT, message.slice()));
    assert.deepEqual(seen, [ENDPOINT], 'the application sees it, once');
  });

  it('serves no other origin', async () => {
    const { bench, handler } = await wrap(() => assert.fail('asked'));
    const inner = innerRequest({ authority: 'other.example' });
    const { message, response } = await bench.client.encapsulate(encodeRequest(inner), systemRandom);
    const outer = await handler(messageTo(ENDPOINT, message.slice()));
    assert.equal(decodeResponse(await response.open(new Uint8Array(await outer.arrayBuffer()))).status, 403);
  });

  it('answers 502 inside for an application that fails or gives no response', async () => {
    for (const application of [() => Promise.reject(new TypeError('secret')), () => Response.error()]) {
      const { bench, handler } = await wrap(application);
      const inner = innerRequest({ authority: 'app.example' });
      const { message, response } = await bench.client.encapsulate(encodeRequest(inner), systemRandom);
      const outer = await handler(messageTo(ENDPOINT, message.slice()));
      assert.equal(decodeResponse(await response.open(new Uint8Array(await outer.arrayBuffer()))).status, 502);
      assert.deepEqual(bench.outcomes, ['target-failed']);
    }
  });

  it('streams chunked exchanges both ways', async () => {
    const { bench, handler } = await wrap(
      (request) => new Response(request.body?.pipeThrough(upperCase()) ?? null, { headers: { 'x-app': '1' } }),
    );
    const chunked = await encapsulateChunked(bench.client, systemRandom);
    const inner = innerRequest({ method: 'POST', authority: 'app.example' });
    const pieces = await chunkedPieces(chunked, inner, [utf8('stream'), utf8('ed')]);
    const outer = await handler(messageTo(ENDPOINT, streamFromIterable(bodyOf(pieces).stream()), true));
    assert.equal(outer.headers.get('incremental'), '?1');
    const { events, complete } = await openChunked(chunked, {
      status: outer.status,
      fields: [],
      body: outer.body as unknown as AsyncIterable<Uint8Array>,
    });
    const content = events.flatMap((event) => (event.type === 'data' ? [event.bytes] : []));
    assert.equal(Buffer.from(concatBytes(...content)).toString(), 'STREAMED');
    assert.deepEqual([field(headOf(events), 'x-app'), complete], ['1', true]);
  });

  function upperCase(): TransformStream<Uint8Array, Uint8Array> {
    return new TransformStream({
      transform: (piece, controller) => controller.enqueue(utf8(Buffer.from(piece).toString().toUpperCase())),
    });
  }

  it('closes the stream of an application that is silent when the client cancels', async () => {
    let cancelled = false;
    const { bench, handler } = await wrap(() => new Response(streamOf(['event'], 'wait', () => (cancelled = true))));
    const chunked = await encapsulateChunked(bench.client, systemRandom);
    const pieces = await chunkedPieces(chunked, innerRequest({ authority: 'app.example' }));
    const outer = await handler(messageTo(ENDPOINT, streamFromIterable(bodyOf(pieces).stream()), true));
    const reader = outer.body!.getReader();
    for (let i = 0; i < 3; i++) assert.equal((await reader.read()).done, false);
    const waiting = reader.read();
    await settle();
    await reader.cancel();
    await waiting;
    await settle();
    assert.equal(cancelled, true);
    assert.deepEqual(bench.outcomes, ['aborted+']);
  });
});
