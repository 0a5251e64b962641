import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encodeRequest, type Field, RequestEncoder } from '@privacy-edge/bhttp';
import { concatBytes, fromHex, utf8 } from '@privacy-edge/bytes';
import { systemRandom } from '@privacy-edge/hpke';
import type { Cancellation } from '@privacy-edge/http-exchange';
import { BodyError, type BodySource, type RoleResponse } from '@privacy-edge/http-exchange';
import { encodeProblem } from '@privacy-edge/http-fields';
import { encapsulateChunked } from '@privacy-edge/ohttp';
import fc from 'fast-check';
import { type FetchTarget, paddedLength, TargetError } from '../src/index.ts';
import {
  bodyOf,
  chunkedPieces,
  contentOf,
  drain,
  field,
  headOf,
  innerRequest,
  makeBench,
  openChunked,
  postChunked,
  RUNS,
  sendChunked,
  settle,
  TARGET_FAILURES,
  targetResponse,
} from './gateway-fixture.ts';

const POST = innerRequest({ method: 'POST', path: '/upload?x=1' });
const UNPADDED = { config: { responsePadding: { kind: 'none' } } } as const;

/** A source that is moved by hand. */
function handMoved(): {
  source: BodySource;
  push: (piece: Uint8Array) => void;
  end: () => void;
  closed: () => boolean;
} {
  const queue: Uint8Array[] = [];
  let ended = false;
  let closed = false;
  let wake: () => void = () => {};
  const source: BodySource = {
    announcedLength: undefined,
    read: () => assert.fail('not read whole'),
    stream: () => ({
      [Symbol.asyncIterator]: () => ({
        async next() {
          for (;;) {
            const value = queue.shift();
            if (value !== undefined) return { done: false, value };
            if (ended) return { done: true, value: undefined };
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
          }
        },
        return() {
          closed = true;
          return Promise.resolve({ done: true, value: undefined });
        },
      }),
    }),
  };
  return {
    source,
    push: (piece) => {
      queue.push(piece);
      wake();
    },
    end: () => {
      ended = true;
      wake();
    },
    closed: () => closed,
  };
}

function iteratorOf(outer: RoleResponse): AsyncIterator<Uint8Array> {
  assert.ok(outer.body !== null && !(outer.body instanceof Uint8Array));
  return outer.body[Symbol.asyncIterator]();
}

