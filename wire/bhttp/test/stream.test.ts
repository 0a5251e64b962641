import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  encodeRequest,
  encodeResponse,
  RequestDecoder,
  RequestEncoder,
  ResponseDecoder,
  ResponseEncoder,
} from '@privacy-edge/bhttp';
import { concatBytes, fromHex, toHex, utf8 } from '@privacy-edge/bytes';
import fc from 'fast-check';
import { framing, numRuns, requests, responses, sizes, split } from './arbitraries.ts';
import { collectRequest, collectResponse } from './collect.ts';

test('streaming decoders give what was encoded, however it is split and padded', () => {
  fc.assert(
    fc.property(requests, responses, framing, sizes, fc.nat({ max: 300 }), (request, response, kind, pieces, pad) => {
      const options = { framing: kind, paddedLength: pad };
      const sentRequest = split(encodeRequest(request, options), pieces);
      assert.deepEqual(collectRequest(new RequestDecoder(), sentRequest), request);
      const sentResponse = split(encodeResponse(response, options), pieces);
      assert.deepEqual(collectResponse(new ResponseDecoder(), sentResponse), response);
    }),
    { numRuns },
  );
});

test('streaming encoders give what decoders read, with any chunks', () => {
  fc.assert(
    fc.property(requests, responses, sizes, fc.nat({ max: 20 }), (request, response, pieces, padding) => {
      const requestEncoder = new RequestEncoder();
      const sentRequest = [
        requestEncoder.head(request),
        ...split(request.body, pieces).map((piece) => requestEncoder.data(piece)),
        requestEncoder.end(request.trailers, padding),
      ];
      assert.deepEqual(collectRequest(new RequestDecoder(), sentRequest), request);
      const responseEncoder = new ResponseEncoder();
      const sentResponse = [
        ...response.informational.map((informational) => responseEncoder.informational(informational)),
        responseEncoder.head(response),
        ...split(response.body, pieces).map((piece) => responseEncoder.data(piece)),
        responseEncoder.end(response.trailers, padding),
      ];
      assert.deepEqual(collectResponse(new ResponseDecoder(), sentResponse), response);
    }),
    { numRuns },
  );
});

const HEAD = { method: 'POST', scheme: 'https', authority: 'a', path: '/', fields: [] };

test('streaming encoders match the whole encoder for one chunk', () => {
  const body = utf8('hello');
  const encoder = new RequestEncoder();
  const streamed = concatBytes(encoder.head(HEAD), encoder.data(body), encoder.end([['t', '1']]));
  const whole = encodeRequest({ ...HEAD, body, trailers: [['t', '1']] }, { framing: 'indeterminate' });
  assert.equal(toHex(streamed), toHex(whole));
});

test('an empty piece of content does not end the content', () => {
  const encoder = new RequestEncoder();
  const pieces = [encoder.head(HEAD), encoder.data(new Uint8Array(0)), encoder.data(utf8('x')), encoder.end()];
  assert.equal(pieces[1]?.length, 0);
  assert.deepEqual(collectRequest(new RequestDecoder(), pieces).body, utf8('x'));
});

test('streaming encoders refuse calls out of order and keep working after a refused head', () => {
  const encoder = new ResponseEncoder();
  assert.throws(() => encoder.data(utf8('x')), TypeError);
  assert.throws(() => encoder.end(), TypeError);
  assert.throws(() => encoder.head({ status: 103, fields: [] }), RangeError);
  assert.throws(() => encoder.informational({ status: 200, fields: [] }), RangeError);
  assert.throws(() => encoder.head({ status: 200, fields: [['a b', '']] }), TypeError);
  assert.equal(toHex(encoder.informational({ status: 103, fields: [] })), '03406700');
  assert.equal(toHex(encoder.head({ status: 200, fields: [] })), '40c800');
  assert.throws(() => encoder.head({ status: 200, fields: [] }), TypeError);
  assert.throws(() => encoder.informational({ status: 103, fields: [] }), TypeError);
  assert.throws(() => encoder.end([], -1), RangeError);
  assert.throws(() => encoder.end([[':x', '']]), TypeError);
  assert.equal(toHex(encoder.end([], 2)), '00000000');
  assert.throws(() => encoder.end(), TypeError);
  assert.throws(() => encoder.data(utf8('x')), TypeError);
});

test('events come as soon as their bytes do', () => {
  const decoder = new ResponseDecoder();
  assert.deepEqual(decoder.push(fromHex('0340670161016200')), [
    { type: 'informational', status: 103, fields: [['a', 'b']] },
  ]);
  assert.deepEqual(decoder.push(fromHex('40c8')), []);
  assert.deepEqual(decoder.push(fromHex('00')), [{ type: 'head', head: { status: 200, fields: [] } }]);
  const chunk = fromHex('056162');
  const [data, ...none] = decoder.push(chunk);
  assert.ok(data?.type === 'data' && none.length === 0);
  assert.equal(data.bytes.buffer, chunk.buffer);
  assert.deepEqual(data.bytes, utf8('ab'));
  assert.deepEqual(decoder.push(fromHex('636465016600')), [{ type: 'data', bytes: utf8('cdef') }]);
  assert.deepEqual(decoder.push(fromHex('0174013100')), [{ type: 'trailers', fields: [['t', '1']] }]);
  assert.deepEqual(decoder.push(fromHex('0000')), []);
  assert.deepEqual(decoder.push(new Uint8Array(0)), []);
  assert.deepEqual(decoder.end(), [{ type: 'end' }]);
});

test('several events of one push are all reported', () => {
  const decoder = new ResponseDecoder();
  const types = decoder.push(fromHex('0140670040c800016104017401310000')).map(({ type }) => type);
  assert.deepEqual(types, ['informational', 'head', 'data', 'trailers']);
});

