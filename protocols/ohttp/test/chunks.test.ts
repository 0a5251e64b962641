import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { concatBytes, encodeVarint, fromHex, toHex } from '@privacy-edge/bytes';
import fc from 'fast-check';
import { chunkNonce, responseChunkStep } from '../src/chunked-response.ts';
import {
  ChunkOpener,
  ChunkSealer,
  encapsulateChunked,
  MAX_CHUNK_PLAINTEXT,
  receiveChunkedRequest,
} from '../src/index.ts';
import {
  codeOf,
  cut,
  errorOf,
  FUZZ_RUNS,
  fixedRandom,
  flipBit,
  KEM_IDS,
  makePair,
  mayFail,
  type Opener,
  type Pair,
  pattern,
  random,
  receive,
  SUITES,
  sealAll,
} from './fixture.ts';

const NOTHING = new Uint8Array(0);
const ENC = '31'.repeat(32);

/** A chunked exchange of which both sides can be made again and again with the same keys. */
async function fixedExchange(pair: Pair, requestChunks: readonly Uint8Array[], responseChunks: readonly Uint8Array[]) {
  const start = () => encapsulateChunked(pair.client, fixedRandom(ENC));
  const sent = await start();
  const request = concatBytes(sent.header, await sealAll(sent.request, requestChunks));
  const open = async () => {
    const received = receiveChunkedRequest(request, pair.findKey);
    assert.ok(received !== undefined);
    return { received, opened: await received.open() };
  };
  const { received, opened } = await open();
  const { nonce, sealer } = await opened.startResponse(fixedRandom('41'.repeat(16)));
  const response = concatBytes(nonce, await sealAll(sealer, responseChunks));
  return {
    /** Everything behind the encapsulated key. */
    request: received.rest,
    requestOpener: async (): Promise<Opener> => (await open()).opened.request,
    response,
    responseOpener: async (): Promise<Opener> => (await start()).response,
  };
}

const CHUNKS = [pattern(1, 1), pattern(100, 2), pattern(3, 3), pattern(40, 4)];
const DIRECTIONS = ['request', 'response'] as const;

/** The stream of one direction, and receivers for it. */
async function streamOf(direction: (typeof DIRECTIONS)[number], chunks: readonly Uint8Array[] = CHUNKS) {
  const exchange = await fixedExchange(await makePair(), chunks, chunks);
  return direction === 'request'
    ? { bytes: exchange.request, opener: exchange.requestOpener }
    : { bytes: exchange.response, opener: exchange.responseOpener };
}

describe('a chunked exchange', () => {
  for (const kemId of KEM_IDS) {
    for (const suite of SUITES) {
      it(`works with KEM 0x${kemId.toString(16)} and AEAD ${suite.aeadId}`, async () => {
        const { client, findKey } = await makePair({ kemId, suite });
        const sent = await encapsulateChunked(client, random);
        const message = concatBytes(sent.header, await sealAll(sent.request, CHUNKS));
        const received = receiveChunkedRequest(message, findKey);
        const opened = await received!.open();
        assert.deepEqual(await receive(opened.request, [received!.rest]), CHUNKS.map(toHex));
        const { nonce, sealer } = await opened.startResponse(random);
        assert.equal(nonce.length, suite.aeadId === 1 ? 16 : 32);
        const answer = concatBytes(nonce, await sealAll(sealer, CHUNKS));
        assert.deepEqual(await receive(sent.response, [answer]), CHUNKS.map(toHex));
      });
    }
  }

  it('may be answered before the request is complete', async () => {
    const { client, findKey } = await makePair();
    const sent = await encapsulateChunked(client, random);
    const opened = await receiveChunkedRequest(sent.header, findKey)!.open();
    const { nonce, sealer } = await opened.startResponse(random);
    assert.deepEqual(await sent.response.push(concatBytes(nonce, await sealer.seal(pattern(4)))), [pattern(4)]);
    assert.deepEqual(await opened.request.push(await sent.request.seal(pattern(5))), [pattern(5)]);
    assert.equal(sent.response.complete, false);
    assert.equal(opened.request.complete, false);
  });

  it('startResponse() works once', async () => {
    const { client, findKey } = await makePair();
    const { header } = await encapsulateChunked(client, random);
    const opened = await receiveChunkedRequest(header, findKey)!.open();
    await opened.startResponse(random);
    assert.equal(await codeOf(() => opened.startResponse(random)), 'ALREADY_USED');
  });

  it('receiveChunkedRequest() waits for header and encapsulated key, and keeps the rest', async () => {
    const { client, findKey } = await makePair();
    const { header, request } = await encapsulateChunked(client, random);
    const message = concatBytes(header, await request.sealFinal(pattern(9)));
    for (let length = 0; length < header.length; length++) {
      assert.equal(receiveChunkedRequest(message.subarray(0, length), findKey), undefined);
    }
    for (let length = header.length; length <= message.length; length++) {
      assert.equal(receiveChunkedRequest(message.subarray(0, length), findKey)?.rest.length, length - header.length);
    }
  });

  it('open() has the one error for a low-order point', async () => {
    const { findKey } = await makePair();
    const received = receiveChunkedRequest(concatBytes(fromHex('07002000010001'), new Uint8Array(32)), findKey);
    const error = await errorOf(() => received!.open());
    assert.deepEqual([error.code, error.cause], ['OPEN_FAILED', undefined]);
  });
});

