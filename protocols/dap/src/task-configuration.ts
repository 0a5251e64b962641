/** Task configurations. DAP §4.2. */
import { type Codec, DecodeError, latin1, Reader, Writer } from '@privacy-edge/bytes';
import { type Extension, extensionsFields, isSorted } from './extension.ts';
import { readNonEmpty } from './field.ts';

/** What all parties of a task agree on. */
export interface TaskParameters {
  /** Tells apart tasks that are otherwise alike; opaque. Empty is allowed, as from dap-19 on. */
  readonly taskInfo: Uint8Array;
  /** URL that the leader's resources are relative to: the very bytes that were agreed on, as ASCII text. */
  readonly leaderAggregatorEndpoint: string;
  /** The same for the helper. */
  readonly helperAggregatorEndpoint: string;
  /** Unit of all times of the task, seconds. */
  readonly timePrecision: number;
  /** No batch of fewer reports is collected. */
  readonly minBatchSize: number;
  /** 8 bits. */
  readonly batchMode: number;
  /** Parameters of the batch mode; empty for the two modes there are. */
  readonly batchConfig: Uint8Array;
  /** 32 bits. */
  readonly vdafType: number;
  /** Parameters of the VDAF; see `decodeVdafConfiguration`. */
  readonly vdafConfiguration: Uint8Array;
  /** In strictly increasing order of their types. */
  readonly extensions: readonly Extension[];
}

/** A task configuration together with its bytes, which every sealed share is bound to. */
export interface TaskConfiguration extends TaskParameters {
  /** As received, or as written once; whoever passes it on passes on these bytes. */
  readonly encoded: Uint8Array;
}

/**
 * struct {
 *   opaque task_info<1..2^8-1>;  Url leader_aggregator_endpoint;  Url helper_aggregator_endpoint;
 *   TimePrecision time_precision;  uint64 min_batch_size;  BatchMode batch_mode;  opaque batch_config<0..2^16-1>;
 *   VdafType vdaf_type;  opaque vdaf_configuration<0..2^16-1>;  TaskExtension extensions<0..2^16-1>;
 * } TaskConfiguration;                                                                                     DAP §4.2
 *
 * What is decoded has a copy of the bytes of its own.
 */
export const TaskConfiguration: Codec<TaskConfiguration> = {
  encode: ({ encoded }) => encoded.slice(),
  decode: (bytes) => {
    const encoded = bytes.slice();
    const reader = new Reader(encoded, 'task configuration');
    const parameters = readParameters(reader);
    reader.end();
    return { ...parameters, encoded };
  },
};

/**
 * Writes a task configuration for the first time.
 *
 * @param parameters - URLs as they will be used; they are never normalised
 * @throws {RangeError} for a number or length that does not fit, a URL that is empty or not ASCII, extensions out of order
 * @see DAP §4.2
 */
export function createTaskConfiguration(parameters: TaskParameters): TaskConfiguration {
  if (!isSorted(parameters.extensions)) throw new RangeError('Task extensions are in increasing order of their types');
  const writer = new Writer(128);
  writer.vector(1, parameters.taskInfo);
  writeUrl(writer, parameters.leaderAggregatorEndpoint);
  writeUrl(writer, parameters.helperAggregatorEndpoint);
  writer.u64(parameters.timePrecision).u64(parameters.minBatchSize).u8(parameters.batchMode);
  writer.vector(2, parameters.batchConfig).u32(parameters.vdafType).vector(2, parameters.vdafConfiguration);
  extensionsFields.write(writer, parameters.extensions);
  return TaskConfiguration.decode(writer.finish());
}

function readParameters(reader: Reader): TaskParameters {
  const parameters = {
    taskInfo: reader.vector(1),
    leaderAggregatorEndpoint: readUrl(reader),
    helperAggregatorEndpoint: readUrl(reader),
    timePrecision: reader.u64(),
    minBatchSize: reader.u64(),
    batchMode: reader.u8(),
    batchConfig: reader.vector(2),
    vdafType: reader.u32(),
    vdafConfiguration: reader.vector(2),
    extensions: extensionsFields.read(reader),
  };
  if (!isSorted(parameters.extensions)) throw new DecodeError('INVALID', 'The task extensions are out of order');
  return parameters;
}

function readUrl(reader: Reader): string {
  const bytes = readNonEmpty(reader, 2, 'URL');
  if (bytes.some((byte) => byte > 0x7f)) throw new DecodeError('INVALID', 'A URL is not ASCII');
  return latin1(bytes);
}

function writeUrl(writer: Writer, url: string): void {
  if (!/^[\0-\x7f]+$/.test(url)) throw new RangeError('A URL is ASCII and not empty');
  writer.u16(url.length).latin1(url);
}
