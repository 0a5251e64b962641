import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { concatBytes, DecodeError, fromHex, toHex } from '@privacy-edge/bytes';
import { AEAD_EXPORT_ONLY, deriveKeyPair, kemById } from '@privacy-edge/hpke';
import fc from 'fast-check';
import {
  createGatewayKey,
  decodeKeyConfigList,
  encodeKeyConfig,
  isSuiteUsable,
  KeyConfig,
  KeyConfigList,
  OhttpError,
  prepareEncapsulator,
  selectSuite,
} from '../src/index.ts';
import { codeOf, FUZZ_RUNS, KEM_IDS, makePair, pattern, random, SUITE, SUITES } from './fixture.ts';

const X25519 = 0x20;

function config(keyId: number, kemId = X25519, suites = SUITES): KeyConfig {
  return { keyId, kemId, publicKey: pattern(kemById(kemId).Npk, keyId), suites };
}

/** An entry with a length prefix. */
function entry(hex: string): Uint8Array {
  const bytes = fromHex(hex);
  return concatBytes(Uint8Array.of(bytes.length >> 8, bytes.length), bytes);
}

const KEY_HEX = toHex(pattern(32));

describe('KeyConfig', () => {
  const anyConfig = fc
    .record({
      keyId: fc.integer({ min: 0, max: 255 }),
      kemId: fc.constantFrom(...KEM_IDS),
      suites: fc.array(
        fc.record({ kdfId: fc.integer({ min: 0, max: 0xffff }), aeadId: fc.integer({ min: 0, max: 0xffff }) }),
        { minLength: 1, maxLength: 20 },
      ),
    })
    .map(
      ({ keyId, kemId, suites }): KeyConfig => ({
        ...config(keyId, kemId),
        suites: suites.map((suite) => ({ ...suite })),
      }),
    );

  it('encode() refuses numbers that do not fit', () => {
    for (const bad of [
      { ...config(1), keyId: 256 },
      { ...config(1), keyId: -1 },
      { ...config(1), keyId: 1.5 },
      { ...config(1), kemId: 0x10000 },
      config(1, X25519, [{ kdfId: 1, aeadId: 0x10000 }]),
      config(
        1,
        X25519,
        Array.from({ length: 0x4000 }, () => SUITE),
      ),
    ]) {
      assert.throws(() => KeyConfig.encode(bad), RangeError);
    }
  });

  it('encode() and the decode() of lists are there as functions', () => {
    assert.equal(toHex(encodeKeyConfig(config(1))), toHex(KeyConfig.encode(config(1))));
    const list = KeyConfigList.encode([config(1), config(2)]);
    assert.deepEqual(decodeKeyConfigList(list), KeyConfigList.decode(list));
  });

  it('decode() undoes encode(), alone and in a list', () => {
    fc.assert(
      fc.property(fc.array(anyConfig, { minLength: 1, maxLength: 4 }), (configs) => {
        for (const one of configs) assert.deepEqual(plain(KeyConfig.decode(KeyConfig.encode(one))), plain(one));
        const { usable, skipped } = KeyConfigList.decode(KeyConfigList.encode(configs));
        assert.deepEqual(usable.map(plain), configs.map(plain));
        assert.equal(skipped, 0);
      }),
      { numRuns: 200 },
    );
  });

  function plain({ publicKey, ...rest }: KeyConfig): object {
    return { ...rest, publicKey: toHex(publicKey) };
  }

  it('decode() copies the key: the input may change afterwards', () => {
    const bytes = KeyConfig.encode(config(1));
    const decoded = KeyConfig.decode(bytes);
    bytes.fill(0xff);
    assert.equal(toHex(decoded.publicKey), toHex(pattern(32, 1)));
  });

  it('decode() refuses an unknown KEM', () => {
    assert.throws(() => KeyConfig.decode(fromHex(`014d7a${KEY_HEX}000400010001`)), DecodeError);
  });

  it('holds as many suites as 65532 bytes', () => {
    const suites = Array.from({ length: 16_383 }, () => SUITE);
    const bytes = KeyConfig.encode({ ...config(1), suites });
    assert.equal(KeyConfig.decode(bytes).suites.length, 16_383);
  });
});

