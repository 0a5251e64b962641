/** The parties of a recorded task, with the keys that they had. DAP §4.2 and §4.4.1. */
import {
  type AggregatorRole,
  type AggregatorTask,
  createTask,
  createTaskConfiguration,
  createTaskVdaf,
  type FindOpener,
  HpkeConfig,
  HpkeConfigList,
  type HpkeKey,
  importHpkeKey,
  inputShareInfo,
  isVersionTag,
  prepareOpener,
  ROLE_HELPER,
  ROLE_LEADER,
  type Task,
  TaskConfiguration,
  VERIFICATION_KEY_ID,
} from '@privacy-edge/dap';
import type { RecordedKey, Transcript } from './dap-transcript.ts';
import { expectBytes, expectSame, type Vector, VectorError } from './vector.ts';

/** An aggregator with what opens the shares for it. */
export interface Aggregator {
  readonly task: AggregatorTask;
  readonly key: HpkeKey;
  readonly findOpener: FindOpener;
}

/** Everybody. */
export interface Parties {
  readonly task: Task;
  readonly aggregators: readonly [leader: Aggregator, helper: Aggregator];
  readonly collectorKey: HpkeKey;
  /** After the times of all reports that are in order. */
  readonly now: Date;
}

/** How far clocks may be apart, seconds. */
const CLOCK_TOLERANCE_SECONDS = 300;

/** Makes the parties, and compares what is recorded of them twice. */
export async function createParties(transcript: Transcript): Promise<Parties> {
  const { versionTag, taskId, keys } = transcript;
  if (!isVersionTag(versionTag))
    throw new VectorError('UNREADABLE', `Cannot read vector: "${versionTag}" is no known version`);
  expectSame('identifier of the verification key', transcript.verificationKeyId, VERIFICATION_KEY_ID);
  const task = createTask(taskId, readConfiguration(transcript.configuration), versionTag);
  expectSame('length of the verification key', transcript.verifyKey.length, createTaskVdaf(task).verifyKeySize);
  const aggregator = async (role: AggregatorRole, recorded: RecordedKey): Promise<Aggregator> => {
    const key = await readKey(recorded);
    const opener = await prepareOpener(key, inputShareInfo(task.version, role));
    return {
      task: {
        ...task,
        role,
        vdaf: createTaskVdaf(task),
        verifyKey: transcript.verifyKey,
        clockToleranceSeconds: CLOCK_TOLERANCE_SECONDS,
        reportExtensions: new Set(),
      },
      key,
      findOpener: (id) => (id === key.config.id ? opener : undefined),
    };
  };
  return {
    task,
    aggregators: [await aggregator(ROLE_LEADER, keys.leader), await aggregator(ROLE_HELPER, keys.helper)],
    collectorKey: await readKey(keys.collector),
    now: afterReports(transcript, task),
  };
}

function afterReports({ reports }: Transcript, { configuration }: Task): Date {
  const times = reports.filter(({ fault }) => fault === undefined).map(({ time }) => time);
  return new Date(1000 * (Math.max(0, ...times) + 1) * configuration.timePrecision);
}

/** Reads the configuration's parameters, which have to encode to the recorded bytes. */
function readConfiguration(vector: Vector): TaskConfiguration {
  const encoded = vector.hex('encoded');
  const decoded = TaskConfiguration.decode(encoded);
  const written = createTaskConfiguration({
    taskInfo: vector.hex('task_info'),
    leaderAggregatorEndpoint: vector.text('leader'),
    helperAggregatorEndpoint: vector.text('helper'),
    timePrecision: vector.integer('time_precision'),
    minBatchSize: vector.integer('min_batch_size'),
    batchMode: vector.integer('batch_mode'),
    batchConfig: vector.has('batch_config') ? vector.hex('batch_config') : new Uint8Array(0),
    vdafType: vector.integer('vdaf_type'),
    vdafConfiguration: vector.hex('vdaf_configuration'),
    // They are the last of an encoded configuration, and are compared below.
    extensions: decoded.extensions,
  });
  expectBytes('task configuration', written.encoded, encoded);
  const extensions = vector.hex('extensions');
  vector.end();
  expectBytes('end of the task configuration', encoded.subarray(encoded.length - extensions.length), extensions);
  expectSame('task extensions are recorded', extensions.length > 0, decoded.extensions.length > 0);
  return decoded;
}

async function readKey(recorded: RecordedKey): Promise<HpkeKey> {
  const config = HpkeConfig.decode(recorded.config);
  const { id, kemId, kdfId, aeadId, publicKey } = recorded;
  expectBytes('HPKE configuration', HpkeConfig.encode({ id, kemId, kdfId, aeadId, publicKey }), recorded.config);
  expectBytes('list of HPKE configurations', HpkeConfigList.encode([config]), recorded.configList);
  return importHpkeKey(config, recorded.privateKey);
}
