/** Random valid messages, and ways to break them. */
import type { BinaryRequest, BinaryResponse, Field } from '@privacy-edge/bhttp';
import fc from 'fast-check';

export const numRuns: number = Number(process.env['PRIVACY_EDGE_FUZZ_RUNS'] ?? 2000);

/** fast-check would otherwise make records without a prototype, which deepEqual tells apart. */
const PLAIN = { noNullPrototype: true } as const;

const name = fc.oneof(
  fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9a-z]{1,20}$/),
  fc.constantFrom('host', 'cookie', 'content-type', 'set-cookie', 'te'),
);
const value = fc
  .oneof(
    fc.uint8Array({ maxLength: 100 }).map((bytes) => String.fromCharCode(...bytes).replace(/[\0\r\n]/g, '')),
    fc.stringMatching(/^[ -~]{0,90}$/),
  )
  .map((text) => text.replace(/^[ \t]+|[ \t]+$/g, ''));
const line: fc.Arbitrary<Field> = fc.tuple(name, value);
const extension: fc.Arbitrary<Field> = fc.tuple(fc.constantFrom(':ext', ':x-y'), value);

const trailers = fc.array(line, { maxLength: 4 });
const headers = fc
  .tuple(fc.array(extension, { maxLength: 1 }), fc.array(line, { maxLength: 6 }))
  .map(([pseudo, regular]) => [...pseudo, ...regular]);
const body = fc.oneof(fc.constant(new Uint8Array(0)), fc.uint8Array({ maxLength: 200 }));

const webRequest = fc.record({
  method: fc.stringMatching(/^[A-Z!#.-]{1,10}$/).filter((method) => method !== 'CONNECT'),
  scheme: fc.constantFrom('https', 'http'),
  authority: fc.oneof(
    fc.constantFrom('', 'example.com', 'example.com:443', '[2001:db8::1]:8080', '192.0.2.1'),
    fc.stringMatching(/^[a-z0-9.-]{1,40}(:[0-9]{1,5})?$/),
  ),
  path: fc.stringMatching(/^\/[!"$-~]{0,60}$/),
});
const otherRequest = fc.record({
  method: fc.constant('GET'),
  scheme: fc.stringMatching(/^ws[a-z0-9+.-]{0,8}$/),
  authority: fc.stringMatching(/^[a-z@:.]{0,12}$/),
  path: fc.stringMatching(/^[!"$-~]{0,12}$/),
});
const special = fc.constantFrom(
  { method: 'OPTIONS', scheme: 'https', authority: 'example.com', path: '*' },
  { method: 'CONNECT', scheme: '', authority: 'example.com:443', path: '' },
);

export const requests: fc.Arbitrary<BinaryRequest> = fc
  .tuple(
    fc.oneof({ weight: 6, arbitrary: webRequest }, { weight: 1, arbitrary: otherRequest }, special),
    fc.record({ fields: headers, body, trailers }),
  )
  .map(([control, rest]) => ({ ...control, ...rest }));

export const responses: fc.Arbitrary<BinaryResponse> = fc.record(
  {
    informational: fc.array(fc.record({ status: fc.integer({ min: 100, max: 199 }), fields: headers }, PLAIN), {
      maxLength: 3,
    }),
    status: fc.integer({ min: 200, max: 599 }),
    fields: headers,
    body,
    trailers,
  },
  PLAIN,
);

export const framing: fc.Arbitrary<'known' | 'indeterminate'> = fc.constantFrom('known', 'indeterminate');

/** Flips, inserts and removes bytes. */
export const edits: fc.Arbitrary<(bytes: Uint8Array) => Uint8Array> = fc
  .array(fc.tuple(fc.constantFrom('set', 'insert', 'remove', 'cut'), fc.nat(), fc.nat({ max: 255 })), {
    minLength: 1,
    maxLength: 4,
  })
  .map((list) => (bytes) => {
    let result = [...bytes];
    for (const [kind, where, byte] of list) {
      const at = where % (result.length + 1);
      if (kind === 'set') result[at] = byte;
      else if (kind === 'insert') result.splice(at, 0, byte);
      else if (kind === 'remove') result.splice(at, 1);
      else result = result.slice(0, at);
    }
    return Uint8Array.from(result);
  });

/** Cuts bytes into pieces whose sizes repeat the given ones. */
export function split(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] ?? bytes.length;
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

/** Sizes with at least one that makes progress. */
export const sizes: fc.Arbitrary<number[]> = fc
  .array(fc.oneof(fc.nat({ max: 4 }), fc.nat({ max: 80 })), { minLength: 1, maxLength: 6 })
  .map((list) => [...list, 1]);
