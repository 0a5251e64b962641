/**
 * What a store keeps for an aggregator: one interface for each table. Every field is bytes, a number, a string, a Date or a
 * flag; bytes that the store need not look into are encoded by the roles, so that no engine knows a message of the protocol.
 *
 * Numbers are integers from 0 to 2^53 - 1. Dates have whole milliseconds. Identifiers are compared byte by byte.
 */
import type { Bucket, BucketRange, Interval, ProblemCode, TaskRecord } from '@privacy-edge/dap';

/** Who may ask for what in a task. Tokens of others are known by their hash only. */
export interface TaskAccess {
  /** What a leader shows to the helper in `Authorization`, such as `Bearer …`. Secret. */
  readonly peerAuthorization: string | undefined;
  /** SHA-256 of the bearer tokens that the peer aggregator may show, 32 bytes each. */
  readonly peerTokenHashes: readonly Uint8Array[];
  /** SHA-256 of the bearer tokens that the collector may show, 32 bytes each. */
  readonly collectorTokenHashes: readonly Uint8Array[];
  /** Names that the peer aggregator may be authenticated by in TLS. */
  readonly peerNames: readonly string[];
  /** Names that the collector may be authenticated by in TLS. */
  readonly collectorNames: readonly string[];
}

/** A task. Key: `task.taskId`. Nothing but `rememberedSince` ever changes. */
export interface TaskRow {
  readonly task: TaskRecord;
  readonly access: TaskAccess;
  /** Helper: whether aggregation jobs are worked on while the leader waits, or afterwards by a driver. */
  readonly processing: 'synchronous' | 'asynchronous';
  /** It came with a request and was not provisioned by the operator. */
  readonly isAdvertised: boolean;
  /** Reports of an earlier time may have been forgotten, in units of the task's time precision. 0 to begin with. */
  readonly rememberedSince: number;
  readonly createdAt: Date;
}

/** Key of an aggregator for input shares. Key: `configId`. */
export interface HpkeKeyRow {
  /** 0 to 255. */
  readonly configId: number;
  /** Encoded `HpkeConfig`. */
  readonly config: Uint8Array;
  /** Serialised for its KEM; secret. */
  readonly privateKey: Uint8Array;
  /** `pending`: not published, but usable. `active`: published. `expired`: only for reports on their way. */
  readonly state: HpkeKeyState;
  /** When it came into this state. */
  readonly since: Date;
}

/** Where a key stands. */
export type HpkeKeyState = 'pending' | 'active' | 'expired';

/** A report as it is uploaded. Key: `reportId` in the task, also after the body is gone. */
export interface NewReport {
  /** 16 bytes. */
  readonly reportId: Uint8Array;
  /** In units of the task's time precision. */
  readonly time: number;
  /** Encoded `Report`. */
  readonly report: Uint8Array;
}

/** A report that waits for an aggregation job. */
export interface WaitingReport {
  readonly reportId: Uint8Array;
  readonly time: number;
  readonly uploadedAt: Date;
}

/** A report with its body. */
export interface ReportRow extends NewReport {
  /** Jobs with it that were abandoned. 0 to begin with. */
  readonly attempts: number;
}

/** Buckets of a batch, and what they say about the times of its reports. */
export interface BatchKeys extends BucketRange {
  /** First and last time, both included, in units of the time precision. Undefined for a batch of the leader's choice. */
  readonly times: { readonly first: number; readonly last: number } | undefined;
}

/** A part of a bucket. Key: `part`. Parts are only added, or replaced by their sum. */
export interface BucketPart extends Bucket {
  /** Given by the store, never given again in the same task. */
  readonly part: number;
}

/** That a batch was collected with a parameter, in the order in which it happened. */
export interface CollectedRow extends BucketRange {
  /** Encoded. */
  readonly aggregationParameter: Uint8Array;
}

/** A batch of the leader's choice. Key: `batchId` in the task. */
export interface SelectedBatchRow {
  /** 32 bytes. */
  readonly batchId: Uint8Array;
  /** Encoded. */
  readonly aggregationParameter: Uint8Array;
  /** Reports in it that were aggregated or may still be. */
  readonly assigned: number;
}

