import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { GatewayKey } from '@privacy-edge/ohttp';
import {
  type ChunkedMode,
  chunkedResponse,
  interactive,
  ObliviousError,
  type ObliviousErrorCode,
} from '../src/index.ts';
import { newKey, type Opened, streamFrom, type TargetAnswer, type World, worldOf } from './gateway-fixture.ts';

const TARGET = 'https://target.example/';
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
let gatewayKeys: readonly GatewayKey[];
before(async () => {
  gatewayKeys = [await newKey(1)];
});

function failsWith(code: ObliviousErrorCode): (error: unknown) => boolean {
  return (error) => error instanceof ObliviousError && error.code === code;
}

function streaming(target: (request: Opened) => TargetAnswer, chunked: ChunkedMode = chunkedResponse): World {
  return worldOf({ gatewayKeys, target, chunked });
}

describe('a chunked response', () => {
  test('arrives as it is produced, no faster than it is read', async () => {
    let produced = 0;
    const body = async function* (): AsyncGenerator<Uint8Array> {
      for (;;) yield utf8(`event ${++produced}\n`);
    };
    const world = streaming(() => ({ fields: [['content-type', 'text/event-stream']], body: body() }));
    const response = await world.fetch(TARGET);
    assert.equal(response.headers.get('content-type'), 'text/event-stream');
    assert.ok(produced <= 1, `${produced} before anything was read`);
    const reader = response.body!.getReader();
    for (let i = 1; i <= 5; i++) {
      const { value } = await reader.read();
      assert.equal(new TextDecoder().decode(value), `event ${i}\n`);
      assert.ok(produced <= i + 1, `${produced} after ${i}`);
    }
    await reader.cancel();
  });

  test('is closed towards the relay when the reader gives up', async () => {
    let closed = false;
    const body = async function* (): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield utf8('x');
      } finally {
        closed = true;
      }
    };
    for (const readFirst of [true, false]) {
      closed = false;
      const response = await streaming(() => ({ body: body() })).fetch(TARGET);
      const reader = response.body!.getReader();
      if (readFirst) await reader.read();
      await reader.cancel();
      await until(() => closed || !readFirst);
    }
  });

  test('that ends early is an error of the stream, even at the end of the content', async () => {
    const response = await streaming(() => ({ body: ['one', 'two'], cut: true })).fetch(TARGET);
    assert.equal(response.status, 200);
    await assert.rejects(response.text(), failsWith('TRUNCATED'));
  });

  test('whose connection breaks is an error of the stream', async () => {
    const body = async function* (): AsyncGenerator<Uint8Array> {
      yield utf8('one');
      throw new TypeError('terminated');
    };
    const response = await streaming(() => ({ body: body() })).fetch(TARGET);
    await assert.rejects(response.text(), failsWith('TRUNCATED'));
  });

  test('can be aborted in the middle', async () => {
    const controller = new AbortController();
    const body = async function* (): AsyncGenerator<Uint8Array> {
      yield utf8('one');
      await new Promise(() => {});
    };
    const response = await streaming(() => ({ body: body() })).fetch(TARGET, { signal: controller.signal });
    const reader = response.body!.getReader();
    await reader.read();
    const pending = reader.read();
    controller.abort();
    await assert.rejects(pending, { name: 'AbortError' });
  });

  test('in tiny pieces is read for a problem, and is still complete afterwards', async () => {
    const fields = [['content-type', 'application/problem+json']] as const;
    const problem = `${JSON.stringify({ type: 'about:blank' })}${' '.repeat(1000)}`;
    for (const length of [0, 20_000]) {
      const tail = new Uint8Array(length).fill(0x20);
      const response = await streaming(() => ({ status: 400, fields, body: [...problem.split(''), tail] })).fetch(
        TARGET,
      );
      assert.equal(response.status, 400);
      assert.equal(await response.text(), problem + ' '.repeat(length));
    }
  });

  test('whose binary chunks are of one byte comes in as many pieces as sealed chunks', async () => {
    const world = streaming(() => ({ body: 'a'.repeat(40_000), tiny: true }));
    const response = await world.fetch(TARGET);
    const sizes: number[] = [];
    for await (const piece of response.body!) sizes.push(piece.length);
    assert.deepEqual(sizes, [8192, 8192, 8192, 8192, 7232]);
  });

  test('that is empty is empty', async () => {
    const response = await streaming(() => ({})).fetch(TARGET);
    assert.equal(await response.text(), '');
  });
});

describe('a chunked request', () => {
  test('and its response may be large', async () => {
    for (const mode of [chunkedResponse, interactive]) {
      const body = new Uint8Array(300_000).map((_, i) => i % 251);
      const init = { method: 'POST', body: mode.interactive ? new Blob([body]).stream() : body, duplex: 'half' };
      const response = await streaming((request) => ({ body: request.body }), mode).fetch(TARGET, init as RequestInit);
      assert.deepEqual(Buffer.from(await response.arrayBuffer()), Buffer.from(body));
    }
  });

  test('is sent whole in one body by default, even when it was given as a stream', async () => {
    const world = streaming(({ body }) => ({ body }));
    const body = streamFrom(numbers(3));
    const response = await world.fetch(TARGET, { method: 'POST', body, duplex: 'half' } as RequestInit);
    assert.equal(await response.text(), '1 2 3 ');
    assert.ok(world.posted[0]!.init.body instanceof Uint8Array);
    assert.equal(world.posted[0]!.init.duplex, undefined);
  });

  test('above 16 KiB takes several chunks', async () => {
    const world = streaming(({ body }) => ({ body: [body.subarray(0, 10), body.subarray(10, 20)] }));
    const body = new Uint8Array(50_000).fill(7);
    const response = await world.fetch(TARGET, { method: 'POST', body });
    assert.equal((await response.arrayBuffer()).byteLength, 20);
    assert.deepEqual(Buffer.from(world.opened[0]!.body), Buffer.from(body));
    assert.equal(world.opened[0]!.plaintextLength, 65_536);
  });

  test('is streamed only when interactive, and pulled as it is sent', async () => {
    const world = streaming(({ body }) => ({ body }), interactive);
    const body = streamFrom(numbers(4));
    const response = await world.fetch(TARGET, { method: 'POST', body, duplex: 'half' } as RequestInit);
    assert.equal(await response.text(), '1 2 3 4 ');
    assert.ok(world.posted[0]!.init.body instanceof ReadableStream);
    assert.equal(world.posted[0]!.init.duplex, 'half');
  });

  test('that was a stream is never sent again', async () => {
    const dateProblem = JSON.stringify({ type: 'https://iana.org/assignments/http-problem-types#date' });
    const fields = [
      ['content-type', 'application/problem+json'],
      ['date', 'Sun, 22 Nov 2026 17:30:00 GMT'],
    ] as const;
    const world = streaming(() => ({ status: 400, fields, body: dateProblem }), interactive);
    const init = { method: 'POST', body: streamFrom(numbers(1)), duplex: 'half' } as RequestInit;
    assert.equal((await world.fetch(TARGET, init)).status, 400);
    assert.equal(world.posted.length, 1);
    const moved = streaming(() => ({ status: 307, fields: [['location', '/next']] }), interactive);
    const again = { method: 'POST', body: streamFrom(numbers(1)), duplex: 'half' } as RequestInit;
    await assert.rejects(moved.fetch(TARGET, again), failsWith('REDIRECT'));
  });
});

async function* numbers(count: number): AsyncGenerator<Uint8Array> {
  for (let i = 1; i <= count; i++) yield utf8(`${i} `);
}

/** Lets everything else run until something is so. */
async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 1000 && !condition(); i++) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(condition());
}
