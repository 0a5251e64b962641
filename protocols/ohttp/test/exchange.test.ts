import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { concatBytes, fromHex, toHex } from '@privacy-edge/bytes';
import { kemById } from '@privacy-edge/hpke';
import fc from 'fast-check';
import { OhttpError, receiveChunkedRequest, receiveRequest } from '../src/index.ts';
import {
  codeOf,
  errorOf,
  FUZZ_RUNS,
  fixedRandom,
  flipBit,
  KEM_IDS,
  makePair,
  mayFail,
  pattern,
  random,
  SUITES,
} from './fixture.ts';

const REQUEST = pattern(50, 1);
const RESPONSE = pattern(60, 2);

/** Sends a request and gives what both sides hold. */
async function exchange(pair: Awaited<ReturnType<typeof makePair>>) {
  const sent = await pair.client.encapsulate(REQUEST, random);
  const opened = await receiveRequest(sent.message, pair.findKey).open();
  return { sent, opened };
}

describe('a whole exchange', () => {
  for (const kemId of KEM_IDS) {
    for (const suite of SUITES) {
      it(`works with KEM 0x${kemId.toString(16)} and AEAD ${suite.aeadId}`, async () => {
        const pair = await makePair({ kemId, suite });
        const { sent, opened } = await exchange(pair);
        assert.equal(toHex(opened.request), toHex(REQUEST));
        const answer = await opened.response.seal(RESPONSE, random);
        const nonceLength = suite.aeadId === 1 ? 16 : 32;
        assert.equal(answer.length, nonceLength + RESPONSE.length + 16);
        assert.equal(toHex(await sent.response.open(answer)), toHex(RESPONSE));
      });
    }
  }

  it('carries empty messages', async () => {
    const pair = await makePair();
    const sent = await pair.client.encapsulate(new Uint8Array(0), random);
    const opened = await receiveRequest(sent.message, pair.findKey).open();
    assert.equal(opened.request.length, 0);
    const answer = await opened.response.seal(new Uint8Array(0), random);
    assert.equal((await sent.response.open(answer)).length, 0);
  });

  it('of other labels does not mix with Binary HTTP', async () => {
    const labels = { request: 'message/other request', response: 'message/other response' };
    const other = await makePair({ labels });
    const { sent, opened } = await exchange(other);
    assert.equal(toHex(await sent.response.open(await opened.response.seal(RESPONSE, random))), toHex(RESPONSE));
    const bhttp = await makePair();
    const crossed = await bhttp.client.encapsulate(REQUEST, random);
    assert.equal(await codeOf(() => receiveRequest(crossed.message, other.findKey).open()), 'OPEN_FAILED');
  });

  it('and a chunked one do not mix', async () => {
    const pair = await makePair();
    const sent = await pair.client.encapsulate(REQUEST, random);
    const received = receiveChunkedRequest(sent.message, pair.findKey)!;
    const opened = await received.open();
    // The ciphertext as one final chunk.
    await opened.request.push(concatBytes(Uint8Array.of(0), received.rest));
    assert.equal(await codeOf(() => opened.request.end()), 'OPEN_FAILED');
  });
});

describe('contexts', () => {
  it('ResponseOpener.open() works once, also after a failure', async () => {
    const { sent, opened } = await exchange(await makePair());
    const answer = await opened.response.seal(RESPONSE, random);
    assert.equal(toHex(await sent.response.open(answer)), toHex(RESPONSE));
    assert.equal(await codeOf(() => sent.response.open(answer)), 'ALREADY_USED');

    const second = await exchange(await makePair());
    const good = await second.opened.response.seal(RESPONSE, random);
    assert.equal(await codeOf(() => second.sent.response.open(flipBit(good, 3))), 'OPEN_FAILED');
    assert.equal(await codeOf(() => second.sent.response.open(good)), 'ALREADY_USED');
  });

  it('ResponseSealer.seal() works once', async () => {
    const { opened } = await exchange(await makePair());
    await opened.response.seal(RESPONSE, random);
    assert.equal(await codeOf(() => opened.response.seal(RESPONSE, random)), 'ALREADY_USED');
  });

  it('a response opens only for the request that it answers', async () => {
    const pair = await makePair();
    const first = await exchange(pair);
    const second = await exchange(pair);
    const answer = await first.opened.response.seal(RESPONSE, random);
    assert.equal(await codeOf(() => second.sent.response.open(answer)), 'OPEN_FAILED');
  });

  it('two answers to one request, as after a replay, share no key stream', async () => {
    const pair = await makePair();
    const { message } = await pair.client.encapsulate(REQUEST, random);
    const answers = [];
    for (const nonce of ['01'.repeat(16), '02'.repeat(16)]) {
      const opened = await receiveRequest(message, pair.findKey).open();
      answers.push(await opened.response.seal(RESPONSE, fixedRandom(nonce)));
    }
    assert.notEqual(toHex(answers[0]!.subarray(16)), toHex(answers[1]!.subarray(16)));
  });
});