/** An aggregation job of the leader. Key: `taskId` and `jobId`. */
export interface LeaderJobRow {
  readonly taskId: Uint8Array;
  /** 16 bytes, chosen by the leader; the helper has another for it. */
  readonly jobId: Uint8Array;
  /** Encoded. */
  readonly aggregationParameter: Uint8Array;
  /** In the leader-selected mode only: 32 bytes. */
  readonly batchId: Uint8Array | undefined;
  /** In the order of the first request; at least one. */
  readonly reportIds: readonly Uint8Array[];
  /** Encoded by the leader; holds secret shares. Undefined until the first request is made. */
  readonly progress: Uint8Array | undefined;
  /** Where the helper has it. Undefined until it has answered. */
  readonly location: string | undefined;
}

/** An aggregation job of the helper. Key: `taskId` and `jobId`. */
export interface HelperJobRow {
  readonly taskId: Uint8Array;
  /** Derived from the first request. */
  readonly jobId: Uint8Array;
  /** Encoded. */
  readonly aggregationParameter: Uint8Array;
  /** In the leader-selected mode only: 32 bytes. */
  readonly batchId: Uint8Array | undefined;
  /** The step that was asked for last: 0 for the start. */
  readonly step: number;
  /** Of the request for that step, 32 bytes. */
  readonly requestDigest: Uint8Array;
  /** That request, while it is `processing`. */
  readonly request: Uint8Array | undefined;
  /** The answer to it, when it is `ready`. */
  readonly response: Uint8Array | undefined;
  /** Encoded by the helper: reports that wait, as they were before a request that is `processing`; holds secret shares. */
  readonly pending: Uint8Array;
  /** A `deleted` job has neither request, response nor pending reports; its reports stay remembered. */
  readonly state: 'processing' | 'ready' | 'deleted';
}

/** What a leader has done for a collection job before it asks the helper. Made once: the share has noise in it. */
export interface LeaderShare {
  /** Encoded `AggregateShareReq`: a retry sends the same. */
  readonly aggregateShareReq: Uint8Array;
  /** Encoded `HpkeCiphertext`. */
  readonly sealedShare: Uint8Array;
  readonly reportCount: number;
  readonly interval: Interval;
}

/** A collection job of the leader. Key: `taskId` and `jobId`. */
export interface CollectionJobRow {
  readonly taskId: Uint8Array;
  /** Derived from the request and the generation. */
  readonly jobId: Uint8Array;
  /** 32 bytes. */
  readonly requestDigest: Uint8Array;
  /** Jobs with the same request that were deleted before. */
  readonly generation: number;
  /** Encoded `CollectionJobReq`, as it came. */
  readonly request: Uint8Array;
  /** Encoded. */
  readonly aggregationParameter: Uint8Array;
  /** Undefined while the leader has not chosen a batch. */
  readonly keys: BatchKeys | undefined;
  readonly share: LeaderShare | undefined;
  /** Where the helper has its share, if it deferred its answer. */
  readonly location: string | undefined;
  /** Encoded `CollectionJobResp`, when it is `ready`. */
  readonly response: Uint8Array | undefined;
  /** When it `failed`. */
  readonly problem: ProblemCode | undefined;
  readonly state: 'waiting' | 'ready' | 'failed' | 'deleted';
  readonly createdAt: Date;
}

/** An aggregate share that the helper has released. Key: `taskId` and `shareId`. */
export interface AggregateShareRow {
  readonly taskId: Uint8Array;
  /** Derived from the request. */
  readonly shareId: Uint8Array;
  /** 32 bytes. */
  readonly requestDigest: Uint8Array;
  /** Encoded `AggregateShare` with its noise; undefined once it is deleted. */
  readonly response: Uint8Array | undefined;
}

/** What is counted for each task; a closed set. */
export type CounterName =
  | 'uploaded'
  | 'upload_duplicate'
  | 'aggregated'
  | 'collected'
  | 'job_abandoned'
  | `upload_${ReportErrorName}`
  | `aggregation_${ReportErrorName}`;

/** Names of report errors, as `reportErrorName` gives them. */
export type ReportErrorName =
  | 'batch_collected'
  | 'report_replayed'
  | 'report_dropped'
  | 'hpke_unknown_config_id'
  | 'hpke_decrypt_error'
  | 'vdaf_verify_error'
  | 'task_expired'
  | 'invalid_message'
  | 'report_too_early'
  | 'task_not_started'
  | 'outdated_config'
  | 'other';

/** How much is added to each counter. Absent ones stay. */
export type Counters = Readonly<Partial<Record<CounterName, number>>>;

/** Reports of a task by state. Only a leader has any. */
export interface ReportCounts {
  readonly waiting: number;
  readonly assigned: number;
  readonly aggregated: number;
  readonly rejected: number;
}
