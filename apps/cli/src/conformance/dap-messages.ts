/** Vectors of single DAP messages and derivations. DAP §4; Taskprov §2. */
import { type Codec, concatBytes, DecodeError } from '@privacy-edge/bytes';
import {
  AggregateShare,
  AggregateShareReq,
  AggregationJobContinueReq,
  AggregationJobInitReq,
  AggregationJobResp,
  BatchSelector,
  CollectionJobReq,
  CollectionJobResp,
  HpkeConfig,
  HpkeConfigList,
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
} from '@privacy-edge/dap';
import { checkDerivation, isDerivation } from './dap-derivations.ts';
import { pingPongMessage, vdafConfig, writeAggregateShareReq, writeVdafConfig } from './dap-other-types.ts';
import { inOrder, written } from './dap-written.ts';
import { SAME, type Verdict } from './kind.ts';
import { expectBytes, expectFailure, expectSame, type Vector, VectorError } from './vector.ts';

/** A type of message, whatever is in it. */
interface MessageType {
  /** Decodes, and says what came of it. */
  open(bytes: Uint8Array): { readonly value: unknown; readonly encoded: Uint8Array };
}

/** What is encoded and written is what the same codec decoded. */
function typed<T>(codec: Codec<T>, write: (value: T) => unknown = written): MessageType {
  return {
    open(bytes) {
      const value = codec.decode(bytes);
      return { value: write(value), encoded: codec.encode(value) };
    },
  };
}

const TYPES: ReadonlyMap<string, MessageType> = new Map([
  ['AggregateShare', typed(AggregateShare)],
  ['AggregateShareReq', typed(AggregateShareReq, writeAggregateShareReq)],
  ['AggregationJobContinueReq', typed(AggregationJobContinueReq)],
  ['AggregationJobInitReq', typed(AggregationJobInitReq)],
  ['AggregationJobResp', typed(AggregationJobResp)],
  ['BatchSelector', typed(BatchSelector)],
  ['CollectionJobReq', typed(CollectionJobReq)],
  ['CollectionJobResp', typed(CollectionJobResp)],
  ['HpkeConfig', typed(HpkeConfig)],
  ['HpkeConfigList', typed(HpkeConfigList)],
  ['PingPongMessage', typed(pingPongMessage)],
  ['PlaintextInputShare', typed(PlaintextInputShare)],
  ['Query', typed(Query)],
  ['Report', typed(Report)],
  ['ReportMetadata', typed(ReportMetadata)],
  ['ReportShare', typed(ReportShare)],
  ['TaskConfiguration', typed(TaskConfiguration)],
  ['UploadErrors', typed(UploadErrors)],
  ['UploadRequest', typed(UploadRequest)],
  ['VdafConfig(type||config)', typed(vdafConfig, writeVdafConfig)],
  ['VerifyInit', typed(VerifyInit)],
  ['VerifyResp', typed(VerifyResp)],
]);

/** Checks one message, decoded and encoded again or refused, or one derivation. */
export async function checkMessage(vector: Vector): Promise<Verdict> {
  const name = vector.text('type');
  if (isDerivation(name)) {
    checkDerivation(vector);
    return SAME;
  }
  const type = TYPES.get(name);
  if (type === undefined) throw new VectorError('UNREADABLE', `Cannot read vector: "${name}" is no known type`);
  const bytes = vector.hex('hex');
  const [value, isValid] = [vector.json('value'), vector.boolean('valid')];
  vector.end('source', 'note', 'name');
  if (isValid) await checkValid(type, bytes, value);
  else await checkRefused('the message', type, bytes);
  return SAME;
}

async function checkValid(type: MessageType, bytes: Uint8Array, expected: unknown): Promise<void> {
  const { value, encoded } = type.open(bytes);
  expectSame('decoded message', inOrder(value), inOrder(expected));
  expectBytes('message encoded again', encoded, bytes);
  // No message is the beginning of another one of its type that is a byte longer.
  await checkRefused('the message and a byte', type, concatBytes(bytes, Uint8Array.of(0)));
  if (bytes.length > 0) await checkRefused('the message without its last byte', type, bytes.subarray(0, -1));
}

async function checkRefused(what: string, type: MessageType, bytes: Uint8Array): Promise<void> {
  await expectFailure(
    what,
    () => type.open(bytes),
    (error) => error instanceof DecodeError,
  );
}
