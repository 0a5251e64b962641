/** Reports. DAP §4.4.2. */
import type { Codec } from '@privacy-edge/bytes';
import { codec, type Fields, readToEnd, writeEach } from './codec.ts';
import { type HpkeCiphertext, hpkeCiphertextFields } from './hpke-ciphertext.ts';
import { type ReportMetadata, reportMetadataFields } from './report-metadata.ts';

/** A protected measurement, as a client uploads it. */
export interface Report {
  readonly reportMetadata: ReportMetadata;
  /** The VDAF's encoded public share; may be empty. */
  readonly publicShare: Uint8Array;
  readonly leaderEncryptedInputShare: HpkeCiphertext;
  readonly helperEncryptedInputShare: HpkeCiphertext;
}

const reportFields: Fields<Report> = {
  read: (reader) => ({
    reportMetadata: reportMetadataFields.read(reader),
    publicShare: reader.vector(4),
    leaderEncryptedInputShare: hpkeCiphertextFields.read(reader),
    helperEncryptedInputShare: hpkeCiphertextFields.read(reader),
  }),
  write: (writer, { reportMetadata, publicShare, leaderEncryptedInputShare, helperEncryptedInputShare }) => {
    reportMetadataFields.write(writer, reportMetadata);
    writer.vector(4, publicShare);
    hpkeCiphertextFields.write(writer, leaderEncryptedInputShare);
    hpkeCiphertextFields.write(writer, helperEncryptedInputShare);
  },
};

/**
 * struct { ReportMetadata report_metadata; opaque public_share<0..2^32-1>;
 *          HpkeCiphertext leader_encrypted_input_share; HpkeCiphertext helper_encrypted_input_share; } Report;
 *                                                                                                        DAP §4.4.2
 *
 * What is decoded shares memory with the input.
 */
export const Report: Codec<Report> = codec('report', reportFields);

/**
 * struct { Report reports[message_length]; } UploadRequest: reports back to back. `UploadReader` takes them as they
 * arrive.                                                                                                DAP §4.4.2
 *
 * What is decoded shares memory with the input.
 */
export const UploadRequest: Codec<readonly Report[]> = codec(
  'upload request',
  {
    read: (reader) => readToEnd(reader, reportFields),
    write: (writer, reports) => writeEach(writer, reportFields, reports),
  },
  'upload-req',
);

/** An aggregator's part of a report, still sealed. */
export interface ReportShare {
  readonly reportMetadata: ReportMetadata;
  /** The VDAF's encoded public share; may be empty. */
  readonly publicShare: Uint8Array;
  readonly encryptedInputShare: HpkeCiphertext;
}

/** How a {@link ReportShare} stands inside of other messages. */
export const reportShareFields: Fields<ReportShare> = {
  read: (reader) => ({
    reportMetadata: reportMetadataFields.read(reader),
    publicShare: reader.vector(4),
    encryptedInputShare: hpkeCiphertextFields.read(reader),
  }),
  write: (writer, { reportMetadata, publicShare, encryptedInputShare }) => {
    reportMetadataFields.write(writer, reportMetadata);
    writer.vector(4, publicShare);
    hpkeCiphertextFields.write(writer, encryptedInputShare);
  },
};

/**
 * struct { ReportMetadata report_metadata; opaque public_share<0..2^32-1>; HpkeCiphertext encrypted_input_share; }
 *                                                                                                      DAP §4.5.3.1
 *
 * What is decoded shares memory with the input.
 */
export const ReportShare: Codec<ReportShare> = codec('report share', reportShareFields);

/** The leader's part of a report. */
export function leaderShareOf(report: Report): ReportShare {
  const { reportMetadata, publicShare, leaderEncryptedInputShare } = report;
  return { reportMetadata, publicShare, encryptedInputShare: leaderEncryptedInputShare };
}

/** The helper's part of a report, which the leader passes on and cannot open. */
export function helperShareOf(report: Report): ReportShare {
  const { reportMetadata, publicShare, helperEncryptedInputShare } = report;
  return { reportMetadata, publicShare, encryptedInputShare: helperEncryptedInputShare };
}
