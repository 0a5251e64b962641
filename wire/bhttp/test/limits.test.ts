import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type BinaryRequest,
  type DecodeLimits,
  decodeRequest,
  decodeResponse,
  encodeRequest,
  encodeResponse,
  type Field,
  RequestDecoder,
  ResponseDecoder,
} from '@privacy-edge/bhttp';
import { DecodeError, fromHex } from '@privacy-edge/bytes';
import fc from 'fast-check';
import { edits, framing, numRuns, requests, responses, sizes, split } from './arbitraries.ts';
import { collectRequest, collectResponse } from './collect.ts';

const REQUEST: BinaryRequest = {
  method: 'GET',
  scheme: 'https',
  authority: 'example.com',
  path: `/${'p'.repeat(99)}`,
  fields: Array.from({ length: 10 }, (): Field => ['name', 'value678']),
  body: new Uint8Array(0),
  trailers: [],
};
/** Ten lines of 1 + 4 + 1 + 8 bytes. */
const SECTION_BYTES = 140;
/** 3 + 5 + 11 + 100 bytes with prefixes of 1, 1, 1 and 2. */
const CONTROL_BYTES = 124;

test('limits are inclusive and the same for both framings, whole and streamed', () => {
  const cases: [Partial<DecodeLimits>, boolean][] = [
    [{ maxFieldSectionBytes: SECTION_BYTES }, true],
    [{ maxFieldSectionBytes: SECTION_BYTES - 1 }, false],
    [{ maxFields: 10 }, true],
    [{ maxFields: 9 }, false],
    [{ maxControlBytes: CONTROL_BYTES }, true],
    [{ maxControlBytes: CONTROL_BYTES - 1 }, false],
  ];
  for (const [limits, allowed] of cases) {
    for (const framing of ['known', 'indeterminate'] as const) {
      const bytes = encodeRequest(REQUEST, { framing });
      for (const decode of [
        () => decodeRequest(bytes, limits),
        () => collectRequest(new RequestDecoder(limits), [bytes]),
        () => collectRequest(new RequestDecoder(limits), split(bytes, [1])),
      ]) {
        if (allowed) assert.deepEqual(decode(), REQUEST);
        else assert.throws(decode, { name: 'DecodeError', code: 'LIMIT' });
      }
    }
  }
});

test('maxInformational counts informational responses', () => {
  const response = {
    informational: Array.from({ length: 3 }, () => ({ status: 103, fields: [] })),
    status: 200,
    fields: [],
    body: new Uint8Array(0),
    trailers: [],
  };
  const bytes = encodeResponse(response);
  assert.deepEqual(decodeResponse(bytes, { maxInformational: 3 }), response);
  assert.deepEqual(collectResponse(new ResponseDecoder({ maxInformational: 3 }), [bytes]), response);
  assert.throws(() => decodeResponse(bytes, { maxInformational: 2 }), { code: 'LIMIT' });
  assert.throws(() => new ResponseDecoder({ maxInformational: 2 }).push(bytes), { code: 'LIMIT' });
});

/** Bytes that `run` asked for with `new Uint8Array(length)`. */
function countAllocated(run: () => void): number {
  const original = globalThis.Uint8Array;
  let allocated = 0;
  globalThis.Uint8Array = new Proxy(original, {
    construct(target, args: unknown[], newTarget): object {
      if (typeof args[0] === 'number') allocated += args[0];
      return Reflect.construct(target, args, newTarget === globalThis.Uint8Array ? target : newTarget) as object;
    },
  });
  try {
    run();
  } finally {
    globalThis.Uint8Array = original;
  }
  return allocated;
}

test('a length prefix allocates nothing by itself', () => {
  const control = '034745540568747470730b6578616d706c652e636f6d012f';
  const lengths = ['bfffffff', 'c0000001000000ff', 'c01fffffffffffff', 'ffffffffffffffff', '7fff', '80010000'];
  const messages = lengths.flatMap((length) => [
    `00${length}`,
    `00${control}${length}`,
    `00${control}00${length}`,
    `00${control}0000${length}`,
    `00${control}03${length}61`,
    `00${control}080161${length}`,
    `02${length}`,
    `02${control}${length}`,
    `02${control}0161${length}`,
    `02${control}00${length}`,
    `02${control}0001ff${length}`,
    `02${control}0000${length}`,
  ]);
  for (const hex of messages) {
    const bytes = fromHex(hex);
    const whole = countAllocated(() => assert.throws(() => decodeRequest(bytes), DecodeError));
    assert.ok(whole <= 4 * bytes.length, `${hex}: ${whole}`);
    // A streaming decoder has one small buffer for lines, and may grow what it keeps by doubling.
    const streamed = countAllocated(() => {
      assert.throws(() => collectRequest(new RequestDecoder(), split(bytes, [1])), DecodeError);
    });
    assert.ok(streamed <= 1024 + 4 * bytes.length, `${hex}: ${streamed}`);
  }
});

test('many tiny content chunks cost no more than their bytes', () => {
  const tiny = fromHex(`0204504f53540568747470730b6578616d706c652e636f6d012f00${'0161'.repeat(200_000)}00`);
  let length = 0;
  const allocated = countAllocated(() => {
    length = decodeRequest(tiny).body.length;
  });
  assert.equal(length, 200_000);
  assert.ok(allocated <= 3 * tiny.length, `${allocated}`);
});

function assertDecodeError(run: () => void): void {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof DecodeError, String(error));
  }
}

test('random bytes throw nothing but DecodeError', () => {
  const bytes = fc
    .tuple(fc.nat({ max: 4 }), fc.uint8Array({ maxLength: 80 }))
    .map(([first, rest]) => Uint8Array.of(first, ...rest));
  fc.assert(
    fc.property(fc.oneof(bytes, fc.uint8Array({ maxLength: 80 })), sizes, (input, pieces) => {
      assertDecodeError(() => decodeRequest(input));
      assertDecodeError(() => decodeResponse(input));
      assertDecodeError(() => collectRequest(new RequestDecoder(), split(input, pieces)));
      assertDecodeError(() => collectResponse(new ResponseDecoder(), split(input, pieces)));
    }),
    { numRuns },
  );
});

test('a broken message is judged alike whole and streamed, and what it still says can be encoded', () => {
  const outcome = (run: () => unknown): unknown => {
    try {
      return run();
    } catch (error) {
      assert.ok(error instanceof DecodeError, String(error));
      return 'refused';
    }
  };
  fc.assert(
    fc.property(requests, responses, framing, edits, sizes, (request, response, kind, edit, pieces) => {
      const brokenRequest = edit(encodeRequest(request, { framing: kind }));
      const whole = outcome(() => decodeRequest(brokenRequest));
      assert.deepEqual(
        outcome(() => collectRequest(new RequestDecoder(), split(brokenRequest, pieces))),
        whole,
      );
      if (whole !== 'refused') assert.deepEqual(decodeRequest(encodeRequest(whole as BinaryRequest)), whole);
      const brokenResponse = edit(encodeResponse(response, { framing: kind }));
      assert.deepEqual(
        outcome(() => collectResponse(new ResponseDecoder(), split(brokenResponse, pieces))),
        outcome(() => decodeResponse(brokenResponse)),
      );
    }),
    { numRuns },
  );
});
