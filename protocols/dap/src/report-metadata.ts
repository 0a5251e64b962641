/** What everybody may know about a report. DAP §4.4.2. */
import type { Codec } from '@privacy-edge/bytes';
import { codec, type Fields } from './codec.ts';
import { type Extension, extensionsFields } from './extension.ts';
import { REPORT_ID_BYTES, writeFixed } from './field.ts';

/** Public metadata, chosen by the client. */
export interface ReportMetadata {
  /** 16 random bytes; also the VDAF's nonce. */
  readonly reportId: Uint8Array;
  /** When it was made, in units of the task's time precision since the epoch. */
  readonly time: number;
  /** Extensions for both aggregators; their order has not been checked. */
  readonly publicExtensions: readonly Extension[];
}

/** How {@link ReportMetadata} stands inside of other messages. */
export const reportMetadataFields: Fields<ReportMetadata> = {
  read: (reader) => ({
    reportId: reader.bytes(REPORT_ID_BYTES),
    time: reader.u64(),
    publicExtensions: extensionsFields.read(reader),
  }),
  write: (writer, { reportId, time, publicExtensions }) => {
    writeFixed(writer, reportId, REPORT_ID_BYTES, 'report identifier');
    writer.u64(time);
    extensionsFields.write(writer, publicExtensions);
  },
};

/**
 * struct { ReportID report_id; Time time; Extension public_extensions<0..2^16-1>; } ReportMetadata;      DAP §4.4.2
 *
 * What is decoded shares memory with the input.
 */
export const ReportMetadata: Codec<ReportMetadata> = codec('report metadata', reportMetadataFields);
