/** bhttp.json: messages encoded by the Rust bhttp crate, and forms laid out by hand from RFC 9292. */

import { runVectorJobs } from '../toolchain.ts';
import { agree, concat, hex, latin1, prefixed, random, utf8, varint } from './bytes.ts';
import { fieldLines } from './messages.ts';

type Fields = readonly (readonly [string, string])[];

interface Decoded {
  readonly type: 'request' | 'response';
  readonly method?: string;
  readonly scheme?: string;
  readonly authority?: string;
  readonly path?: string;
  readonly status?: number;
  readonly headers: Fields;
  readonly content: string;
  readonly trailers: Fields;
  readonly informational?: readonly { status: number; headers: Fields }[];
}

interface Case {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly decoded?: Decoded;
  readonly note: string;
  /** A decoder may let this pass (RFC 9292 leaves the check to it). */
  readonly mayAccept?: boolean;
  readonly context?: string;
}

const NONE = new Uint8Array(0);

function requestOf(
  method: string,
  scheme: string,
  authority: string,
  path: string,
  more: Partial<Decoded> = {},
): Decoded {
  return { type: 'request', method, scheme, authority, path, headers: [], content: '', trailers: [], ...more };
}

function responseOf(status: number, more: Partial<Decoded> = {}): Decoded {
  return { type: 'response', status, headers: [], content: '', trailers: [], informational: [], ...more };
}

/** Messages that the Rust crate encodes both ways. */
function encodable(): Record<string, Decoded> {
  const content = (value: string): string => hex(utf8(value));
  return {
    'get-no-fields': requestOf('GET', 'https', 'a.example', '/'),
    'get-with-query': requestOf('GET', 'https', 'a.example:444', '/p/a/t/h?x=1&y=%20&x=2'),
    'post-with-content': requestOf('POST', 'https', 'a.example', '/submit', {
      headers: [['content-type', 'text/plain;charset=utf-8']],
      content: content('naïve café'),
    }),
    'put-with-trailers': requestOf('PUT', 'https', 'a.example', '/t', {
      headers: [['trailer', 'x-sum']],
      content: content('abc'),
      trailers: [
        ['x-sum', '6162'],
        ['x-note', ''],
      ],
    }),
    'many-small-fields': requestOf('GET', 'https', 'a.example', '/f', {
      headers: Array.from({ length: 40 }, (_, i) => [`x-f${i}`, `${i}`] as const),
    }),
    'field-value-of-1000-bytes': requestOf('GET', 'https', 'a.example', '/l', {
      headers: [['x-long', 'v'.repeat(1000)]],
    }),
    'empty-field-value': requestOf('GET', 'https', 'a.example', '/e', { headers: [['x-empty', '']] }),
    'host-field-without-authority': requestOf('GET', 'https', '', '/h', { headers: [['host', 'b.example']] }),
    'plain-http-scheme': requestOf('GET', 'http', 'localhost:8080', '/'),
    'ipv6-authority': requestOf('GET', 'https', '[2001:db8::1]:8443', '/'),
    'method-nobody-registered': requestOf('X-FROB', 'https', 'a.example', '/'),
    'options-for-the-server': requestOf('OPTIONS', 'https', 'a.example', '*'),
    'ok-no-content': responseOf(200),
    'ok-with-content': responseOf(200, {
      headers: [['content-type', 'application/json']],
      content: content('{"a":1}'),
    }),
    'not-modified': responseOf(304, { headers: [['etag', '"x"']] }),
    'status-599': responseOf(599),
    'two-cookies': responseOf(200, {
      headers: [
        ['set-cookie', 'k=1'],
        ['vary', 'accept'],
        ['set-cookie', 'l=2; Path=/'],
      ],
    }),
    'response-trailers': responseOf(200, { content: content('body'), trailers: [['server-timing', 'db;dur=1']] }),
    'content-of-1200-bytes': responseOf(200, { content: hex(new Uint8Array(1200).map((_, i) => (i * 31) & 255)) }),
  };
}