describe('a chunked request', () => {
  it('reaches the target with its content and trailers, and is answered with content and trailers', async () => {
    const bench = await makeBench({
      target: () =>
        Promise.resolve(
          targetResponse({
            fields: [
              ['x', '1'],
              ['set-cookie', 'a'],
              ['set-cookie', 'b'],
              ['connection', 'x-hop'],
              ['x-hop', '1'],
            ],
            body: bodyOf([utf8('one '), utf8('two')]),
            trailers: [
              ['x-sum', '9'],
              ['keep-alive', '1'],
            ],
          }),
        ),
    });
    const { events, complete } = await sendChunked(
      bench,
      {
        ...POST,
        fields: [...POST.fields, ['trailer', 'x-end']],
        trailers: [
          ['x-end', '1'],
          ['content-length', '3'],
          ['x-forwarded-for', '192.0.2.1'],
        ],
      },
      { contents: [utf8('abc'), utf8('def')] },
    );
    assert.deepEqual([bench.seen[0]?.body, bench.seen[0]?.path], ['abcdef', '/upload?x=1']);
    assert.deepEqual(bench.seen[0]?.trailers, [['x-end', '1']]);
    assert.deepEqual(headOf(events).fields, [
      ['x', '1'],
      ['set-cookie', 'a'],
      ['set-cookie', 'b'],
    ]);
    assert.equal(contentOf(events), 'one two');
    assert.deepEqual(
      events.filter(({ type }) => type === 'trailers'),
      [{ type: 'trailers', fields: [['x-sum', '9']] }],
    );
    assert.equal(complete, true);
    assert.deepEqual(bench.outcomes, ['answered+']);
  });

  it('may be slow once its head is authentic, and only then', async () => {
    for (const [damage, expected] of [
      [(pieces: Uint8Array[]) => pieces, 1],
      [(pieces: Uint8Array[]) => pieces.map((piece, at) => (at === 1 ? piece.with(9, (piece[9] ?? 0) ^ 1) : piece)), 0],
    ] as const) {
      const bench = await makeBench();
      const chunked = await encapsulateChunked(bench.client, systemRandom);
      let relaxed = 0;
      const body = { ...bodyOf(damage(await chunkedPieces(chunked, POST))), relax: () => void relaxed++ };
      await bench.gateway(postChunked(body)).then(({ body: outer }) => drain(outer));
      assert.equal(relaxed, expected);
    }
  });

  it('loses trailers that it did not announce, and nothing else', async () => {
    const bench = await makeBench();
    const { complete } = await sendChunked(bench, { ...POST, trailers: [['x-end', '1']] }, { contents: [utf8('abc')] });
    assert.equal(bench.seen[0]?.body, 'abc');
    assert.deepEqual(bench.seen[0]?.trailers, []);
    assert.equal(complete, true);
  });

  it('is the same however its bytes are cut', async () => {
    const bench = await makeBench();
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(400), { maxLength: 12 }), async (sizes) => {
        bench.seen.length = 0;
        const recut = (pieces: Uint8Array[]): Uint8Array[] => {
          const whole = concatBytes(...pieces);
          const cut: Uint8Array[] = [];
          let at = 0;
          for (const size of sizes) {
            cut.push(whole.subarray(at, at + size));
            at += size;
          }
          return [...cut, whole.subarray(at)];
        };
        const { events } = await sendChunked(bench, POST, { contents: [utf8('abc'), utf8('def')], damage: recut });
        assert.equal(headOf(events).status, 200);
        assert.equal(bench.seen[0]?.body, 'abcdef');
      }),
      { numRuns: Math.ceil(RUNS / 4) },
    );
  });

  it('reaches the target in few pieces, however small its chunks are', async () => {
    const sizes: number[] = [];
    const bench = await makeBench({
      fetchTarget: async ({ body }) => {
        assert.ok(body !== null && !(body instanceof Uint8Array));
        for await (const piece of body) sizes.push(piece.length);
        return targetResponse();
      },
    });
    const contents = Array.from({ length: 500 }, () => utf8('abcdefgh'));
    const join = (pieces: Uint8Array[]): Uint8Array[] => [concatBytes(...pieces)];
    const sealedSmall = await sendChunked(bench, POST, { contents, damage: join });
    assert.equal(headOf(sealedSmall.events).status, 200);
    assert.deepEqual(sizes, [4000]);
    sizes.length = 0;
    const chunked = await encapsulateChunked(bench.client, systemRandom);
    const head = await chunked.request.seal(new RequestEncoder().head(POST));
    const ones = await chunked.request.seal(fromHex('0161'.repeat(8000)));
    const pieces = [chunked.header, head, ones, await chunked.request.sealFinal(fromHex('0000'))];
    const { events } = await openChunked(chunked, await bench.gateway(postChunked(bodyOf(pieces))));
    assert.equal(headOf(events).status, 200);
    assert.deepEqual(sizes, [8000]);
  });

  it('may hold a request of known length', async () => {
    const bench = await makeBench();
    const chunked = await encapsulateChunked(bench.client, systemRandom);
    const encoded = encodeRequest({ ...POST, body: utf8('known') });
    const outer = await bench.gateway(
      postChunked(
        bodyOf([
          chunked.header,
          await chunked.request.seal(encoded.subarray(0, 10)),
          await chunked.request.sealFinal(encoded.subarray(10)),
        ]),
      ),
    );
    const { events } = await openChunked(chunked, outer);
    assert.equal(headOf(events).status, 200);
    assert.equal(bench.seen[0]?.body, 'known');
  });

  it('without content has no body, and is sent only once its final chunk authenticated', async () => {
    const bench = await makeBench();
    const input = handMoved();
    const chunked = await encapsulateChunked(bench.client, systemRandom);
    const pieces = await chunkedPieces(chunked, innerRequest());
    for (const piece of pieces.slice(0, -1)) input.push(piece);
    const outer = await bench.gateway(postChunked(input.source));
    const answer = openChunked(chunked, outer);
    await settle();
    assert.equal(bench.seen.length, 0);
    input.push(pieces.at(-1)!);
    input.end();
    assert.equal(headOf((await answer).events).status, 200);
    assert.equal(bench.seen[0]?.body, null);
  });

  it('flows to the target while it arrives, and the response while that arrives', async () => {
    const toTarget: string[] = [];
    const response = handMoved();
    const bench = await makeBench({
      ...UNPADDED,
      fetchTarget: async ({ body }) => {
        const consume = async (): Promise<void> => {
          if (body === null || body instanceof Uint8Array) return;
          for await (const piece of body) toTarget.push(Buffer.from(piece).toString());
        };
        consume().catch(() => undefined);
        await Promise.resolve();
        return targetResponse({ body: response.source });
      },
    });
    const input = handMoved();
    const chunked = await encapsulateChunked(bench.client, systemRandom);
    const [header, head, first, second, end] = await chunkedPieces(chunked, POST, [utf8('up1'), utf8('up2')]);
    for (const piece of [header!, head!, first!]) input.push(piece);
    const output = iteratorOf(await bench.gateway(postChunked(input.source)));
    const received: Uint8Array[] = [];
    const read = async (): Promise<void> => {
      const { value } = (await output.next()) as { value: Uint8Array };
      received.push(...(await chunked.response.push(value)));
    };
    await read();
    await read();
    assert.equal(received.length, 1, 'the head is out before anything else');
    assert.deepEqual(toTarget, ['up1']);
    response.push(utf8('down1'));
    await read();
    assert.match(Buffer.from(received.at(-1)!).toString(), /down1/);
    input.push(second!);
    await settle();
    assert.deepEqual(toTarget, ['up1', 'up2']);
    response.push(utf8('down2'));
    await read();
    assert.match(Buffer.from(received.at(-1)!).toString(), /down2/);
    input.push(end!);
    input.end();
    response.end();
    await read();
    assert.equal((await output.next()).done, true);
    assert.deepEqual(bench.outcomes, ['answered+']);
  });

  it('that is answered early ends with the response, although more of it would come', async () => {
    const bench = await makeBench({ fetchTarget: () => Promise.resolve(targetResponse({ status: 413 })) });
    const input = handMoved();
    const chunked = await encapsulateChunked(bench.client, systemRandom);
    for (const piece of (await chunkedPieces(chunked, POST, [utf8('up1')])).slice(0, -1)) input.push(piece);
    const { events, complete } = await openChunked(chunked, await bench.gateway(postChunked(input.source)));
    assert.deepEqual([headOf(events).status, complete], [413, true]);
    assert.equal(input.closed(), true);
    assert.deepEqual(bench.outcomes, ['answered+']);
  });

  it('that is answered early ends although its source never moves again', async () => {
    const bench = await makeBench({ fetchTarget: () => Promise.resolve(targetResponse()) });
    const chunked = await encapsulateChunked(bench.client, systemRandom);
    const pieces = (await chunkedPieces(chunked, POST, [utf8('up1')])).slice(0, -1);
    async function* stuck(): AsyncGenerator<Uint8Array> {
      yield* pieces;
      await new Promise(() => undefined);
    }
    const source: BodySource = { announcedLength: undefined, read: () => assert.fail(), stream: stuck };
    const { complete } = await openChunked(chunked, await bench.gateway(postChunked(source)));
    assert.equal(complete, true);
    assert.deepEqual(bench.outcomes, ['answered+']);
  });
});