describe('ChunkSealer', () => {
  const identity = () => new ChunkSealer((_, plaintext) => plaintext);

  it('seal() takes 1 to 16384 bytes, sealFinal() 0 to 16384', async () => {
    const sealer = identity();
    for (const length of [0, MAX_CHUNK_PLAINTEXT + 1]) {
      assert.throws(() => sealer.seal(new Uint8Array(length)), RangeError);
    }
    assert.throws(() => sealer.sealFinal(new Uint8Array(MAX_CHUNK_PLAINTEXT + 1)), RangeError);
    assert.equal((await sealer.seal(new Uint8Array(MAX_CHUNK_PLAINTEXT))).length, MAX_CHUNK_PLAINTEXT + 4);
    assert.equal((await sealer.sealFinal(new Uint8Array(MAX_CHUNK_PLAINTEXT))).length, MAX_CHUNK_PLAINTEXT + 1);
  });

  it('has nothing more to seal after the final chunk', async () => {
    const sealer = identity();
    await sealer.sealFinal(NOTHING);
    assert.equal(await codeOf(() => sealer.seal(pattern(1))), 'ALREADY_USED');
    assert.equal(await codeOf(() => sealer.sealFinal(pattern(1))), 'ALREADY_USED');
  });

  it('frames with the length of the sealed chunk, and the final chunk with zero', async () => {
    const sealer = new ChunkSealer((aad, plaintext) => concatBytes(plaintext, aad));
    assert.equal(toHex(await sealer.seal(fromHex('0a0b'))), '020a0b');
    assert.equal(toHex(await sealer.sealFinal(fromHex('0c'))), '000c66696e616c');
  });
});