describe('KeyConfigList.decode()', () => {
  const good = `010020${KEY_HEX}000400010001`;

  it('skips configurations with an unknown KEM by their length, wherever they stand', () => {
    const unknown = entry('054d7a0011223344');
    const known = entry(good);
    for (const order of [
      [unknown, known],
      [known, unknown],
      [unknown, known, unknown],
    ]) {
      const { usable, skipped } = KeyConfigList.decode(concatBytes(...order));
      assert.deepEqual(
        usable.map(({ keyId }) => keyId),
        [1],
      );
      assert.equal(skipped, order.length - 1);
    }
  });

  const malformed: Record<string, Uint8Array> = {
    'no bytes': new Uint8Array(0),
    'one byte': Uint8Array.of(0),
    'a configuration without a length': fromHex(good),
    'an entry of no bytes': concatBytes(entry(good), entry('')),
    'an entry of two bytes': concatBytes(entry(good), entry('0100')),
    'a length beyond the end': concatBytes(Uint8Array.of(0, 100), fromHex(good)),
    'a byte behind the list': concatBytes(entry(good), Uint8Array.of(0)),
    'bytes behind the suites': entry(`${good}00`),
    'no suites': entry(`010020${KEY_HEX}0000`),
    'suites of six bytes': entry(`010020${KEY_HEX}0006000100010001`),
    'suites cut': entry(`010020${KEY_HEX}000800010001`),
    'a key one byte short': entry(`010020${KEY_HEX.slice(2)}000400010001`),
    'a damaged entry behind a good one': concatBytes(entry(good), entry(`010020${KEY_HEX}0000`)),
  };
  for (const [name, bytes] of Object.entries(malformed)) {
    it(`discards everything for ${name}`, () => {
      assert.throws(() => KeyConfigList.decode(bytes), DecodeError);
    });
  }

  it('throws only DecodeError, whatever the bytes', () => {
    const check = (bytes: Uint8Array): void => {
      try {
        const { usable, skipped } = KeyConfigList.decode(bytes);
        if (skipped === 0) assert.equal(toHex(KeyConfigList.encode(usable)), toHex(bytes));
      } catch (error) {
        assert.ok(error instanceof DecodeError);
      }
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), check), { numRuns: FUZZ_RUNS });
    // Near misses: a good list with some bytes changed, and cut.
    const list = KeyConfigList.encode([config(1), config(2, 0x10), config(3)]);
    const edits = fc.array(fc.tuple(fc.nat(list.length - 1), fc.nat(255)), { maxLength: 3 });
    fc.assert(
      fc.property(edits, fc.nat(list.length), (changes, length) => {
        const damaged = list.slice();
        for (const [at, value] of changes) damaged[at] = value;
        check(damaged.subarray(0, length));
      }),
      { numRuns: FUZZ_RUNS },
    );
  });
});

describe('selectSuite()', () => {
  it('takes the first usable suite of the first usable configuration', () => {
    const configs = [
      config(1, X25519, [{ kdfId: 9, aeadId: 1 }]),
      config(2, X25519, [{ kdfId: 1, aeadId: 77 }, SUITE]),
    ];
    assert.deepEqual(selectSuite(configs), { config: configs[1], suite: SUITE });
  });

  it('passes over configurations that share an identifier, even of different KEMs', () => {
    assert.equal(selectSuite([config(1), config(1)]), undefined);
    assert.equal(selectSuite([config(1), config(1, 0x10)]), undefined);
    assert.equal(selectSuite([config(1), config(1), config(2)])?.config.keyId, 2);
  });

  it('asks the caller', () => {
    const selected = selectSuite([config(1), config(2, 0x10)], (kemId, { aeadId }) => kemId === 0x10 && aeadId === 3);
    assert.deepEqual([selected?.config.keyId, selected?.suite.aeadId], [2, 3]);
    assert.equal(
      selectSuite([config(1)], () => false),
      undefined,
    );
  });

  it('gives nothing for an empty list', () => {
    assert.equal(selectSuite([]), undefined);
  });
});