describe('a chunked request that is not acceptable', () => {
  const clear: Record<string, [(pieces: Uint8Array[]) => Uint8Array[], status: number, outcome: string]> = {
    'of no bytes': [() => [], 400, 'malformed-message+'],
    'cut in its header': [([header]) => [header!.subarray(0, 5)], 400, 'malformed-message+'],
    'cut behind its header': [([header]) => [header!], 400, 'malformed-message+'],
    'cut in its first chunk': [([header, head]) => [header!, head!.subarray(0, 9)], 400, 'malformed-message+'],
    'of an unknown key': [([header, ...rest]) => [fromHex('08'), header!.subarray(1), ...rest], 400, 'key-unknown+'],
    'with a low-order point': [
      ([header, ...rest]) => [header!.subarray(0, 7), new Uint8Array(32), ...rest],
      400,
      'open-failed+',
    ],
    'with a damaged first chunk': [
      ([header, head, ...rest]) => [header!, head!.map((byte, i) => (i === 20 ? byte ^ 1 : byte)), ...rest],
      400,
      'open-failed+',
    ],
    'that announces a chunk of 2^40 bytes': [([header]) => [header!, fromHex('c000010000000000')], 400, 'open-failed+'],
    'that is only a damaged final chunk': [([header]) => [header!, new Uint8Array(17)], 400, 'open-failed+'],
  };
  for (const [name, [damage, status, outcome]] of Object.entries(clear)) {
    it(`${name} is answered in clear, and its input is closed`, async () => {
      const bench = await makeBench();
      let closed = false;
      const { outer } = await sendChunked(bench, POST, { damage, closed: () => (closed = true) });
      assert.equal(outer.status, status);
      assert.deepEqual(bench.outcomes, [outcome]);
      assert.deepEqual([bench.seen.length, bench.replay.seen.size], [0, 0]);
      await settle();
      assert.equal(closed, true);
    });
  }

  it('in any bytes is answered in clear with 4xx', async () => {
    const bench = await makeBench();
    const header = fromHex('07002000010001');
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 120 }),
      fc.uint8Array({ maxLength: 120 }).map((rest) => concatBytes(header, rest)),
    );
    await fc.assert(
      fc.asyncProperty(bytes, async (message) => {
        bench.outcomes.length = 0;
        assert.equal((await bench.gateway(postChunked(bodyOf([message])))).status, 400);
        assert.equal(bench.outcomes.length, 1);
      }),
      { numRuns: RUNS },
    );
  });

  const brokenInside: Record<string, (pieces: Uint8Array[]) => Uint8Array[]> = {
    'cut before its content': (pieces) => pieces.slice(0, 2),
    'cut in its content': (pieces) => [...pieces.slice(0, 2), pieces[2]!.subarray(0, 5)],
    'cut after its content': (pieces) => pieces.slice(0, 3),
    'cut in its final chunk': (pieces) => [...pieces.slice(0, 4), pieces[4]!.subarray(0, 4)],
    'damaged in its content': (pieces) =>
      pieces.map((piece, i) => (i === 2 ? piece.map((b, j) => b ^ +(j === 4)) : piece)),
    'with chunks swapped': ([a, b, c, d, e]) => [a!, b!, d!, c!, e!],
    'with bytes behind the final chunk': (pieces) => [...pieces, Uint8Array.of(1)],
  };
  for (const [name, damage] of Object.entries(brokenInside)) {
    for (const together of [false, true]) {
      it(`${name} is answered inside, ${together ? 'in one piece' : 'piece by piece'}, and the target sees no end of it`, async () => {
        const bench = await makeBench();
        const { outer, events, complete } = await sendChunked(bench, POST, {
          contents: [utf8('abc'), utf8('def')],
          damage: (pieces) => (together ? [concatBytes(...damage(pieces))] : damage(pieces)),
        });
        assert.equal(outer.status, 200);
        assert.deepEqual([headOf(events).status, complete], [400, true]);
        assert.equal(bench.seen.length, 0);
        assert.deepEqual(bench.outcomes, ['malformed-request+']);
      });
    }
  }

  it('because its trailer is not valid is answered inside', async () => {
    const bench = await makeBench();
    const chunked = await encapsulateChunked(bench.client, systemRandom);
    const encoder = new RequestEncoder();
    const pieces = [
      chunked.header,
      await chunked.request.seal(encoder.head(POST)),
      await chunked.request.seal(encoder.data(utf8('abc'))),
      // End of content, then a field named ":a".
      await chunked.request.sealFinal(fromHex('00023a610131')),
    ];
    const { events } = await openChunked(chunked, await bench.gateway(postChunked(bodyOf(pieces))));
    assert.equal(headOf(events).status, 400);
    assert.deepEqual([bench.seen.length, bench.broken.length], [0, 1]);
  });

  const sources = [
    ['TIMEOUT', 408, 'body-timeout+'],
    ['ABORTED', 400, 'aborted+'],
  ] as const;
  for (const [code, status, outcome] of sources) {
    it(`because its source ends with ${code} is answered in clear, or inside once a chunk authenticated`, async () => {
      for (const kept of [1, 2, 3, 4]) {
        const bench = await makeBench();
        const { outer, events } = await sendChunked(bench, POST, {
          contents: [utf8('abc'), utf8('def')],
          damage: (pieces) => pieces.slice(0, kept),
          error: new BodyError(code, 'broken'),
        });
        assert.equal(kept === 1 ? outer.status : headOf(events).status, status);
        assert.equal(outer.status === 200, kept > 1);
        assert.equal(bench.seen.length, 0);
        assert.deepEqual(bench.outcomes, [outcome]);
      }
    });
  }

  it('because it is too large is 413 inside, and the target sees no end of it', async () => {
    const limits = { maxRequestBytes: 1000, maxResponseBytes: 1000, maxFieldSectionBytes: 2000, maxFields: 10 };
    const bench = await makeBench({ config: { limits } });
    const content = await sendChunked(bench, POST, { contents: [new Uint8Array(500), new Uint8Array(500)] });
    assert.deepEqual([headOf(content.events).status, content.complete], [413, true]);
    assert.equal(bench.broken.length, 1);
    const head = await sendChunked(bench, { ...POST, fields: [...POST.fields, ['x', 'v'.repeat(1200)]] });
    assert.equal(headOf(head.events).status, 413);
    assert.equal(bench.seen.length, 0);
    assert.deepEqual(bench.outcomes, ['too-large+', 'too-large+']);
  });

  it('by policy, Host or method is refused inside before its content is read', async () => {
    const bench = await makeBench();
    const cases: [Parameters<typeof innerRequest>[0], number, string][] = [
      [{ authority: 'other.example' }, 403, 'policy+'],
      [{ method: 'TRACE' }, 403, 'policy+'],
      [{ fields: [['host', 'other.example']] }, 400, 'malformed-request+'],
      [{ fields: [['expect', 'magic']] }, 417, 'expect+'],
    ];
    for (const [init, status, outcome] of cases) {
      const input = handMoved();
      const chunked = await encapsulateChunked(bench.client, systemRandom);
      for (const piece of (await chunkedPieces(chunked, innerRequest(init))).slice(0, 2)) input.push(piece);
      const { events, complete } = await openChunked(chunked, await bench.gateway(postChunked(input.source)));
      assert.deepEqual([headOf(events).status, complete, input.closed()], [status, true, true]);
      assert.equal(bench.outcomes.at(-1), outcome);
    }
    assert.equal(bench.seen.length, 0);
  });
});