describe('a receiver of chunks', () => {
  for (const direction of DIRECTIONS) {
    it(`gives the same for every cut in two, and byte by byte: ${direction}`, async () => {
      const { bytes, opener } = await streamOf(direction);
      for (let at = 0; at <= bytes.length; at++) {
        assert.deepEqual(await receive(await opener(), cut(bytes, [at])), CHUNKS.map(toHex));
      }
      assert.deepEqual(
        await receive(
          await opener(),
          [...bytes].map((byte) => Uint8Array.of(byte)),
        ),
        CHUNKS.map(toHex),
      );
    });

    it(`is TRUNCATED or does not open when cut anywhere: ${direction}`, async () => {
      const { bytes, opener } = await streamOf(direction);
      const finalMark = bytes.length - 1 - CHUNKS.at(-1)!.length - 16;
      for (let length = 0; length < bytes.length; length++) {
        const expected = length <= finalMark ? 'TRUNCATED' : 'OPEN_FAILED';
        assert.equal(await receive(await opener(), [bytes.subarray(0, length)]), expected, `at ${length}`);
      }
    });

    it(`refuses every flipped bit: ${direction}`, async () => {
      const { bytes, opener } = await streamOf(direction, [pattern(2), pattern(3)]);
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const outcome = await receive(await opener(), [flipBit(bytes, bit)]);
        assert.ok(['OPEN_FAILED', 'TRUNCATED', 'LIMIT'].includes(String(outcome)), `bit ${bit}: ${String(outcome)}`);
      }
    });

    it(`gives the same chunks or the same error for any damage and any cut: ${direction}`, async () => {
      const { bytes, opener } = await streamOf(direction);
      const scenario = fc.record({
        edits: fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { maxLength: 2 }),
        length: fc.oneof({ weight: 3, arbitrary: fc.constant(bytes.length) }, fc.nat(bytes.length)),
        behind: fc.oneof({ weight: 3, arbitrary: fc.constant(NOTHING) }, fc.uint8Array({ maxLength: 20 })),
        cuts: fc.array(fc.nat(bytes.length), { maxLength: 8 }),
      });
      await fc.assert(
        fc.asyncProperty(scenario, async ({ edits, length, behind, cuts }) => {
          const damaged = bytes.slice();
          for (const [at, value] of edits) damaged[at] = value;
          const message = concatBytes(damaged.subarray(0, length), behind);
          const offsets = cuts.filter((at) => at <= message.length).sort((a, b) => a - b);
          assert.deepEqual(
            await receive(await opener(), cut(message, offsets)),
            await receive(await opener(), [message]),
          );
        }),
        { numRuns: Math.ceil(FUZZ_RUNS / 8) },
      );
    });

    it(`opens chunks of 16384 bytes, and an empty final chunk: ${direction}`, async () => {
      const chunks = [pattern(MAX_CHUNK_PLAINTEXT), pattern(MAX_CHUNK_PLAINTEXT, 1), NOTHING];
      const { bytes, opener } = await streamOf(direction, chunks);
      const expected = chunks.slice(0, 2).map(toHex);
      assert.deepEqual(await receive(await opener(), [bytes]), expected);
      const pieces = Array.from({ length: Math.ceil(bytes.length / 1000) - 1 }, (_, i) => 1000 * (i + 1));
      assert.deepEqual(await receive(await opener(), cut(bytes, pieces)), expected);
    });

    it(`opens more chunks in one piece than a stack has frames: ${direction}`, async () => {
      const chunks = Array.from({ length: 20_000 }, (_, i) => Uint8Array.of(i & 0xff));
      const { bytes, opener } = await streamOf(direction, chunks);
      assert.equal((await receive(await opener(), [bytes])).length, chunks.length);
    });
  }

  it('refuses chunks that are swapped, repeated, dropped or renumbered', async () => {
    const pair = await makePair();
    const parts = async () => {
      const sent = await encapsulateChunked(pair.client, fixedRandom(ENC));
      const opened = await receiveChunkedRequest(sent.header, pair.findKey)!.open();
      const a = await sent.request.seal(pattern(5, 1));
      const b = await sent.request.seal(pattern(5, 2));
      const end = await sent.request.sealFinal(pattern(5, 3));
      return { a, b, end, opener: opened.request };
    };
    const orders: Record<string, (p: Awaited<ReturnType<typeof parts>>) => Uint8Array[]> = {
      swapped: ({ a, b, end }) => [b, a, end],
      repeated: ({ a, b, end }) => [a, a, b, end],
      'first dropped': ({ b, end }) => [b, end],
      'last dropped': ({ a, end }) => [a, end],
      'final twice': ({ a, b, end }) => [a, b, end, end],
      'a byte behind the final chunk': ({ a, b, end }) => [a, b, end, Uint8Array.of(0)],
      'final with a length': ({ a, b, end }) => [a, b, encodeVarint(end.length - 1), end.subarray(1)],
      'non-final as final': ({ a, b }) => [a, Uint8Array.of(0), b.subarray(1)],
    };
    for (const [name, order] of Object.entries(orders)) {
      const made = await parts();
      const outcome = await receive(made.opener, order(made));
      assert.ok(outcome === 'OPEN_FAILED' || outcome === 'TRUNCATED', `${name}: ${String(outcome)}`);
    }
  });

  it('takes lengths that are longer than they need be', async () => {
    const { bytes, opener } = await streamOf('request', [pattern(5), pattern(6)]);
    const sealed = bytes.subarray(1, 22);
    const final = bytes.subarray(23);
    for (const width of [2, 4, 8]) {
      const length = (value: number): Uint8Array => {
        const varint = new Uint8Array(width);
        varint[0] = { 2: 0x40, 4: 0x80, 8: 0xc0 }[width]!;
        varint[width - 1]! |= value;
        return varint;
      };
      const message = concatBytes(length(21), sealed, length(0), final);
      const pieces = [...message].map((byte) => Uint8Array.of(byte));
      assert.deepEqual(await receive(await opener(), [message]), [toHex(pattern(5)), toHex(pattern(6))]);
      assert.deepEqual(await receive(await opener(), pieces), [toHex(pattern(5)), toHex(pattern(6))]);
    }
  });

  it('refuses an empty chunk before the final one, although it authenticates', async () => {
    // The sealer of this package does not make one.
    const make = (chunks: readonly string[]) => concatBytes(...chunks.map((hex) => fromHex(hex)));
    const opener = () => new ChunkOpener((_, sealed) => sealed.subarray(1), 1);
    assert.equal(await receive(opener(), [make(['02ff0a', '01ff', '00ff'])]), 'OPEN_FAILED');
    assert.equal(await receive(opener(), [make(['01ff'])]), 'OPEN_FAILED');
    assert.deepEqual(await receive(opener(), [make(['02ff0a', '00ff'])]), ['0a']);
    assert.deepEqual(await receive(opener(), [make(['00ff'])]), []);
  });

  it('refuses a chunk that is shorter than a tag before anything is opened', async () => {
    const opener = new ChunkOpener(() => assert.fail('opened'), 16);
    assert.equal(await receive(opener, [Uint8Array.of(15), new Uint8Array(15)]), 'OPEN_FAILED');
    const final = new ChunkOpener(() => assert.fail('opened'), 16);
    assert.equal(await receive(final, [Uint8Array.of(0), new Uint8Array(15)]), 'OPEN_FAILED');
  });

  it('is over its LIMIT by the announced length, and by the bytes of a final chunk', async () => {
    const opener = () => new ChunkOpener((_, sealed) => sealed.subarray(16), 16, MAX_CHUNK_PLAINTEXT);
    const sizes = [MAX_CHUNK_PLAINTEXT + 17, 2 ** 30, 2 ** 40, 2 ** 53 - 1];
    for (const size of sizes) assert.equal(await codeOf(() => opener().push(encodeVarint(size))), 'LIMIT');
    // Above what a number holds exactly.
    assert.equal(await codeOf(() => opener().push(fromHex('ffffffffffffffff'))), 'LIMIT');
    const final = opener();
    await final.push(Uint8Array.of(0));
    await final.push(new Uint8Array(MAX_CHUNK_PLAINTEXT + 16));
    assert.equal(await codeOf(() => final.push(Uint8Array.of(1))), 'LIMIT');
    const whole = new Uint8Array(MAX_CHUNK_PLAINTEXT + 16);
    const bytewise = opener();
    await bytewise.push(Uint8Array.of(0));
    for (let i = 0; i < whole.length; i++) await bytewise.push(Uint8Array.of(1));
    assert.equal(await codeOf(() => bytewise.push(Uint8Array.of(1))), 'LIMIT');
    assert.equal((await receive(opener(), [Uint8Array.of(0), whole])).length, 1);
    assert.equal((await receive(opener(), [encodeVarint(whole.length), whole, Uint8Array.of(0), whole])).length, 2);
  });

  it('holds bytes, not pieces', async () => {
    const opener = new ChunkOpener((_, sealed) => sealed.slice(), 16, 2 ** 20);
    const length = 500_000;
    const piece = Uint8Array.of(7);
    await opener.push(encodeVarint(length));
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 1; i < length; i++) assert.deepEqual(await opener.push(piece), []);
    assert.ok(process.memoryUsage().arrayBuffers - before < 4 * length);
    const [opened, ...none] = await opener.push(piece);
    assert.ok(opened !== undefined && none.length === 0);
    assert.equal(opened.length, length);
    assert.ok(opened.every((byte) => byte === 7));
  });

  it('keeps no large piece alive for what a chunk has of it', async () => {
    const seen: Uint8Array[] = [];
    const open = (_: Uint8Array, sealed: Uint8Array): Uint8Array => {
      seen.push(sealed);
      return sealed.subarray(1);
    };
    const opener = new ChunkOpener(open, 1);
    const piece = new Uint8Array(65_536);
    piece.set([2, 9, 9, 2, 5], 65_531);
    await opener.push(piece.subarray(65_531));
    piece.fill(0);
    assert.deepEqual(await opener.push(Uint8Array.of(6)), [Uint8Array.of(6)]);
    assert.deepEqual(seen[1], Uint8Array.of(5, 6));
  });

  it('reserves nothing for an announced length', async () => {
    const openers = Array.from({ length: 2000 }, () => new ChunkOpener((_, sealed) => sealed, 16, 2 ** 41));
    const before = process.memoryUsage().arrayBuffers;
    for (const opener of openers) await opener.push(encodeVarint(2 ** 40));
    assert.ok(process.memoryUsage().arrayBuffers - before < 1_000_000);
  });

  it('throws the first error again, and ALREADY_USED after the end', async () => {
    const { bytes, opener } = await streamOf('request');
    const broken = await opener();
    const first = await errorOf(() => broken.push(flipBit(bytes, 100)));
    for (const again of [() => broken.push(bytes), () => broken.end(), () => broken.push(NOTHING)]) {
      assert.equal(await errorOf(again), first);
    }
    const done = await opener();
    await done.push(bytes);
    await done.end();
    assert.equal(await codeOf(() => done.end()), 'ALREADY_USED');
    assert.equal(await codeOf(() => done.push(bytes)), 'ALREADY_USED');
  });

  it('meets an error in a chunk before one behind it', async () => {
    const { bytes, opener } = await streamOf('request');
    const damaged = concatBytes(flipBit(bytes.subarray(0, 18), 80), fromHex('ffffffffffffffff'));
    for (let at = 0; at <= damaged.length; at++) {
      assert.equal(await receive(await opener(), cut(damaged, [at])), 'OPEN_FAILED');
    }
  });

  it('knows whether a chunk authenticated, also when a later one in the same piece did not', async () => {
    const pair = await makePair();
    const { client, findKey } = pair;
    const sent = await encapsulateChunked(client, random);
    const opened = await receiveChunkedRequest(sent.header, findKey)!.open();
    assert.equal(opened.request.authenticated, false);
    const good = await sent.request.seal(pattern(3));
    const bad = flipBit(await sent.request.seal(pattern(3)), 50);
    assert.equal(await codeOf(() => opened.request.push(concatBytes(good, bad))), 'OPEN_FAILED');
    assert.equal(opened.request.authenticated, true);

    const other = await receiveChunkedRequest((await encapsulateChunked(client, random)).header, findKey)!.open();
    assert.equal(await codeOf(() => other.request.push(good)), 'OPEN_FAILED');
    assert.equal(other.request.authenticated, false);
  });

  it('works the same over an asynchronous backend', async () => {
    const later = () =>
      new ChunkOpener(async (aad, sealed) => {
        await Promise.resolve();
        if (sealed[0] !== 0xff || aad.length !== (sealed[1] === 0xee ? 5 : 0)) throw new Error('secret detail');
        return sealed.subarray(2);
      }, 2);
    const good = fromHex('04ff000a0b03ff000c00ffee0d');
    for (let at = 0; at <= good.length; at++) {
      assert.deepEqual(await receive(later(), cut(good, [at])), ['0a0b', '0c', '0d']);
    }
    const bad = fromHex('04ff000a0b03fe000c00ffee0d');
    const error = await errorOf(() => later().push(bad));
    assert.deepEqual([error.code, error.cause], ['OPEN_FAILED', undefined]);
    const many = concatBytes(...Array.from({ length: 5000 }, () => fromHex('03ff000c')), fromHex('00ffee'));
    assert.equal((await receive(later(), [many])).length, 5000);
  });

  it('throws only OhttpError, whatever the bytes', async () => {
    const pair = await makePair();
    const header = fromHex('07002000010001');
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 120 }),
      fc.uint8Array({ maxLength: 120 }).map((rest) => concatBytes(header, rest)),
    );
    const { bytes: good, opener } = await streamOf('request', [pattern(2), pattern(3), NOTHING]);
    const edits = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(bytes, edits, async (message, changes) => {
        await mayFail(async () => {
          const received = receiveChunkedRequest(message, pair.findKey);
          if (received === undefined) return;
          const opened = await received.open();
          await opened.request.push(received.rest);
          await opened.request.end();
        });
        const damaged = good.slice();
        for (const [at, value] of changes) damaged[at] = value;
        await receive(await opener(), [damaged]);
        await receive(new ChunkOpener((_, sealed) => sealed.subarray(16), 16), [message]);
      }),
      { numRuns: Math.ceil(FUZZ_RUNS / 4) },
    );
  });
});

