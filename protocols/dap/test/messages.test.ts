/** Every codec: what it writes it reads, what it reads it writes, and whatever else it gets it refuses with `DecodeError`. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Codec, concatBytes, DecodeError, fromHex, toHex } from '@privacy-edge/bytes';
import { rational } from '@privacy-edge/dp';
import fc from 'fast-check';
import {
  AggregateShare,
  AggregateShareReq,
  AggregationJobContinueReq,
  AggregationJobInitReq,
  AggregationJobResp,
  BatchSelector,
  CollectionJobReq,
  CollectionJobResp,
  createTaskConfiguration,
  DpParameters,
  decodeVdafConfiguration,
  type Extension,
  encodeVdafConfiguration,
  HpkeCiphertext,
  HpkeConfig,
  HpkeConfigList,
  Interval,
  MultiCollection,
  PlaintextInputShare,
  Query,
  Report,
  ReportMetadata,
  ReportShare,
  TaskConfiguration,
  UploadErrors,
  UploadRequest,
  type VdafConfiguration,
  VerifyInit,
  VerifyResp,
} from '../src/index.ts';
import { extension, flipBit, mayDecode, NOTHING, numRuns, parameters } from './fixture.ts';

function record<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(model, { noNullPrototype: true }) as fc.Arbitrary<T>;
}
const u8 = fc.nat(0xff);
const u16 = fc.nat(0xffff);
const u32 = fc.nat(0xffffffff);
const u64 = fc.maxSafeNat();
const some = fc.uint8Array({ minLength: 1, maxLength: 20 });
const any = fc.uint8Array({ maxLength: 20 });
const bytes = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });
const few = <T>(item: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(item, { maxLength: 4 });

const extensions: fc.Arbitrary<Extension[]> = few(record({ extensionType: u16, extensionData: any }));
const sortedExtensions = fc
  .uniqueArray(record({ extensionType: u16, extensionData: any }), {
    maxLength: 4,
    selector: ({ extensionType }) => extensionType,
  })
  .map((list) => list.sort((a, b) => a.extensionType - b.extensionType));
const ciphertext = record({ configId: u8, enc: some, payload: some });
const metadata = record({ reportId: bytes(16), time: u64, publicExtensions: extensions });
const interval = record({ start: u64, duration: u64 });
const report = record({
  reportMetadata: metadata,
  publicShare: any,
  leaderEncryptedInputShare: ciphertext,
  helperEncryptedInputShare: ciphertext,
});
const reportShare = record({ reportMetadata: metadata, publicShare: any, encryptedInputShare: ciphertext });
const hpkeConfig = record({ id: u8, kemId: u16, kdfId: u16, aeadId: u16, publicKey: any });
const query = record({ batchMode: u8, config: any });
const collectionJobReq = record({ query, aggParam: any, extensions });
const verifyInit = record({ reportShare, payload: some });
const verifyResp: fc.Arbitrary<VerifyResp> = fc.oneof(
  record({ kind: fc.constant('continue' as const), reportId: bytes(16), payload: some }),
  record({ kind: fc.constant('finish' as const), reportId: bytes(16) }),
  record({ kind: fc.constant('reject' as const), reportId: bytes(16), reportError: u8 }),
);
const url = fc.string({ unit: fc.integer({ min: 0, max: 0x7f }).map((c) => String.fromCharCode(c)), minLength: 1 });
const taskConfiguration = record({
  taskInfo: any,
  leaderAggregatorEndpoint: url,
  helperAggregatorEndpoint: url,
  timePrecision: u64,
  minBatchSize: u64,
  batchMode: u8,
  batchConfig: any,
  vdafType: u32,
  vdafConfiguration: any,
  extensions: sortedExtensions,
}).map(createTaskConfiguration);

interface Case<T> {
  readonly codec: Codec<T>;
  readonly values: fc.Arbitrary<T>;
  /** Ends where its input ends, so that more input may be more of it. */
  readonly open?: true;
}