describe('isSuiteUsable()', () => {
  it('refuses one-stage KDFs, for which RFC 9458 defines no response keys', () => {
    for (const kemId of KEM_IDS) {
      for (const kdfId of [0x10, 0x11, 0x12, 0x13]) {
        for (const aeadId of [1, 2, 3]) assert.equal(isSuiteUsable(kemId, { kdfId, aeadId }), false);
      }
    }
  });

  it('refuses the export-only AEAD, unknown AEADs and unknown KEMs', () => {
    assert.equal(isSuiteUsable(X25519, { kdfId: 1, aeadId: AEAD_EXPORT_ONLY }), false);
    assert.equal(isSuiteUsable(X25519, { kdfId: 1, aeadId: 0 }), false);
    for (const kemId of [0, 0x21, 0x30, 0xffff]) assert.equal(isSuiteUsable(kemId, SUITE), false);
    for (const kemId of KEM_IDS) for (const suite of SUITES) assert.equal(isSuiteUsable(kemId, suite), true);
  });
});

describe('createGatewayKey()', () => {
  const privateKey = deriveKeyPair(X25519, new Uint8Array(32).fill(5));
  const bad = {
    'a negative identifier': { keyId: -1, suites: [SUITE] },
    'an identifier above 255': { keyId: 256, suites: [SUITE] },
    'a fraction': { keyId: 1.5, suites: [SUITE] },
    'no suites': { keyId: 1, suites: [] },
    'a one-stage KDF among others': { keyId: 1, suites: [SUITE, { kdfId: 0x11, aeadId: 1 }] },
    'the export-only AEAD among others': { keyId: 1, suites: [SUITE, { kdfId: 1, aeadId: AEAD_EXPORT_ONLY }] },
  };
  for (const [name, init] of Object.entries(bad)) {
    it(`refuses ${name}`, async () => {
      const key = await privateKey;
      assert.equal(await codeOf(() => createGatewayKey({ ...init, privateKey: key })), 'CONFIG_UNUSABLE');
    });
  }
});

describe('prepareEncapsulator()', () => {
  const lowOrder = [
    '00'.repeat(32),
    `01${'00'.repeat(31)}`,
    'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
    '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
    `ecff${'ff'.repeat(29)}7f`,
    `edff${'ff'.repeat(29)}7f`,
    `eeff${'ff'.repeat(29)}7f`,
  ];
  for (const point of lowOrder) {
    it(`or encapsulate() refuses the low-order point ${point.slice(0, 8)}…`, async () => {
      const code = await codeOf(async () => {
        const client = await prepareEncapsulator({ ...config(1), publicKey: fromHex(point) }, SUITE);
        await client.encapsulate(pattern(10), random);
      });
      assert.equal(code, 'CONFIG_UNUSABLE');
    });
  }

  it('refuses a point off the curve, a key of another length and a suite that cannot be used', async () => {
    const offCurve = concatBytes(Uint8Array.of(4), pattern(64));
    assert.equal(
      await codeOf(() => prepareEncapsulator({ ...config(1, 0x10), publicKey: offCurve }, SUITE)),
      'CONFIG_UNUSABLE',
    );
    assert.equal(
      await codeOf(() => prepareEncapsulator({ ...config(1), publicKey: pattern(31) }, SUITE)),
      'CONFIG_UNUSABLE',
    );
    for (const suite of [
      { kdfId: 0x10, aeadId: 1 },
      { kdfId: 1, aeadId: AEAD_EXPORT_ONLY },
    ]) {
      assert.equal(await codeOf(() => prepareEncapsulator(config(1), suite)), 'CONFIG_UNUSABLE');
    }
  });

  it('has no cause that could say more', async () => {
    try {
      await prepareEncapsulator({ ...config(1), publicKey: pattern(31) }, SUITE);
      assert.fail('accepted');
    } catch (error) {
      assert.ok(error instanceof OhttpError);
      assert.equal(error.cause, undefined);
    }
  });

  it('encapsulates each request with a key of its own', async () => {
    const { client } = await makePair();
    const first = await client.encapsulate(pattern(20), random);
    const second = await client.encapsulate(pattern(20), random);
    assert.notEqual(toHex(first.message), toHex(second.message));
    assert.equal(toHex(first.message.subarray(0, 7)), toHex(second.message.subarray(0, 7)));
  });
});