/** Legal forms that the Rust crate does not write. */
function valid(): Case[] {
  const control = concat(...['GET', 'https', 'c.example', '/x'].map(prefixed));
  const get = requestOf('GET', 'https', 'c.example', '/x');
  const fields = fieldLines([['a', 'b']]);
  const withField: Partial<Decoded> = { headers: [['a', 'b']] };
  const known = (...parts: readonly Uint8Array[]): Uint8Array => concat(Uint8Array.of(0), control, ...parts);
  const stream = (...parts: readonly Uint8Array[]): Uint8Array => concat(Uint8Array.of(2), control, ...parts);
  const zero = Uint8Array.of(0);
  const wide = (text: string, width: 2 | 4 | 8): Uint8Array => concat(varint(text.length, width), latin1(text));
  return [
    {
      name: 'known-trailers-omitted',
      bytes: known(prefixed(fields), prefixed('c')),
      decoded: { ...get, ...withField, content: '63' },
      note: 'an empty trailer section may be left out',
    },
    {
      name: 'known-content-and-trailers-omitted',
      bytes: known(prefixed(fields)),
      decoded: { ...get, ...withField },
      note: 'empty content may be left out when the trailer section is',
    },
    {
      name: 'known-all-sections-omitted',
      bytes: known(),
      decoded: get,
      note: 'the examples of Oblivious HTTP end here, before the length of the header section',
    },
    {
      name: 'response-all-sections-omitted',
      bytes: concat(Uint8Array.of(1), varint(503)),
      decoded: responseOf(503),
      note: 'as above',
    },
    { name: 'stream-all-sections-omitted', bytes: stream(), decoded: get, note: 'as above, indeterminate length' },
    {
      name: 'stream-trailers-omitted',
      bytes: stream(fields, zero, prefixed('c'), zero),
      decoded: { ...get, ...withField, content: '63' },
      note: 'the terminator of the trailers may be left out',
    },
    {
      name: 'stream-content-omitted',
      bytes: stream(fields, zero),
      decoded: { ...get, ...withField },
      note: 'the terminator of empty content may be left out',
    },
    { name: 'known-padding-one-zero', bytes: known(zero, zero, zero, zero), decoded: get, note: '' },
    {
      name: 'known-padding-1000-zeros',
      bytes: known(prefixed(fields), zero, zero, new Uint8Array(1000)),
      decoded: { ...get, ...withField },
      note: '',
    },
    {
      name: 'stream-padding-100-zeros',
      bytes: stream(zero, prefixed('xy'), zero, zero, new Uint8Array(100)),
      decoded: { ...get, content: '7879' },
      note: '',
    },
    {
      name: 'stream-content-in-five-chunks',
      bytes: stream(zero, ...['a', 'bc', 'def', 'g', 'h'].map(prefixed), zero, fieldLines([['t', 'u']]), zero),
      decoded: { ...get, content: hex(utf8('abcdefgh')), trailers: [['t', 'u']] },
      note: 'chunk borders mean nothing',
    },
    {
      name: 'framing-indicator-two-bytes',
      bytes: concat(varint(0, 2), control, zero, zero, zero),
      decoded: get,
      note: 'integers need not be minimal',
    },
    {
      name: 'framing-indicator-eight-bytes',
      bytes: concat(varint(1, 8), varint(200, 8), zero, zero, zero),
      decoded: responseOf(200),
      note: 'integers need not be minimal',
    },
    {
      name: 'every-length-eight-bytes',
      bytes: concat(
        varint(0, 8),
        ...['GET', 'https', 'c.example', '/x'].map((part) => wide(part, 8)),
        varint(18, 8),
        wide('a', 8),
        wide('b', 8),
        varint(1, 8),
        utf8('c'),
        varint(0, 8),
      ),
      decoded: { ...get, ...withField, content: '63' },
      note: 'integers need not be minimal',
    },
    {
      name: 'stream-terminators-four-bytes',
      bytes: stream(wide('a', 4), wide('b', 4), varint(0, 4), wide('c', 4), varint(0, 4), varint(0, 4)),
      decoded: { ...get, ...withField, content: '63' },
      note: 'a zero of any width ends a section',
    },
    {
      name: 'field-value-obs-text',
      bytes: known(prefixed(fieldLines([['x', '\u0080\u00fe']])), zero, zero),
      decoded: { ...get, headers: [['x', '\u0080\u00fe']] },
      note: 'bytes above 0x7f are allowed; shown as Latin-1',
    },
    {
      name: 'field-value-inner-spaces',
      bytes: known(prefixed(fieldLines([['x', 'a \t b']])), zero, zero),
      decoded: { ...get, headers: [['x', 'a \t b']] },
      note: 'space and tab are allowed inside a value',
    },
    {
      name: 'field-name-all-token-characters',
      bytes: known(prefixed(fieldLines([["!#$%&'*+-.^_`|~09az", 'v']])), zero, zero),
      decoded: { ...get, headers: [["!#$%&'*+-.^_`|~09az", 'v']] },
      note: '',
    },
    {
      name: 'extension-pseudo-field',
      bytes: known(
        prefixed(
          fieldLines([
            [':later', 'v'],
            ['a', 'b'],
          ]),
        ),
        zero,
        zero,
      ),
      decoded: {
        ...get,
        headers: [
          [':later', 'v'],
          ['a', 'b'],
        ],
      },
      note: 'a pseudo-field nobody knows may come before the regular fields',
    },
    {
      name: 'connection-fields-present',
      bytes: known(
        prefixed(
          fieldLines([
            ['connection', 'x'],
            ['x', '1'],
          ]),
        ),
        zero,
        zero,
      ),
      decoded: {
        ...get,
        headers: [
          ['connection', 'x'],
          ['x', '1'],
        ],
      },
      note: 'does not make the message invalid; dropped on conversion',
    },
    {
      name: 'early-hints-then-ok',
      bytes: concat(
        Uint8Array.of(1),
        varint(103),
        prefixed(fieldLines([['link', '</s.css>']])),
        varint(200),
        zero,
        prefixed('ok'),
        zero,
      ),
      decoded: responseOf(200, {
        content: hex(utf8('ok')),
        informational: [{ status: 103, headers: [['link', '</s.css>']] }],
      }),
      note: '',
    },
    {
      name: 'stream-three-informational',
      bytes: concat(
        Uint8Array.of(3),
        varint(100),
        zero,
        varint(102),
        fieldLines([['a', '1']]),
        zero,
        varint(199),
        zero,
        varint(204),
        zero,
        zero,
        zero,
      ),
      decoded: responseOf(204, {
        informational: [
          { status: 100, headers: [] },
          { status: 102, headers: [['a', '1']] },
          { status: 199, headers: [] },
        ],
      }),
      note: '',
    },
    {
      name: 'informational-then-truncated',
      bytes: concat(Uint8Array.of(1), varint(103), zero, varint(200)),
      decoded: responseOf(200, { informational: [{ status: 103, headers: [] }] }),
      note: 'the final part may be cut after its status',
    },
  ];
}