const CASES: Readonly<Record<string, Case<never>>> = {
  Interval: { codec: Interval, values: interval },
  HpkeCiphertext: { codec: HpkeCiphertext, values: ciphertext },
  HpkeConfig: { codec: HpkeConfig, values: hpkeConfig },
  HpkeConfigList: { codec: HpkeConfigList, values: fc.array(hpkeConfig, { minLength: 1, maxLength: 4 }) },
  ReportMetadata: { codec: ReportMetadata, values: metadata },
  PlaintextInputShare: {
    codec: PlaintextInputShare,
    values: record({ privateExtensions: sortedExtensions, payload: some }),
  },
  Report: { codec: Report, values: report },
  ReportShare: { codec: ReportShare, values: reportShare },
  UploadRequest: { codec: UploadRequest, values: few(report), open: true },
  UploadErrors: { codec: UploadErrors, values: few(record({ id: bytes(16), error: u8 })), open: true },
  VerifyInit: { codec: VerifyInit, values: verifyInit },
  AggregationJobInitReq: {
    codec: AggregationJobInitReq,
    values: record({ verificationKeyId: u8, aggParam: any, extensions, verifyInits: few(verifyInit) }),
    open: true,
  },
  VerifyResp: { codec: VerifyResp, values: verifyResp },
  AggregationJobResp: { codec: AggregationJobResp, values: few(verifyResp), open: true },
  AggregationJobContinueReq: {
    codec: AggregationJobContinueReq,
    values: record({
      step: u16,
      verifyContinues: few(record({ reportId: bytes(16), payload: some })),
    }),
    open: true,
  },
  Query: { codec: Query, values: query },
  BatchSelector: { codec: BatchSelector, values: query },
  CollectionJobReq: { codec: CollectionJobReq, values: collectionJobReq },
  CollectionJobResp: {
    codec: CollectionJobResp,
    values: record({
      reportCount: u64,
      interval,
      leaderEncryptedAggShare: ciphertext,
      helperEncryptedAggShare: ciphertext,
    }),
  },
  AggregateShareReq: {
    codec: AggregateShareReq,
    values: record({ collectionJobReq, batchSelector: query, reportCount: u64, checksum: bytes(32) }),
  },
  AggregateShare: { codec: AggregateShare, values: record({ encryptedAggregateShare: ciphertext }) },
  TaskConfiguration: { codec: TaskConfiguration, values: taskConfiguration },
  MultiCollection: {
    codec: MultiCollection,
    values: record({ maxCollections: fc.integer({ min: 1, max: 65535 }) }),
  },
  DpParameters: {
    codec: DpParameters,
    values: record({
      kind: fc.constantFrom('laplace' as const, 'gaussian' as const),
      adjacency: fc.constantFrom('substitution' as const, 'addition' as const),
      budget: fc
        .tuple(fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }), fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }))
        .map(([numerator, denominator]) => rational(numerator, denominator)),
    }).map(({ kind, adjacency, budget }) => ({
      adjacency,
      mechanism: kind === 'laplace' ? { kind, epsilon: budget } : { kind, rho: budget },
    })),
  },
} satisfies Record<string, Case<unknown>> as unknown as Readonly<Record<string, Case<never>>>;

for (const [name, { codec, values, open }] of Object.entries(CASES)) {
  describe(name, () => {
    it('decodes what it encodes, and refuses every part and extension of it', () => {
      fc.assert(
        fc.property(values, fc.nat(), (value, cut) => {
          const encoded = codec.encode(value);
          assert.deepEqual(codec.decode(encoded), value);
          const part = mayDecode(() => codec.decode(encoded.subarray(0, cut % (encoded.length + 1))));
          if (open === undefined) {
            assert.equal(part === undefined, cut % (encoded.length + 1) !== encoded.length);
            assert.throws(() => codec.decode(concatBytes(encoded, Uint8Array.of(0))), DecodeError);
          }
        }),
        { numRuns: Math.ceil(numRuns / 10) },
      );
    });

    it('throws nothing but DecodeError, and has one encoding for each value', () => {
      const check = (input: Uint8Array): void => {
        const value = mayDecode(() => codec.decode(input));
        if (value !== undefined) assert.deepEqual(codec.encode(value), input);
      };
      fc.assert(fc.property(fc.uint8Array({ maxLength: 120 }), check), { numRuns });
      // Closer to the format: valid bytes with one bit changed.
      fc.assert(
        fc.property(values, fc.nat(), (value, bit) => {
          const encoded = codec.encode(value);
          if (encoded.length > 0) check(flipBit(encoded, bit % (8 * encoded.length)));
        }),
        { numRuns: Math.ceil(numRuns / 10) },
      );
    });
  });
}