test('content of one push is one event, however small its chunks are', () => {
  const decoder = new RequestDecoder();
  const head = '02034745540568747470730161012f00';
  const ones = '0161'.repeat(10_000);
  const [start, first, ...none] = decoder.push(fromHex(`${head}${ones}01`));
  assert.ok(start?.type === 'head' && first?.type === 'data' && none.length === 0);
  assert.deepEqual(first.bytes, utf8('a'.repeat(10_000)));
  assert.ok(first.bytes.buffer.byteLength <= 20_000);
  const [rest, trailers, ...no] = decoder.push(fromHex(`62${ones}000174013100`));
  assert.ok(rest?.type === 'data' && no.length === 0);
  assert.deepEqual(rest.bytes, utf8(`b${'a'.repeat(10_000)}`));
  assert.deepEqual(trailers, { type: 'trailers', fields: [['t', '1']] });
  assert.deepEqual(decoder.end(), [{ type: 'end' }]);
});

test('an error between chunks of content loses the whole push', () => {
  const decoder = new RequestDecoder();
  decoder.push(fromHex('02034745540568747470730161012f00'));
  const tooLong = 'ffffffffffffffff';
  assert.throws(() => decoder.push(fromHex(`01610162${tooLong}`)), { name: 'DecodeError', code: 'RANGE' });
});

test('end() accepts exactly the truncations of RFC 9292 §3.8', () => {
  const control = '01610568747470730161012f';
  const allowed = [`00${control}`, `00${control}00`, `00${control}0000`, `00${control}000000`, `00${control}000161`];
  const allowedToo = [`02${control}`, `02${control}00`, `02${control}0000`, `02${control}00016100`];
  for (const hex of [...allowed, ...allowedToo]) {
    assert.equal(collectRequest(new RequestDecoder(), split(fromHex(hex), [1])).method, 'a', hex);
  }
  const cut = ['', '00', `00${control.slice(0, -2)}`, `00${control}40`, `00${control}03016100`.slice(0, -2)];
  const cutContent = [`00${control}0040`, `00${control}0002`, `00${control}000261`, `00${control}0000030161`];
  const cutChunks = [`02${control}0161`, `02${control}016101`, `02${control}01610162`, `02${control}0002`];
  const cutTail = [`02${control}000261`, `02${control}000161`, `02${control}00000161`, `02${control}0000016101`];
  for (const hex of [...cut, ...cutContent, ...cutChunks, ...cutTail, `02${control}000001610162`]) {
    for (const pieces of [[1], [1000]]) {
      const run = (): unknown => collectRequest(new RequestDecoder(), split(fromHex(hex), pieces));
      assert.throws(run, { name: 'DecodeError', code: 'TRUNCATED' }, hex);
    }
  }
  for (const hex of ['01', '0140', '014067', '01406700', '034067', '0340670161016200']) {
    assert.throws(() => collectResponse(new ResponseDecoder(), [fromHex(hex)]), { code: 'TRUNCATED' }, hex);
  }
  assert.equal(collectResponse(new ResponseDecoder(), [fromHex('0140c8')]).status, 200);
});

test('after an error every further call throws it again', () => {
  const decoder = new RequestDecoder();
  assert.throws(() => decoder.push(fromHex('04')), { code: 'INVALID' });
  assert.throws(() => decoder.push(encodeRequest({ ...HEAD, body: utf8(''), trailers: [] })), { code: 'INVALID' });
  assert.throws(() => decoder.end(), { code: 'INVALID' });
  const padded = new RequestDecoder();
  padded.push(encodeRequest({ ...HEAD, body: utf8(''), trailers: [] }, { paddedLength: 64 }));
  assert.throws(() => padded.push(Uint8Array.of(0, 0, 1)), { code: 'INVALID' });
  assert.throws(() => padded.end(), { code: 'INVALID' });
});

test('a decoder is used once', () => {
  const decoder = new RequestDecoder();
  decoder.push(encodeRequest({ ...HEAD, body: utf8(''), trailers: [] }));
  decoder.end();
  assert.throws(() => decoder.push(new Uint8Array(1)), TypeError);
  assert.throws(() => decoder.end(), TypeError);
});

test('the bytes copied are linear in the message, however it is split', () => {
  const field = (i: number): [string, string] => [`name-${i}`, 'v'.repeat(60)];
  const request = {
    ...HEAD,
    path: `/${'p'.repeat(5000)}`,
    fields: Array.from({ length: 500 }, (_, i) => field(i)),
    body: new Uint8Array(20_000).fill(1),
    trailers: Array.from({ length: 100 }, (_, i) => field(i)),
  };
  const original = Uint8Array.prototype.set;
  for (const kind of ['known', 'indeterminate'] as const) {
    const bytes = encodeRequest(request, { framing: kind });
    for (const size of [1, 2, 7, 100, 4096]) {
      const pieces = split(bytes, [size]);
      const decoder = new RequestDecoder();
      let copied = 0;
      Uint8Array.prototype.set = function (this: Uint8Array, source: ArrayLike<number>, offset?: number): void {
        copied += source.length;
        original.call(this, source, offset);
      };
      try {
        for (const piece of pieces) decoder.push(piece);
        decoder.end();
      } finally {
        Uint8Array.prototype.set = original;
      }
      // Once when it arrives, less than twice more while the buffer doubles, once more into the list of lines.
      const held = bytes.length - request.body.length;
      assert.ok(copied <= 6 * held, `${kind}, ${size}: ${copied} of ${held}`);
    }
  }
});