/** Forms a decoder must refuse. */
function invalid(): Case[] {
  const control = concat(...['GET', 'https', 'c.example', '/x'].map(prefixed));
  const zero = Uint8Array.of(0);
  const known = (...parts: readonly Uint8Array[]): Uint8Array => concat(zero, control, ...parts);
  const stream = (...parts: readonly Uint8Array[]): Uint8Array => concat(Uint8Array.of(2), control, ...parts);
  const field = (name: string, value: string): Uint8Array => known(prefixed(fieldLines([[name, value]])), zero, zero);
  const parts = (method: string, scheme: string, authority: string, path: string): Uint8Array =>
    concat(zero, ...[method, scheme, authority, path].map(prefixed), zero, zero, zero);
  const status = (code: number): Uint8Array => concat(Uint8Array.of(1), varint(code), zero, zero, zero);
  const trailer = (name: string, value: string): Uint8Array =>
    known(zero, prefixed('c'), prefixed(fieldLines([[name, value]])));
  const bad = (name: string, bytes: Uint8Array, note: string, more: Partial<Case> = {}): Case => ({
    name,
    bytes,
    note,
    ...more,
  });
  const full = known(prefixed(fieldLines([['ab', 'cd']])), prefixed('content'), prefixed(fieldLines([['ef', 'gh']])));
  const at = control.length + 1;
  return [
    bad('no-bytes', NONE, 'no framing indicator'),
    bad('framing-indicator-cut', Uint8Array.of(0x80, 0), 'the integer is cut'),
    bad('framing-indicator-5', concat(Uint8Array.of(5), control), 'only 0 to 3 are defined'),
    bad('framing-indicator-large', concat(varint(1n << 40n), control), 'only 0 to 3 are defined'),
    bad('only-framing-indicator', zero, 'a message cannot end before its control data'),
    bad('cut-in-method', full.slice(0, 3), ''),
    bad('cut-before-scheme', full.slice(0, 5), ''),
    bad('cut-in-authority', full.slice(0, 15), ''),
    bad('cut-before-path', full.slice(0, at - 3), ''),
    bad('cut-in-path', full.slice(0, at - 1), ''),
    bad('cut-in-header-section', full.slice(0, at + 4), ''),
    bad('cut-in-content', full.slice(0, at + 12), 'content with a length may be left out whole, not in part'),
    bad('cut-in-trailer-section', full.slice(0, -1), ''),
    bad('header-section-longer-than-message', known(varint(60), fieldLines([['a', 'b']])), ''),
    bad(
      'header-section-cuts-a-value',
      known(varint(5), fieldLines([['a', 'bcd']]), zero, zero),
      'the section ends inside its field line',
    ),
    bad('header-section-ends-after-name', known(prefixed(prefixed('a')), zero, zero), 'a name without value'),
    bad(
      'method-length-2-62-minus-1',
      concat(zero, varint((1n << 62n) - 1n), utf8('GET')),
      'must be refused without allocating that much',
    ),
    bad(
      'content-length-2-32',
      known(zero, varint(1n << 32n), utf8('x')),
      'must be refused without allocating that much',
    ),
    bad('content-length-2-53', known(zero, varint(1n << 53n), utf8('x')), 'beyond what a double counts exactly'),
    bad(
      'stream-chunk-length-2-40',
      stream(zero, varint(1n << 40n), utf8('x')),
      'must be refused without allocating that much',
    ),
    bad('stream-cut-in-chunk', stream(zero, varint(4), utf8('abc')), ''),
    bad('stream-content-not-ended', stream(zero, prefixed('abc')), 'content has begun: its end must be marked'),
    bad(
      'stream-header-section-not-ended',
      stream(fieldLines([['a', 'b']])),
      'fields have begun: their end must be marked',
    ),
    bad('stream-cut-in-field-name', stream(varint(4), utf8('ab')), ''),
    bad(
      'stream-trailers-not-ended',
      stream(zero, zero, fieldLines([['a', 'b']])),
      'trailers have begun: their end must be marked',
    ),
    bad('field-name-empty', known(prefixed(concat(zero, prefixed('v'))), zero, zero), 'a name has at least one byte'),
    ...['a b', 'a\t', 'a\u0000b', 'a\r\nb', 'a:b', 'a"b', 'a(b)', 'a/b', '\u00e9', 'a\u007f'].map((name, i) =>
      bad(`field-name-not-a-token-${i}`, field(name, 'v'), 'not a token'),
    ),
    ...['\u0000', 'a\rb', 'a\nb', ' a', 'a ', '\ta', 'a\t'].map((value, i) =>
      bad(`field-value-forbidden-${i}`, field('x', value), 'NUL, CR, LF, or space at an end'),
    ),
    bad('field-name-upper-case', field('Accept', 'v'), 'names are lower case, as in HTTP/2; a decoder may lower them', {
      mayAccept: true,
    }),
    bad('trailer-value-with-lf', trailer('t', 'a\nb'), 'trailers follow the rules of fields'),
    ...[':method', ':scheme', ':authority', ':path', ':status'].map((name) =>
      bad(`repeats-control-data-as-${name.slice(1)}`, field(name, 'GET'), 'control data is not repeated as a field'),
    ),
    bad(
      'status-pseudo-field-in-response',
      concat(Uint8Array.of(1), varint(200), prefixed(fieldLines([[':status', '200']])), zero, zero),
      'control data is not repeated as a field',
    ),
    bad(
      'pseudo-field-after-regular',
      known(
        prefixed(
          fieldLines([
            ['a', 'b'],
            [':later', 'v'],
          ]),
        ),
        zero,
        zero,
      ),
      'pseudo-fields come first',
    ),
    bad('pseudo-field-in-trailers', trailer(':later', 'v'), 'no pseudo-fields in trailers'),
    ...[0, 1, 99, 600, 999, 16383].map((code) => bad(`status-${code}`, status(code), 'a status is 100 to 599')),
    bad('status-2-40', concat(Uint8Array.of(1), varint(1n << 40n), zero, zero, zero), 'a status is 100 to 599'),
    bad(
      'informational-without-final',
      concat(Uint8Array.of(1), varint(100), zero, varint(103), zero),
      'a final status must follow',
    ),
    bad('informational-truncated', concat(Uint8Array.of(1), varint(103)), 'only the end of a message may be left out'),
    bad('method-empty', parts('', 'https', 'c.example', '/'), 'a method is a token'),
    bad('method-with-space', parts('GE T', 'https', 'c.example', '/'), 'a method is a token'),
    bad('method-with-crlf', parts('GET\r\n', 'https', 'c.example', '/'), 'a method is a token'),
    bad('scheme-empty', parts('GET', '', 'c.example', '/'), 'a scheme has at least one letter'),
    bad('scheme-with-colon', parts('GET', 'https:', 'c.example', '/'), 'not a scheme'),
    bad('path-empty', parts('GET', 'https', 'c.example', ''), 'for http and https a path begins with a slash'),
    bad('path-without-slash', parts('GET', 'https', 'c.example', 'x'), 'for http and https a path begins with a slash'),
    bad('path-with-space', parts('GET', 'https', 'c.example', '/a b'), 'not a request target'),
    bad('path-with-fragment', parts('GET', 'https', 'c.example', '/a#b'), 'a request target has no fragment'),
    bad('path-with-lf', parts('GET', 'https', 'c.example', '/a\nb'), 'not a request target'),
    bad('asterisk-for-get', parts('GET', 'https', 'c.example', '*'), 'the asterisk belongs to OPTIONS'),
    bad(
      'authority-with-userinfo',
      parts('GET', 'https', 'u:p@c.example', '/'),
      'no user information for http and https',
    ),
    bad('authority-with-path', parts('GET', 'https', 'c.example/x', '/'), 'not an authority'),
    bad('authority-with-space', parts('GET', 'https', 'c.example ', '/'), 'not an authority'),
    bad('authority-with-crlf', parts('GET', 'https', 'c.example\r\nx: y', '/'), 'not an authority'),
    bad(
      'padding-not-zero',
      known(zero, zero, zero, zero, Uint8Array.of(7)),
      'padding is zeros; the check is optional',
      { mayAccept: true },
    ),
    bad(
      'stream-padding-not-zero',
      stream(zero, zero, zero, Uint8Array.of(0, 1)),
      'padding is zeros; the check is optional',
      { mayAccept: true },
    ),
    bad('response-where-request-is-due', status(200), 'framing indicator of a response', {
      context: 'decode as request',
    }),
    bad('request-where-response-is-due', known(zero, zero, zero), 'framing indicator of a request', {
      context: 'decode as response',
    }),
    bad('random-bytes', concat(Uint8Array.of(0x3f), random(40)), 'the framing indicator is 63'),
  ];
}