describe('Codecs', () => {
  it('have a media type where the message is a body', () => {
    assert.equal(UploadRequest.mediaType, 'application/ppm-dap;message=upload-req');
    assert.equal(AggregateShare.mediaType, 'application/ppm-dap;message=aggregate-share');
    assert.equal(Report.mediaType, undefined);
  });

  it('refuse empty vectors that must not be', () => {
    for (const hex of ['2a0000000000017a', '2a00017a00000000']) {
      assert.throws(() => HpkeCiphertext.decode(fromHex(hex)), DecodeError);
    }
    assert.throws(() => PlaintextInputShare.decode(fromHex('000000000000')), DecodeError);
    assert.throws(() => HpkeConfigList.decode(fromHex('0000')), DecodeError);
    assert.throws(() => HpkeCiphertext.encode({ configId: 1, enc: NOTHING, payload: Uint8Array.of(1) }), RangeError);
    assert.throws(() => HpkeConfigList.encode([]), RangeError);
  });

  it('refuse fields of another length', () => {
    const reportMetadata = { reportId: new Uint8Array(15), time: 0, publicExtensions: [] };
    assert.throws(() => ReportMetadata.encode(reportMetadata), RangeError);
    assert.throws(() => UploadErrors.encode([{ id: new Uint8Array(17), error: 1 }]), RangeError);
  });

  it('refuse numbers above 2^53 - 1', () => {
    assert.throws(() => Interval.decode(fromHex('00200000000000000000000000000001')), { code: 'RANGE' });
    assert.deepEqual(Interval.decode(fromHex('001fffffffffffff0000000000000001')), {
      start: Number.MAX_SAFE_INTEGER,
      duration: 1,
    });
  });

  it('do not allocate by an announced length', () => {
    // A report whose public share claims 4 GB.
    const hex = `${'00'.repeat(24)}0000ffffffff`;
    assert.throws(() => Report.decode(fromHex(hex)), { code: 'TRUNCATED' });
  });
});

describe('PlaintextInputShare', () => {
  it('refuses private extensions that are repeated or out of order', () => {
    for (const types of [
      [1, 1],
      [2, 1],
      [1, 3, 2],
    ]) {
      const privateExtensions = types.map((type) => extension(type));
      const encoded = PlaintextInputShare.encode({ privateExtensions, payload: Uint8Array.of(1) });
      assert.throws(() => PlaintextInputShare.decode(encoded), { code: 'INVALID' });
    }
  });
});

describe('VerifyResp', () => {
  it('refuses unknown types', () => {
    assert.throws(() => VerifyResp.decode(concatBytes(new Uint8Array(16), Uint8Array.of(3))), { code: 'INVALID' });
  });
});