describe('receiveRequest()', () => {
  it('is MALFORMED below 7 bytes', async () => {
    const { findKey, client } = await makePair();
    const { message } = await client.encapsulate(REQUEST, random);
    for (let length = 0; length < 7; length++) {
      assert.equal(await codeOf(() => receiveRequest(message.subarray(0, length), findKey).open()), 'MALFORMED');
    }
  });

  it('is KEY_UNKNOWN for every header that was not offered, and only names the identifier', async () => {
    const { findKey, client } = await makePair({ keyId: 7 });
    const { message } = await client.encapsulate(REQUEST, random);
    const headers = {
      'unknown identifier': '08002000010001',
      'another KEM': '07001000010001',
      'another KEM of the same key length': '07647a00010001',
      'a KDF that works but is not offered': '07002000020001',
      'an AEAD that is unknown': '070020000100ff',
      'a one-stage KDF': '07002000100001',
      'the export-only AEAD': '0700200001ffff',
    };
    for (const [name, header] of Object.entries(headers)) {
      const forged = concatBytes(fromHex(header), message.subarray(7));
      const error = await errorOf(() => receiveRequest(forged, findKey));
      assert.equal(error.code, 'KEY_UNKNOWN', name);
      assert.equal(await codeOf(() => receiveChunkedRequest(forged, findKey)), 'KEY_UNKNOWN', name);
    }
  });

  it('has one error for everything wrong behind the header', async () => {
    const pair = await makePair();
    const stranger = await makePair({ seed: 9 });
    const { message } = await pair.client.encapsulate(REQUEST, random);
    const withEnc = (enc: string): Uint8Array =>
      concatBytes(message.subarray(0, 7), fromHex(enc), message.subarray(39));
    const attempts: Uint8Array[] = [
      withEnc('00'.repeat(32)),
      withEnc(`01${'00'.repeat(31)}`),
      withEnc('e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800'),
      withEnc('5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157'),
      withEnc('ff'.repeat(32)),
      (await stranger.client.encapsulate(REQUEST, random)).message,
      concatBytes(message, Uint8Array.of(0)),
    ];
    for (let length = 7; length < message.length; length++) attempts.push(message.subarray(0, length));
    for (let bit = 7 * 8; bit < message.length * 8; bit++) {
      // X25519 ignores the highest bit of a coordinate, but the bytes of `enc` go into the key schedule.
      attempts.push(flipBit(message, bit));
    }
    const seen = new Set<string>();
    for (const attempt of attempts) {
      const error = await errorOf(() => receiveRequest(attempt, pair.findKey).open());
      seen.add(JSON.stringify([error.code, error.message, error.cause, Object.keys(error)]));
    }
    assert.equal(seen.size, 1);
    assert.match([...seen][0]!, /^\["OPEN_FAILED"/);
  });

  for (const kemId of KEM_IDS) {
    it(`has that error for KEM 0x${kemId.toString(16)} too`, async () => {
      const pair = await makePair({ kemId });
      const { message } = await pair.client.encapsulate(REQUEST, random);
      const { Nenc } = kemById(kemId);
      const seen = new Set<string>();
      const spots = [7, 8, 7 + (Nenc >> 1), 7 + Nenc - 1, 7 + Nenc, message.length - 1];
      const attempts = spots.map((at) => flipBit(message, 8 * at));
      attempts.push(concatBytes(message.subarray(0, 7), new Uint8Array(Nenc), message.subarray(7 + Nenc)));
      for (const attempt of attempts) {
        const error = await errorOf(() => receiveRequest(attempt, pair.findKey).open());
        seen.add(JSON.stringify([error.code, error.message, error.cause ?? null]));
      }
      assert.deepEqual([...seen], ['["OPEN_FAILED","Cannot open message: it does not authenticate",null]']);
    });
  }

  it('throws only OhttpError, whatever the bytes', async () => {
    const pair = await makePair();
    const header = fromHex('07002000010001');
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 120 }),
      fc.uint8Array({ maxLength: 120 }).map((rest) => concatBytes(header, rest)),
    );
    await fc.assert(
      fc.asyncProperty(bytes, async (message) => {
        assert.equal(await mayFail(() => receiveRequest(message, pair.findKey).open()), undefined);
      }),
      { numRuns: FUZZ_RUNS },
    );
  });
});

describe('ResponseOpener.open()', () => {
  it('has one error for every damaged response', async () => {
    const pair = await makePair();
    const seen = new Set<string>();
    const damages: ((answer: Uint8Array) => Uint8Array)[] = [
      (answer) => concatBytes(answer, Uint8Array.of(0)),
      ...Array.from({ length: 8 * 35 }, (_, bit) => (answer: Uint8Array) => flipBit(answer, bit)),
      ...Array.from({ length: 35 }, (_, length) => (answer: Uint8Array) => answer.subarray(0, length)),
    ];
    for (const damage of damages) {
      const { sent, opened } = await exchange(pair);
      const answer = await opened.response.seal(fromHex('0140c8'), random);
      assert.equal(answer.length, 35);
      const error = await errorOf(() => sent.response.open(damage(answer)));
      seen.add(JSON.stringify([error.code, error.message, error.cause ?? null]));
    }
    assert.equal(seen.size, 1);
  });

  it('throws only OhttpError, whatever the bytes', async () => {
    const pair = await makePair();
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 80 }), async (message) => {
        const { response } = await pair.client.encapsulate(new Uint8Array(0), random);
        await assert.rejects(async () => response.open(message), OhttpError);
      }),
      { numRuns: Math.ceil(FUZZ_RUNS / 4) },
    );
  });
});