describe('chunkNonce()', () => {
  const base = fromHex('fffefdfcfbfaf9f8f7f6f5f4');

  it('XORs the counter in network order, across every carry', () => {
    const expected: Record<string, string> = {
      '0': 'fffefdfcfbfaf9f8f7f6f5f4',
      '1': 'fffefdfcfbfaf9f8f7f6f5f5',
      '255': 'fffefdfcfbfaf9f8f7f6f50b',
      '256': 'fffefdfcfbfaf9f8f7f6f4f4',
      '257': 'fffefdfcfbfaf9f8f7f6f4f5',
      '65535': 'fffefdfcfbfaf9f8f7f60a0b',
      '65536': 'fffefdfcfbfaf9f8f7f7f5f4',
      '16777215': 'fffefdfcfbfaf9f8f7090a0b',
      '16777216': 'fffefdfcfbfaf9f8f6f6f5f4',
      '4294967296': 'fffefdfcfbfaf9f9f7f6f5f4',
    };
    for (const [counter, nonce] of Object.entries(expected))
      assert.equal(toHex(chunkNonce(base, Number(counter))), nonce);
    assert.equal(toHex(base), 'fffefdfcfbfaf9f8f7f6f5f4', 'the base stays');
  });

  it('equals the definition for any counter, and never repeats', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 12, maxLength: 12 }), fc.maxSafeNat(), (nonce, counter) => {
        const xored = BigInt(`0x${toHex(nonce)}`) ^ BigInt(counter);
        assert.equal(toHex(chunkNonce(nonce, counter)), xored.toString(16).padStart(24, '0'));
      }),
      { numRuns: Math.min(FUZZ_RUNS, 20_000) },
    );
    const seen = new Set(Array.from({ length: 70_000 }, (_, counter) => toHex(chunkNonce(base, counter))));
    assert.equal(seen.size, 70_000);
  });
});

describe('responseChunkStep()', () => {
  it('gives two operations that overlap two nonces', async () => {
    const used: string[] = [];
    const record = async (nonce: Uint8Array): Promise<Uint8Array> => {
      used.push(toHex(nonce));
      return Promise.resolve(NOTHING);
    };
    const step = responseChunkStep({ nonce: new Uint8Array(12), key: { seal: record, open: record } }, 'seal');
    await Promise.all([step(NOTHING, NOTHING), step(NOTHING, NOTHING), step(NOTHING, NOTHING)]);
    assert.equal(new Set(used).size, 3);
  });
});