describe('informational responses', () => {
  it('answer an expectation of 100 before the content is there', async () => {
    const bench = await makeBench(UNPADDED);
    const input = handMoved();
    const chunked = await encapsulateChunked(bench.client, systemRandom);
    const request = innerRequest({ method: 'POST', fields: [['expect', '100-Continue']] });
    const pieces = await chunkedPieces(chunked, request, [utf8('late')]);
    for (const piece of pieces.slice(0, 2)) input.push(piece);
    const outer = await bench.gateway(postChunked(input.source));
    const output = iteratorOf(outer);
    const nonce = (await output.next()).value as Uint8Array;
    const first = (await output.next()).value as Uint8Array;
    assert.deepEqual(await chunked.response.push(concatBytes(nonce, first)), [fromHex('03406400')]);
    for (const piece of pieces.slice(2)) input.push(piece);
    input.end();
    for (let next = await output.next(); next.done !== true; next = await output.next()) {
      await chunked.response.push(next.value);
    }
    await chunked.response.end();
    assert.equal(chunked.response.complete, true);
    assert.equal(bench.seen[0]?.body, 'late');
    assert.equal(field(bench.seen[0]!, 'expect'), undefined);
  });

  it('of the target are passed on at once, without 101 and what cannot be sent', async () => {
    let finish: () => void = () => undefined;
    const bench = await makeBench({
      ...UNPADDED,
      target: async (_, __, tell) => {
        tell?.({ status: 101, fields: [] });
        tell?.({ status: 99, fields: [] });
        tell?.({
          status: 103,
          fields: [
            ['link', '</a>'],
            ['connection', 'x'],
          ],
        });
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
        tell?.({ status: 103, fields: [['link', '</b>']] });
        return targetResponse();
      },
    });
    const chunked = await encapsulateChunked(bench.client, systemRandom);
    const outer = await bench.gateway(postChunked(bodyOf(await chunkedPieces(chunked, innerRequest()))));
    const output = iteratorOf(outer);
    const nonce = (await output.next()).value as Uint8Array;
    const hint = (await output.next()).value as Uint8Array;
    const [opened] = await chunked.response.push(concatBytes(nonce, hint));
    assert.match(Buffer.from(opened!).toString('latin1'), /link.<\/a>/s);
    finish();
    const rest = await drain({ [Symbol.asyncIterator]: () => output });
    const chunks = [...(await chunked.response.push(rest.bytes)), ...(await chunked.response.end())];
    const all = Buffer.concat(chunks).toString('latin1');
    assert.match(all, /<\/b>/);
    assert.match(all, /hello/);
    assert.deepEqual(bench.outcomes, ['answered+']);
  });

  it('that come faster than they are read are dropped beyond eight', async () => {
    const bench = await makeBench({
      target: (_, __, tell) => {
        for (let i = 0; i < 100; i++) tell?.({ status: 103, fields: [['x-number', String(i)]] });
        return Promise.resolve(targetResponse());
      },
    });
    const { events } = await sendChunked(bench, innerRequest());
    assert.equal(events.filter(({ type }) => type === 'informational').length, 8);
  });
});