describe('TaskConfiguration', () => {
  it('keeps its bytes, whatever the URLs look like, in memory of its own', () => {
    const odd = 'HTTPS://Leader.Example:443/a/../b%2f//';
    const encoded = createTaskConfiguration(parameters({ leaderAggregatorEndpoint: odd })).encoded;
    const received = encoded.slice();
    const configuration = TaskConfiguration.decode(received);
    received.fill(0);
    assert.equal(configuration.leaderAggregatorEndpoint, odd);
    assert.deepEqual(TaskConfiguration.encode(configuration), encoded);
  });

  it('takes an empty task_info', () => {
    const { encoded } = createTaskConfiguration(parameters({ taskInfo: NOTHING }));
    assert.equal(encoded[0], 0);
    assert.equal(TaskConfiguration.decode(encoded).taskInfo.length, 0);
  });

  it('refuses extensions out of order and URLs that are not ASCII', () => {
    const unsorted = [extension(2), extension(1)];
    assert.throws(() => createTaskConfiguration(parameters({ extensions: unsorted })), RangeError);
    for (const leaderAggregatorEndpoint of ['', 'https://l\u00e9ader/']) {
      assert.throws(() => createTaskConfiguration(parameters({ leaderAggregatorEndpoint })), RangeError);
    }
    const { encoded } = createTaskConfiguration(parameters({ extensions: [extension(1), extension(2)] }));
    const swapped = encoded.slice();
    swapped[encoded.length - 3] = 1;
    assert.throws(() => TaskConfiguration.decode(swapped), { code: 'INVALID' });
    const notAscii = encoded.slice();
    notAscii[10] = 0x80;
    assert.throws(() => TaskConfiguration.decode(notAscii), { code: 'INVALID' });
  });
});

describe('MultiCollection and DpParameters', () => {
  it('refuse zeros and unknown choices', () => {
    assert.throws(() => MultiCollection.decode(fromHex('0000')), { code: 'INVALID' });
    const one = '0000000000000001';
    const zero = '0000000000000000';
    const two = '0000000000000002';
    const bad = [`0301${one}${one}`, `0003${one}${one}`, `0101${zero}${one}`, `0101${one}${zero}`, `0101${two}${two}`];
    for (const hex of bad) {
      assert.throws(() => DpParameters.decode(fromHex(hex)), { code: 'INVALID' });
    }
    assert.equal(
      toHex(
        DpParameters.encode({ mechanism: { kind: 'gaussian', rho: rational(2n, 16n) }, adjacency: 'substitution' }),
      ),
      `0201${one}0000000000000008`,
    );
  });
});

describe('VdafConfiguration', () => {
  const configurations: readonly VdafConfiguration[] = [
    { kind: 'count' },
    { kind: 'sum', maxMeasurement: 255 },
    { kind: 'sum', maxMeasurement: 2n ** 64n - 2n ** 32n },
    { kind: 'sumVec', length: 12, maxMeasurement: 8, chunkLength: 14 },
    { kind: 'histogram', length: 256, chunkLength: 18 },
    { kind: 'multihotCountVec', length: 7, chunkLength: 3, maxWeight: 2 },
    { kind: 'poplar1', bits: 8 },
    { kind: 'l1BoundSum', length: 3, maxValue: 9, chunkLength: 2 },
    { kind: 'linReg', maxValues: [1000, 1000, 4000], chunkLength: 7 },
    { kind: 'unknown', vdafType: 0xffff0001, vdafConfiguration: Uint8Array.of(1, 2) },
  ];

  for (const configuration of configurations) {
    it(`${configuration.kind} comes back as it was`, () => {
      const { vdafType, vdafConfiguration } = encodeVdafConfiguration(configuration);
      assert.deepEqual(decodeVdafConfiguration(vdafType, vdafConfiguration), configuration);
      if (configuration.kind === 'unknown') return;
      const longer = concatBytes(vdafConfiguration, Uint8Array.of(0));
      assert.throws(() => decodeVdafConfiguration(vdafType, longer), DecodeError);
      if (vdafConfiguration.length === 0) return;
      assert.throws(() => decodeVdafConfiguration(vdafType, vdafConfiguration.subarray(1)), DecodeError);
    });
  }

  it('has the bound before the chunk length in SumVec, after it in MultihotCountVec', () => {
    assert.equal(
      toHex(encodeVdafConfiguration(configurations[3]!).vdafConfiguration),
      '0000000c00000000000000080000000e',
    );
    assert.equal(
      toHex(encodeVdafConfiguration(configurations[5]!).vdafConfiguration),
      '00000007000000030000000000000002',
    );
  });

  it('refuses a regression of nothing', () => {
    assert.throws(() => decodeVdafConfiguration(0xffff50e1, fromHex('0008000000000000000100000001')), DecodeError);
  });
});
