/** Vectors of what DAP derives and never decodes. DAP §4.4.2.1, §4.6.7 and §8.6.2; Taskprov §3. */
import {
  aggregateShareAad,
  createTask,
  deriveVerifyKey,
  formatTaskprov,
  inputShareAad,
  parseTaskprov,
  ReportMetadata,
  type Task,
  TaskConfiguration,
  taskprovTaskId,
  taskprovVerifyKey,
} from '@privacy-edge/dap';
import { expectBytes, expectSame, type Vector, VectorError } from './vector.ts';

/** Checks by the name of the type: each gets the whole vector and what its value is. */
const CHECKS: ReadonlyMap<string, (value: Vector, vector: Vector) => void> = new Map([
  ['InputShareAad', checkInputShareAad],
  ['AggregateShareAad', checkAggregateShareAad],
  ['Taskprov', checkTaskprov],
  ['VerifyKeyDerivation', checkVerifyKey],
]);

/** Whether a type is derived. */
export function isDerivation(type: string): boolean {
  return CHECKS.has(type);
}

/** Checks what is derived from a vector's value. */
export function checkDerivation(vector: Vector): void {
  const value = vector.vector('value');
  CHECKS.get(vector.text('type'))?.(value, vector);
  value.end();
  vector.end('source', 'note', 'name');
}

function checkInputShareAad(value: Vector, vector: Vector): void {
  const metadata = readMetadata(value.vector('report_metadata'));
  expectAad(vector, inputShareAad(readTask(value), metadata, value.hex('public_share')));
}

function checkAggregateShareAad(value: Vector, vector: Vector): void {
  expectAad(vector, aggregateShareAad(readTask(value), value.hex('collection_job_req')));
}

function expectAad(vector: Vector, aad: Uint8Array): void {
  expectSame('validity', vector.boolean('valid'), true);
  expectBytes('additional data', aad, vector.hex('hex'));
}

function readTask(value: Vector): Task {
  const configuration = TaskConfiguration.decode(value.hex('task_configuration'));
  return createTask(value.hex('task_id'), configuration);
}

function readMetadata(value: Vector): ReportMetadata {
  const metadata = {
    reportId: value.hex('report_id'),
    time: value.integer('time'),
    publicExtensions: value.vectors('public_extensions').map((extension) => ({
      extensionType: extension.integer('type'),
      extensionData: extension.hex('data'),
    })),
  };
  value.end();
  return ReportMetadata.decode(ReportMetadata.encode(metadata));
}

function checkTaskprov(value: Vector): void {
  const configuration = parseTaskprov(value.text('header'));
  if (configuration === undefined) throw new VectorError('MISMATCH', 'the field value is no task configuration');
  expectBytes('task configuration', configuration.encoded, value.hex('task_configuration'));
  expectSame('field value', formatTaskprov(configuration), value.text('header'));
  const taskId = taskprovTaskId(configuration);
  expectBytes('task identifier', taskId, value.hex('task_id'));
  const key = value.hex('verify_key');
  expectBytes('verification key', taskprovVerifyKey(value.hex('verify_key_init'), taskId, key.length), key);
}

/** The length of the key is the last part of its name. */
function checkVerifyKey(value: Vector): void {
  const name = value.names().find((one) => /^verify_key_\d+$/.test(one)) ?? 'verify_key_32';
  const length = Number(name.slice('verify_key_'.length));
  const key = deriveVerifyKey(value.hex('verify_key_seed'), value.hex('task_id'), length);
  expectBytes('verification key', key, value.hex(name));
}