describe('a chunked response', () => {
  it('to HEAD, 204 and 304 has no content', async () => {
    for (const [method, status] of [
      ['HEAD', 200],
      ['GET', 204],
      ['GET', 304],
    ] as const) {
      const fields: Field[] = [['content-length', '99']];
      const bench = await makeBench({ target: () => Promise.resolve(targetResponse({ status, fields, body: '' })) });
      const { events, complete } = await sendChunked(bench, innerRequest({ method }));
      assert.deepEqual([headOf(events).status, headOf(events).fields, contentOf(events)], [status, fields, '']);
      assert.equal(complete, true);
    }
  });

  it('splits large pieces into chunks of at most 16384 bytes', async () => {
    const body = bodyOf([new Uint8Array(50_000), new Uint8Array(1)]);
    const bench = await makeBench({ ...UNPADDED, target: () => Promise.resolve(targetResponse({ body })) });
    const { events, chunkSizes } = await sendChunked(bench, innerRequest());
    assert.equal(contentOf(events).length, 50_001);
    assert.ok(chunkSizes.every((size) => size <= 16_384));
  });

  it('is padded at its end, also beyond one chunk', async () => {
    for (const bytes of [256, 40_000, 16_384 * 3]) {
      const responsePadding = { kind: 'multiple', bytes } as const;
      const bench = await makeBench({ config: { responsePadding } });
      const { chunkSizes, complete } = await sendChunked(bench, innerRequest());
      const total = chunkSizes.reduce((sum, size) => sum + size, 0);
      assert.equal(complete, true);
      assert.equal(total, paddedLength(responsePadding, 50));
      assert.ok(chunkSizes.every((size) => size <= 16_384));
    }
  });

  it('that is too large ends without a final chunk', async () => {
    const limits = { maxRequestBytes: 1000, maxResponseBytes: 10, maxFieldSectionBytes: 1000, maxFields: 10 };
    let closed = false;
    const body = bodyOf([utf8('12345'), utf8('67890'), utf8('x'), utf8('never')], { closed: () => (closed = true) });
    const bench = await makeBench({ config: { limits }, target: () => Promise.resolve(targetResponse({ body })) });
    const { events, complete, error } = await sendChunked(bench, innerRequest());
    assert.equal(contentOf(events), '1234567890');
    assert.deepEqual([complete, error instanceof BodyError], [false, true]);
    assert.equal(closed, true);
    assert.deepEqual(bench.outcomes, ['response-too-large+']);
  });

  it('that breaks off ends without a final chunk', async () => {
    const body = bodyOf([utf8('half')], { error: new BodyError('ABORTED', 'gone') });
    const bench = await makeBench({ target: () => Promise.resolve(targetResponse({ body })) });
    const { events, complete } = await sendChunked(bench, innerRequest());
    assert.deepEqual([contentOf(events), complete], ['half', false]);
    assert.deepEqual(bench.outcomes, ['target-failed+']);
  });

  for (const [code, status] of TARGET_FAILURES) {
    it(`that never came because of ${code} is ${status} inside`, async () => {
      const bench = await makeBench({ target: () => Promise.reject(new TargetError(code, 'secret')) });
      const { events, complete } = await sendChunked(bench, innerRequest());
      assert.deepEqual([headOf(events).status, complete], [status, true]);
      assert.doesNotMatch(contentOf(events), /secret/);
      assert.deepEqual(bench.outcomes, ['target-failed+']);
    });
  }

  it('of an unknown failure is 500 inside', async () => {
    const bench = await makeBench({ target: () => Promise.reject(new TypeError('secret')) });
    const { events } = await sendChunked(bench, innerRequest());
    assert.equal(headOf(events).status, 500);
    assert.equal(
      contentOf(events),
      Buffer.from(encodeProblem({ type: 'about:blank', title: 'The gateway failed', status: 500 })).toString(),
    );
    assert.deepEqual(bench.outcomes, ['fault+']);
  });

  it('that HTTP does not allow is 502 inside', async () => {
    for (const init of [{ status: 0 }, { fields: [['x', 'a\nb']] as Field[] }]) {
      const bench = await makeBench({ target: () => Promise.resolve(targetResponse(init)) });
      const { events, complete } = await sendChunked(bench, innerRequest());
      assert.deepEqual([headOf(events).status, complete], [502, true]);
      assert.deepEqual(bench.outcomes, ['target-failed+']);
    }
  });

  it('is timed from when the target is asked', async () => {
    const bench = await makeBench({
      target: () => {
        bench.now += 40;
        return Promise.resolve(targetResponse());
      },
    });
    await sendChunked(bench, innerRequest());
    assert.deepEqual(bench.answeredInMs, [40]);
  });
});

