/** Which reports of an upload were not taken. DAP §4.4.2.2. */
import type { Codec } from '@privacy-edge/bytes';
import { codec, type Fields, readToEnd, writeEach } from './codec.ts';
import { REPORT_ID_BYTES, writeFixed } from './field.ts';
import type { ReportError } from './report-error.ts';

/** One report that was not taken. */
export interface ReportUploadStatus {
  /** 16 bytes. */
  readonly id: Uint8Array;
  readonly error: ReportError;
}

const statusFields: Fields<ReportUploadStatus> = {
  read: (reader) => ({ id: reader.bytes(REPORT_ID_BYTES), error: reader.u8() }),
  write: (writer, { id, error }) => {
    writeFixed(writer, id, REPORT_ID_BYTES, 'report identifier');
    writer.u8(error);
  },
};

/**
 * struct { ReportUploadStatus status[message_length]; } UploadErrors: failures only, in the order of the request.
 *                                                                                                      DAP §4.4.2.2
 *
 * What is decoded shares memory with the input.
 */
export const UploadErrors: Codec<readonly ReportUploadStatus[]> = codec(
  'list of upload errors',
  {
    read: (reader) => readToEnd(reader, statusFields),
    write: (writer, statuses) => writeEach(writer, statusFields, statuses),
  },
  'upload-errors',
);
