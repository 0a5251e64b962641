/** Messages of aggregation jobs from the leader. DAP §4.5.3.1 and §4.5.4.1. */
import type { Codec } from '@privacy-edge/bytes';
import { codec, type Fields, readToEnd, writeEach } from './codec.ts';
import { type Extension, extensionsFields } from './extension.ts';
import { REPORT_ID_BYTES, readNonEmpty, writeFixed, writeNonEmpty } from './field.ts';
import { type ReportShare, reportShareFields } from './report.ts';

/** A report for the helper, with the leader's first message about it. */
export interface VerifyInit {
  readonly reportShare: ReportShare;
  /** Message of the VDAF's ping-pong topology. */
  readonly payload: Uint8Array;
}

const verifyInitFields: Fields<VerifyInit> = {
  read: (reader) => ({
    reportShare: reportShareFields.read(reader),
    payload: readNonEmpty(reader, 4, 'verification message'),
  }),
  write: (writer, { reportShare, payload }) => {
    reportShareFields.write(writer, reportShare);
    writeNonEmpty(writer, 4, payload, 'verification message');
  },
};

/**
 * struct { ReportShare report_share; opaque payload<1..2^32-1>; } VerifyInit;                          DAP §4.5.3.1
 *
 * What is decoded shares memory with the input.
 */
export const VerifyInit: Codec<VerifyInit> = codec('verification start', verifyInitFields);

/** Starts an aggregation job. */
export interface AggregationJobInitReq {
  /** Which verification key the leader uses: 8 bits. */
  readonly verificationKeyId: number;
  /** Encoded for the VDAF; empty for Prio3. */
  readonly aggParam: Uint8Array;
  /** Aggregation job extensions; their order has not been checked. */
  readonly extensions: readonly Extension[];
  readonly verifyInits: readonly VerifyInit[];
}

/**
 * struct { uint8 verification_key_id; opaque agg_param<0..2^32-1>; AggregationJobExtension extensions<0..2^16-1>;
 *          VerifyInit verify_inits[verify_inits_length]; } AggregationJobInitReq;                      DAP §4.5.3.1
 *
 * What is decoded shares memory with the input.
 */
export const AggregationJobInitReq: Codec<AggregationJobInitReq> = codec(
  'start of an aggregation job',
  {
    read: (reader) => ({
      verificationKeyId: reader.u8(),
      aggParam: reader.vector(4),
      extensions: extensionsFields.read(reader),
      verifyInits: readToEnd(reader, verifyInitFields),
    }),
    write: (writer, { verificationKeyId, aggParam, extensions, verifyInits }) => {
      writer.u8(verificationKeyId).vector(4, aggParam);
      extensionsFields.write(writer, extensions);
      writeEach(writer, verifyInitFields, verifyInits);
    },
  },
  'aggregation-job-init-req',
);

/** The leader's next message about one report. */
export interface VerifyContinue {
  /** 16 bytes. */
  readonly reportId: Uint8Array;
  /** Message of the VDAF's ping-pong topology. */
  readonly payload: Uint8Array;
}

const verifyContinueFields: Fields<VerifyContinue> = {
  read: (reader) => ({
    reportId: reader.bytes(REPORT_ID_BYTES),
    payload: readNonEmpty(reader, 4, 'verification message'),
  }),
  write: (writer, { reportId, payload }) => {
    writeFixed(writer, reportId, REPORT_ID_BYTES, 'report identifier');
    writeNonEmpty(writer, 4, payload, 'verification message');
  },
};

/** Takes an aggregation job one step further. */
export interface AggregationJobContinueReq {
  /** The step to advance to, from 1: 16 bits. */
  readonly step: number;
  readonly verifyContinues: readonly VerifyContinue[];
}

/**
 * struct { uint16 step; VerifyContinue verify_continues[verify_continues_length]; } AggregationJobContinueReq;
 *                                                                                                      DAP §4.5.4.1
 *
 * What is decoded shares memory with the input.
 */
export const AggregationJobContinueReq: Codec<AggregationJobContinueReq> = codec(
  'continuation of an aggregation job',
  {
    read: (reader) => ({ step: reader.u16(), verifyContinues: readToEnd(reader, verifyContinueFields) }),
    write: (writer, { step, verifyContinues }) => {
      writer.u16(step);
      writeEach(writer, verifyContinueFields, verifyContinues);
    },
  },
  'aggregation-job-continue-req',
);