describe('a client that goes away', () => {
  /** A target that waits until it is given up. */
  function waitingTarget(): { target: FetchTarget; signal: () => Cancellation | undefined } {
    let given: Cancellation | undefined;
    return {
      target: (_, signal) => {
        given = signal;
        return new Promise((_resolve, reject) =>
          signal.addEventListener('abort', { handleEvent: () => reject(new TargetError('BROKEN', 'given up')) }),
        );
      },
      signal: () => given,
    };
  }

  async function start(fetchTarget: FetchTarget, keep = 3) {
    const bench = await makeBench({ fetchTarget });
    const input = handMoved();
    const client = new AbortController();
    const chunked = await encapsulateChunked(bench.client, systemRandom);
    for (const piece of (await chunkedPieces(chunked, POST, [utf8('abc')])).slice(0, keep)) input.push(piece);
    const output = iteratorOf(await bench.gateway(postChunked(input.source, client.signal)));
    return { bench, input, client, output };
  }

  it('before it reads anything closes the input, by closing the stream', async () => {
    const { bench, input, output } = await start(() => assert.fail('not asked'));
    await output.return?.();
    assert.equal(input.closed(), true);
    assert.deepEqual(bench.outcomes, ['aborted+']);
    assert.equal((await output.next()).done, true);
  });

  it('before it reads anything closes the input, by the signal', async () => {
    const { bench, input, client } = await start(() => assert.fail('not asked'));
    client.abort();
    await settle();
    assert.equal(input.closed(), true);
    assert.deepEqual(bench.outcomes, ['aborted+']);
  });

  it('while the target is waited for aborts the request to it', async () => {
    for (const how of ['return', 'signal'] as const) {
      const { target, signal } = waitingTarget();
      const { bench, input, client, output } = await start(target);
      await output.next();
      const pending = output.next();
      await settle();
      assert.equal(signal()?.aborted, false);
      if (how === 'signal') client.abort();
      else await output.return?.();
      await pending;
      await settle();
      assert.deepEqual([signal()?.aborted, input.closed()], [true, true]);
      assert.deepEqual(bench.outcomes, ['aborted+']);
    }
  });

  it('while its own request is waited for is let go, although that never comes', async () => {
    for (const how of ['return', 'signal'] as const) {
      const { bench, input, client, output } = await start(() => assert.fail('not asked'), 2);
      await output.next();
      const pending = output.next();
      await settle();
      if (how === 'signal') client.abort();
      else await output.return?.();
      assert.equal((await pending).done, true);
      assert.equal(input.closed(), true);
      assert.deepEqual(bench.outcomes, ['aborted+']);
    }
  });

  it('in the middle of the response closes the body of the target', async () => {
    let signal: Cancellation | undefined;
    let closed = false;
    const body = bodyOf([utf8('a'), utf8('b'), utf8('c')], { closed: () => (closed = true) });
    const { bench, input, output } = await start((_, given) => {
      signal = given;
      return Promise.resolve(targetResponse({ body }));
    });
    for (let i = 0; i < 3; i++) assert.equal((await output.next()).done, false);
    await output.return?.();
    assert.deepEqual([signal?.aborted, closed, input.closed()], [true, true, true]);
    assert.deepEqual(bench.outcomes, ['aborted+']);
  });

  it('before the gateway answers at all is counted once', async () => {
    const bench = await makeBench({ fetchTarget: () => assert.fail('not asked') });
    const client = new AbortController();
    client.abort();
    await assert.rejects(sendChunked(bench, POST, { signal: client.signal }), { code: 'TRUNCATED' });
    await settle();
    assert.deepEqual(bench.outcomes, ['aborted+']);
  });
});
