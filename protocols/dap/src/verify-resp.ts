/** The helper's answers in an aggregation job. DAP §4.5.3.2. */
import { type Codec, DecodeError, type Reader } from '@privacy-edge/bytes';
import { codec, type Fields, readToEnd, writeEach } from './codec.ts';
import { REPORT_ID_BYTES, readNonEmpty, writeFixed, writeNonEmpty } from './field.ts';
import type { ReportError } from './report-error.ts';

/** The helper's answer about one report; `reportId` has 16 bytes. */
export type VerifyResp =
  /** Verification goes on, or ends on the leader's side, with a message of the VDAF's ping-pong topology. */
  | { readonly kind: 'continue'; readonly reportId: Uint8Array; readonly payload: Uint8Array }
  /** The helper has committed and has nothing more to say. */
  | { readonly kind: 'finish'; readonly reportId: Uint8Array }
  /** The helper will not aggregate it. */
  | { readonly kind: 'reject'; readonly reportId: Uint8Array; readonly reportError: ReportError };

const CONTINUE = 0x00;
const FINISH = 0x01;
const REJECT = 0x02;

const verifyRespFields: Fields<VerifyResp> = {
  read: (reader) => {
    const reportId = reader.bytes(REPORT_ID_BYTES);
    const read = READERS[reader.u8()];
    if (read === undefined) throw new DecodeError('INVALID', 'A verification answer has an unknown type');
    return read(reportId, reader);
  },
  write: (writer, answer) => {
    writeFixed(writer, answer.reportId, REPORT_ID_BYTES, 'report identifier');
    if (answer.kind === 'finish') writer.u8(FINISH);
    else if (answer.kind === 'reject') writer.u8(REJECT).u8(answer.reportError);
    else writeNonEmpty(writer.u8(CONTINUE), 4, answer.payload, 'verification message');
  },
};

/** By type, from 0. */
const READERS: readonly ((reportId: Uint8Array, reader: Reader) => VerifyResp)[] = [
  (reportId, reader) => ({ kind: 'continue', reportId, payload: readNonEmpty(reader, 4, 'verification message') }),
  (reportId) => ({ kind: 'finish', reportId }),
  (reportId, reader) => ({ kind: 'reject', reportId, reportError: reader.u8() }),
];

/**
 * struct { ReportID report_id; VerifyRespType verify_resp_type; select (VerifyResp.verify_resp_type) {
 *   case continue: opaque payload<1..2^32-1>;  case finish: Empty;  case reject: ReportError report_error; }; }
 *                                                                                                      DAP §4.5.3.2
 *
 * What is decoded shares memory with the input.
 */
export const VerifyResp: Codec<VerifyResp> = codec('verification answer', verifyRespFields);

/**
 * struct { VerifyResp verify_resps[message_length]; } AggregationJobResp, in the order of the request.  DAP §4.5.3.2
 *
 * What is decoded shares memory with the input.
 */
export const AggregationJobResp: Codec<readonly VerifyResp[]> = codec(
  'answer to an aggregation job',
  {
    read: (reader) => readToEnd(reader, verifyRespFields),
    write: (writer, answers) => writeEach(writer, verifyRespFields, answers),
  },
  'aggregation-job-resp',
);