/**
 * Makes bhttp.json.
 *
 * @param note - told where the Rust crate decodes a hand-made form differently.
 */
export function bhttp(rust: string, sources: Record<'rust' | 'hand', string>, note: (line: string) => void): unknown[] {
  const out: unknown[] = [];
  const jobs = Object.entries(encodable()).flatMap(([name, message]) =>
    [false, true].map((indeterminate) => ({ op: 'bhttp-encode', name, message, indeterminate })),
  );
  const encoded = runVectorJobs<{ hex: string }>(rust, jobs).results;
  const back = runVectorJobs<{ decoded: Decoded }>(
    rust,
    encoded.map((one) => ({ op: 'bhttp-decode', hex: one.hex })),
  ).results;
  for (const [i, job] of jobs.entries()) {
    agree(`bhttp ${job.name}`, canonical(job.message), canonical(back[i]!.decoded));
    out.push({
      name: `${job.name}-${job.indeterminate ? 'indeterminate' : 'known'}`,
      source: sources.rust,
      hex: encoded[i]!.hex,
      expect: 'ok',
      decoded: job.message,
      note: '',
    });
  }

  const made = [...valid(), ...invalid()];
  const read = runVectorJobs<{ decoded: Decoded }>(
    rust,
    made.map(({ bytes }) => ({ op: 'bhttp-decode', hex: hex(bytes) })),
  ).results;
  for (const [i, { name, bytes, decoded, note: why, mayAccept, context }] of made.entries()) {
    const refused = read[i]!.error !== undefined;
    if (decoded !== undefined && refused) note(`Rust refuses bhttp ${name}`);
    if (decoded !== undefined && !refused && canonical(decoded) !== canonical(read[i]!.decoded))
      note(`Rust reads bhttp ${name} differently`);
    if (decoded === undefined && !refused && context === undefined) note(`Rust accepts bhttp ${name}`);
    const verdict =
      decoded === undefined ? { expect: 'invalid', decoder_may_accept: mayAccept ?? false } : { expect: 'ok', decoded };
    out.push({
      name,
      source: sources.hand,
      hex: hex(bytes),
      ...verdict,
      note: why,
      ...(context === undefined ? {} : { context }),
    });
  }
  return out;
}

function canonical(message: Decoded): string {
  const { type, method, scheme, authority, path, status, headers, content, trailers } = message;
  const informational = (message.informational ?? []).map((one) => [one.status, one.headers]);
  return JSON.stringify({ type, method, scheme, authority, path, status, headers, content, trailers, informational });
}
