/**
 * What aggregators and collectors keep between two steps: the shapes, with which a storage is designed. Bytes are encoded
 * messages or what the VDAF encoded; nothing here needs this package to be read again, and every field is a column.
 *
 * Three records outlive everything that refers to them, also deletion by a peer: {@link AggregatedReport},
 * {@link CollectedBatchRecord} and {@link Bucket}. Without them a report could be counted twice.
 */
import type { Batch } from './batch.ts';
import type { Bucket } from './bucket.ts';
import type { CollectedBatch } from './commitment.ts';
import type { ProblemCode } from './dap-error.ts';
import type { HelperJob } from './helper-job.ts';
import type { LeaderJob } from './leader-job.ts';
import type { AggregatorRole } from './registry.ts';
import type { ReportError } from './report-error.ts';
import type { VersionTag } from './version.ts';

/** A task of an aggregator. Immutable. */
export interface TaskRecord {
  /** 32 bytes. */
  readonly taskId: Uint8Array;
  readonly version: VersionTag;
  readonly role: AggregatorRole;
  /** Encoded `TaskConfiguration`, verbatim. */
  readonly configuration: Uint8Array;
  /** Secret of both aggregators. */
  readonly verifyKey: Uint8Array;
  /** Encoded `HpkeConfig` of the collector. */
  readonly collectorConfig: Uint8Array;
  readonly clockToleranceSeconds: number;
}

/** A key of an aggregator, or of a collector. */
export interface HpkeKeyRecord {
  /** Encoded `HpkeConfig`. */
  readonly config: Uint8Array;
  /** Serialised for its KEM; secret. */
  readonly privateKey: Uint8Array;
  /** `pending`: not published by every instance yet. `active`: published. `expired`: only for reports on their way. */
  readonly state: 'pending' | 'active' | 'expired';
  /** When it came into this state. */
  readonly since: Date;
}

/** A report that was uploaded to the leader. */
export interface ReportRecord {
  readonly taskId: Uint8Array;
  /** 16 bytes; unique in the task. */
  readonly reportId: Uint8Array;
  /** In units of the task's time precision. */
  readonly time: number;
  /** Encoded `Report`; gone once the report needs no further job. */
  readonly report: Uint8Array | undefined;
  /** `waiting` for a job, `assigned` to one, `aggregated`, or `rejected` for good. */
  readonly state: 'waiting' | 'assigned' | 'aggregated' | 'rejected';
  readonly error?: ReportError;
}

/** That a report was committed to. Written in the transaction that merges the bucket update; never deleted with a job. */
export interface AggregatedReport {
  readonly taskId: Uint8Array;
  /** 16 bytes; unique in the task together with the parameter. */
  readonly reportId: Uint8Array;
  /** Empty where a task allows one collection only; otherwise the encoded parameter. */
  readonly aggregationParameter: Uint8Array;
  /** For forgetting the oldest; a report of a time that was forgotten is a `REPORT_DROPPED`. */
  readonly time: number;
}

/** An aggregation job of the leader. */
export interface LeaderJobRecord extends LeaderJob {
  readonly taskId: Uint8Array;
  /** The leader's own. */
  readonly jobId: Uint8Array;
  /** In the leader-selected mode only: 32 bytes. */
  readonly batchId: Uint8Array | undefined;
  /** Where the helper has it: the `Location` of the first answer, opaque. */
  readonly location?: string;
  readonly state: 'active' | 'finished' | 'abandoned';
}

/** An aggregation job of the helper. */
export interface HelperJobRecord extends HelperJob {
  readonly taskId: Uint8Array;
  /** From `resourceId`. */
  readonly jobId: Uint8Array;
  /** `processing`: the answer to the last request is not there yet. */
  readonly state: 'processing' | 'ready' | 'deleted';
}

/** A part of a batch bucket: parts of the same bucket and parameter are merged when they are read. */
export interface BucketRecord extends Bucket {
  readonly taskId: Uint8Array;
  /** Which part. */
  readonly part: number;
}

/** A batch of the leader's choice. */
export interface SelectedBatchRecord {
  readonly taskId: Uint8Array;
  /** 32 bytes; unique in the task. */
  readonly batchId: Uint8Array;
  /** Reports that were put into it, verified or not. */
  readonly assigned: number;
  /** `filling`, `full`, or tied to a collection job. */
  readonly state: 'filling' | 'full' | 'collected';
}

/** That a batch was collected. Never deleted with its job. */
export interface CollectedBatchRecord extends CollectedBatch {
  readonly taskId: Uint8Array;
}

/** A collection job of the leader. */
export interface CollectionJobRecord {
  readonly taskId: Uint8Array;
  /** From `resourceId`. */
  readonly jobId: Uint8Array;
  /** Encoded `CollectionJobReq`, as it came. */
  readonly request: Uint8Array;
  /** Undefined while the leader has not chosen one. */
  readonly batch: Batch | undefined;
  /** Encoded `AggregateShareReq`, once it was sent: a retry sends the same. */
  readonly aggregateShareReq: Uint8Array | undefined;
  /** The leader's own share with its noise, sealed: encoded `HpkeCiphertext`. Made once. */
  readonly sealedShare: Uint8Array | undefined;
  /** Encoded `CollectionJobResp`. */
  readonly response: Uint8Array | undefined;
  readonly state: 'waiting' | 'ready' | 'failed' | 'deleted';
  /** Why it failed. */
  readonly problem?: ProblemCode;
}

/** An aggregate share that the helper has released. */
export interface AggregateShareRecord {
  readonly taskId: Uint8Array;
  /** From `resourceId`. */
  readonly shareId: Uint8Array;
  /** `requestDigest` of the request. */
  readonly requestDigest: Uint8Array;
  readonly batch: Batch;
  /** Encoded `AggregateShare`, with its noise. Made once. */
  readonly response: Uint8Array | undefined;
  readonly state: 'waiting' | 'ready' | 'failed' | 'deleted';
  /** Why it failed. */
  readonly problem?: ProblemCode;
}
