/** Encodings of other implementations, where a checkout has them beside it. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { type Codec, DecodeError, fromHex, Reader, toHex } from '@privacy-edge/bytes';
import {
  AggregateShare,
  AggregateShareReq,
  AggregationJobContinueReq,
  AggregationJobInitReq,
  AggregationJobResp,
  aggregateShareAad,
  BatchSelector,
  CollectionJobReq,
  CollectionJobResp,
  createTask,
  decodeVdafConfiguration,
  deriveVerifyKey,
  encodeVdafConfiguration,
  formatTaskprov,
  HpkeConfig,
  Interval,
  inputShareAad,
  PlaintextInputShare,
  parseTaskprov,
  Query,
  Report,
  ReportMetadata,
  ReportShare,
  TaskConfiguration,
  taskprovTaskId,
  taskprovVerifyKey,
  UploadErrors,
  UploadRequest,
  VerifyInit,
  VerifyResp,
} from '../src/index.ts';

const FILE = new URL('../../../../shared/vectors/dap/messages.json', import.meta.url);

interface Vector {
  readonly type: string;
  readonly value: unknown;
  readonly hex: string;
  readonly valid: boolean;
  readonly source: string;
}

const CODECS: ReadonlyMap<string, Codec<never>> = new Map(
  Object.entries({
    AggregateShare,
    AggregateShareReq,
    AggregationJobContinueReq,
    AggregationJobInitReq,
    AggregationJobResp,
    BatchSelector,
    CollectionJobReq,
    CollectionJobResp,
    HpkeConfig,
    PlaintextInputShare,
    Query,
    Report,
    ReportMetadata,
    ReportShare,
    TaskConfiguration,
    UploadErrors,
    UploadRequest,
    VerifyInit,
    VerifyResp,
  }) as unknown as [string, Codec<never>][],
);

/** The vectors' own names. */
const NAMES: Readonly<Record<string, string>> = {
  extension_type: 'type',
  extension_data: 'data',
  leader_aggregator_endpoint: 'leader',
  helper_aggregator_endpoint: 'helper',
  kind: 'type',
};

/** A decoded value as the vectors write it. */
function written(value: unknown): unknown {
  if (value instanceof Uint8Array) return toHex(value);
  if (Array.isArray(value)) return value.map(written);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value)
    .filter(([key]) => key !== 'encoded')
    .map(([key, item]) => {
      const name = key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      return [NAMES[name] ?? name, written(item)];
    });
  return withConfig(Object.fromEntries(entries));
}

/** Queries and selectors are written with what is in them. */
function withConfig(value: Record<string, unknown>): Record<string, unknown> {
  const { config, ...rest } = value;
  if (typeof config !== 'string') return value;
  if (rest['batch_mode'] === 1) return { ...rest, interval: Interval.decode(fromHex(config)) };
  return config === '' ? rest : { ...rest, batch_id: config };
}

function checkMessage({ type, value, hex, valid }: Vector): void {
  const codec = CODECS.get(type);
  assert.ok(codec !== undefined, `no codec for ${type}`);
  if (!valid) {
    assert.throws(() => codec.decode(fromHex(hex)), DecodeError);
    return;
  }
  const decoded = codec.decode(fromHex(hex));
  assert.equal(toHex(codec.encode(decoded)), hex);
  const expected = structuredClone(value) as Record<string, unknown>;
  if (type === 'AggregateShareReq') {
    const encoded = fromHex(expected['collection_job_req'] as string);
    expected['collection_job_req'] = written(CollectionJobReq.decode(encoded));
  }
  assert.deepEqual(written(decoded), expected);
}

type Fields = Readonly<Record<string, string>>;

const SPECIAL: Readonly<Record<string, (vector: Vector) => void>> = {
  // The messages of the VDAF's topology are opaque here.
  PingPongMessage: () => {},
  InputShareAad: ({ value, hex }) => {
    const { task_id, task_configuration, public_share, report_metadata } = value as Fields;
    const task = createTask(fromHex(task_id!), TaskConfiguration.decode(fromHex(task_configuration!)));
    const metadata = report_metadata as unknown as {
      report_id: string;
      time: number;
      public_extensions: { type: number; data: string }[];
    };
    const reportMetadata: ReportMetadata = {
      reportId: fromHex(metadata.report_id),
      time: metadata.time,
      publicExtensions: metadata.public_extensions.map(({ type, data }) => ({
        extensionType: type,
        extensionData: fromHex(data),
      })),
    };
    assert.equal(toHex(inputShareAad(task, reportMetadata, fromHex(public_share!))), hex);
  },
  AggregateShareAad: ({ value, hex }) => {
    const { task_id, task_configuration, collection_job_req } = value as Fields;
    const task = createTask(fromHex(task_id!), TaskConfiguration.decode(fromHex(task_configuration!)));
    assert.equal(toHex(aggregateShareAad(task, fromHex(collection_job_req!))), hex);
  },
  'VdafConfig(type||config)': ({ value, hex, valid }) => {
    const reader = new Reader(fromHex(hex), 'vector');
    const vdafType = reader.u32();
    const configuration = reader.vector(2);
    if (!valid) {
      assert.throws(() => decodeVdafConfiguration(vdafType, configuration), DecodeError);
      return;
    }
    const decoded = decodeVdafConfiguration(vdafType, configuration);
    assert.deepEqual(encodeVdafConfiguration(decoded), { vdafType, vdafConfiguration: configuration });
    const { type: _, ...parameters } = written(decoded) as Record<string, unknown>;
    assert.deepEqual({ vdaf_type: vdafType, ...parameters }, value);
  },
  Taskprov: ({ value }) => {
    const { header, task_configuration, task_id, verify_key_init, verify_key } = value as Fields;
    const configuration = parseTaskprov(header)!;
    assert.equal(toHex(configuration.encoded), task_configuration);
    assert.equal(formatTaskprov(configuration), header);
    const taskId = taskprovTaskId(configuration);
    assert.equal(toHex(taskId), task_id);
    assert.equal(toHex(taskprovVerifyKey(fromHex(verify_key_init!), taskId, 32)), verify_key);
  },
  VerifyKeyDerivation: ({ value }) => {
    const { verify_key_seed, task_id, verify_key_32 } = value as Fields;
    assert.equal(toHex(deriveVerifyKey(fromHex(verify_key_seed!), fromHex(task_id!), 32)), verify_key_32);
  },
};

if (existsSync(FILE)) {
  describe('messages.json', () => {
    for (const [i, vector] of (JSON.parse(readFileSync(FILE, 'utf8')) as Vector[]).entries()) {
      it(`${i}: ${vector.type}, ${vector.source}`, () => (SPECIAL[vector.type] ?? checkMessage)(vector));
    }
  });
}
