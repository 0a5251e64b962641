/**
 * The storage port of an aggregator.
 *
 * Atomicity. Every method is one transaction: all of it happens or, when the method rejects, nothing does. Transactions of
 * all instances over the same data have the effect of running one after another (serializable). Nobody calls anything
 * between `begin` and `commit`: no method takes a callback, so transactions are short, and locks never wait for a peer.
 *
 * Optimism. What needs the VDAF is computed outside of a transaction, from facts that were read before. The method that
 * commits is given how much was known (`aggregated`, `collected`, `parts`), compares, and answers `conflict` without any
 * change when there is more now; the caller reads again and computes again. Facts are only ever added, so that comparing
 * how many there are is enough; see {@link GarbageStore} for the one exception.
 *
 * Leases. A driver owns a job by a token that it chose. A lease that has run out may be taken over by anybody, and the
 * first token is worth nothing from then on; while nobody has taken it over, it still works. Every acquisition counts as an
 * attempt, so that a job that kills its driver is noticed.
 *
 * Time and tokens are passed in. A store never reads a clock and never waits: where engines have transient failures
 * (a serialization failure, a busy database) it repeats the transaction by itself, a bounded number of times.
 *
 * Bytes that are passed in are not kept by reference, and bytes that are returned are the caller's.
 *
 * A task that is not there, or was deleted meanwhile, is no error: nothing is stored, and the answer is the one that says so
 * (`forgotten`, `conflict`, `stale`, false, undefined, nothing in a list).
 */
import type { Bucket, CommitmentFacts, ProblemCode, ReportError } from '@privacy-edge/dap';
import type {
  AggregateShareRow,
  BatchKeys,
  BucketPart,
  CollectedRow,
  CollectionJobRow,
  Counters,
  HelperJobRow,
  HpkeKeyRow,
  HpkeKeyState,
  LeaderJobRow,
  LeaderShare,
  NewReport,
  ReportCounts,
  ReportRow,
  SelectedBatchRow,
  TaskRow,
  WaitingReport,
} from './store-rows.ts';

/** Everything that an aggregator asks of its storage. One store is one aggregator; its tasks may have either role. */
export interface AggregatorStore
  extends TaskStore,
    HpkeKeyStore,
    ReportStore,
    CommitmentStore,
    LeaderJobStore,
    HelperJobStore,
    CollectionJobStore,
    AggregateShareStore,
    GarbageStore {}

/** Tasks. */
export interface TaskStore {
  /** `different` when there is a task with this identifier and anything but `createdAt` and `rememberedSince` differs. */
  putTask(row: TaskRow): Promise<'created' | 'same' | 'different'>;
  readTask(taskId: Uint8Array): Promise<TaskRow | undefined>;
  /**
   * Tasks in the order of their identifiers.
   *
   * @param after - identifier of the last one that was read; undefined to begin
   */
  listTasks(after: Uint8Array | undefined, limit: number): Promise<readonly TaskRow[]>;
  /** Deletes a task and everything of it. False when there is none. Only for tasks whose identifier is never used again. */
  deleteTask(taskId: Uint8Array): Promise<boolean>;
  /** Adds to the counters of a task. No other part of the transaction ever depends on them; nothing for an unknown task. */
  addCounters(taskId: Uint8Array, counters: Counters): Promise<void>;
  /** Those that are not zero. */
  readCounters(taskId: Uint8Array): Promise<Counters>;
}

/** Keys for input shares. */
export interface HpkeKeyStore {
  /** False when the identifier is in use. */
  putHpkeKey(row: HpkeKeyRow): Promise<boolean>;
  /** All, the newest `since` first. */
  readHpkeKeys(): Promise<readonly HpkeKeyRow[]>;
  /** Moves a key to another state. False when it is not in the state `from`. */
  moveHpkeKey(configId: number, from: HpkeKeyState, to: HpkeKeyState, since: Date): Promise<boolean>;
  /** Deletes a key if it is `expired`. */
  deleteHpkeKey(configId: number): Promise<boolean>;
}

/** What became of one report of {@link ReportStore.putReports}. */
export type PutOutcome =
  /** It is stored, and survives a crash, when the method resolves. */
  | 'stored'
  /** A report with this identifier was stored before, whatever became of it; also earlier in the same call. */
  | 'replayed'
  /** A batch with its time was collected. */
  | 'collected'
  /** Its time is before `rememberedSince`. */
  | 'forgotten';

/** Which reports wait for a job. */
export interface WaitingQuery {
  readonly taskId: Uint8Array;
  /** Times, both included; undefined for any. */
  readonly times: { readonly first: number; readonly last: number } | undefined;
  /** Without those that are remembered with this parameter. */
  readonly rememberedAs: Uint8Array;
  /** Without those that must not be tried yet. */
  readonly now: Date;
  /** At most so many, those first that were uploaded first. */
  readonly limit: number;
}

/** A new aggregation job. */
export type NewLeaderJob = Pick<LeaderJobRow, 'jobId' | 'aggregationParameter' | 'batchId' | 'reportIds'>;

/** Reports, at the leader. States: waiting, then assigned to a job, then aggregated, rejected, or waiting again. */
export interface ReportStore {
  /**
   * Stores reports that were uploaded, as waiting.
   *
   * @param timesAreBuckets - true in the time-interval mode: a report whose time lies in a collected batch is refused
   * @param counters - what is counted beside; `uploaded` grows by those stored and `upload_duplicate` by those replayed on its own
   * @returns one outcome for each, in order
   */
  putReports(
    taskId: Uint8Array,
    reports: readonly NewReport[],
    uploadedAt: Date,
    timesAreBuckets: boolean,
    counters: Counters,
  ): Promise<readonly PutOutcome[]>;
  waitingReports(query: WaitingQuery): Promise<readonly WaitingReport[]>;
  /**
   * Creates jobs, which are active and may be acquired at once, and makes their reports assigned. A batch of the leader's
   * choice is created with the first job that names it, and its `assigned` grows by the number of reports.
   *
   * @returns `conflict` and no change when a report is not waiting any more, or a batch was collected
   */
  createLeaderJobs(taskId: Uint8Array, jobs: readonly NewLeaderJob[], now: Date): Promise<'created' | 'conflict'>;
  /** Reports with their bodies, in the order asked for; undefined for one that has no body any more, or never was. */
  readReports(taskId: Uint8Array, reportIds: readonly Uint8Array[]): Promise<readonly (ReportRow | undefined)[]>;
  /** Batches of the leader's choice with a parameter that were not collected, the oldest first. */
  selectedBatches(taskId: Uint8Array, aggregationParameter: Uint8Array): Promise<readonly SelectedBatchRow[]>;
  countReports(taskId: Uint8Array): Promise<ReportCounts>;
}

/** A report and the bucket it would go into. */
export interface ReportBucket {
  readonly reportId: Uint8Array;
  /** In units of the task's time precision. */
  readonly time: number;
  /** From `bucketOf`. */
  readonly bucket: Uint8Array;
}

/**
 * What is known about a report. A report whose verification takes several rounds is claimed when the first begins, in the
 * transaction that stores the job: VDAF §8.2.3 lets the verification of an input share at one level run once. A claim counts as
 * an aggregation that took place, whatever becomes of the job: it ends with `rememberedSince`, and with nothing else.
 */
export interface ReportFacts extends CommitmentFacts {
  /** Those of `aggregated` that are claims: verification has begun with them, and has not come to an end. */
  readonly claimed: readonly Uint8Array[];
}

/** A report that is committed to, with how much was known when that was decided. */
export interface Commitment extends ReportBucket {
  /**
   * Length of {@link ReportFacts}`.aggregated`, which is the position that the report is remembered at; for one that uses a
   * claim, the position of the claim.
   */
  readonly aggregated: number;
  /** Length of {@link ReportFacts}`.collected`. */
  readonly collected: number;
  /**
   * Absent: the report is remembered as aggregated. `make`: it is remembered as claimed. `use`: what is claimed at that
   * position, with the same parameter, is aggregated from now on; facts that were added after it do not matter.
   */
  readonly claim?: 'make' | 'use';
}

/** What a step commits to. */
export interface Commit {
  /** The parameter under which the reports are remembered: empty where a report is aggregated once. */
  readonly rememberedAs: Uint8Array;
  /** No report twice; claimed ones are in no bucket yet. */
  readonly reports: readonly Commitment[];
  /** Each becomes a new part. */
  readonly buckets: readonly Bucket[];
}

/** Everything that bears on whether a batch may be collected. */
export interface BatchFacts {
  /** All parts in the batch, with whatever parameter. */
  readonly parts: readonly BucketPart[];
  /** Collections that overlap with the batch, the oldest first. */
  readonly collected: readonly CollectedRow[];
  /** Reports of the batch that may still be aggregated: see {@link OutstandingQuery}. 0 at a helper. */
  readonly outstanding: number;
  /** Of the task. Whether times before it were collected is not known any more. */
  readonly rememberedSince: number;
}

/** Which reports a collection has to wait for. */
export interface OutstandingQuery {
  /** Without waiting reports that are remembered with this parameter. */
  readonly rememberedAs: Uint8Array;
  /**
   * Without waiting reports that were uploaded later; undefined to wait for all. Assigned reports are always waited for:
   * those with a time in `keys.times`, or, for a batch of the leader's choice, those of active jobs for it. (A waiting report
   * belongs to no batch of the leader's choice.)
   */
  readonly uploadedBefore: Date | undefined;
}

/** What both aggregators must never forget. */
export interface CommitmentStore {
  /** What is known about each report, in order: parameters it is remembered with, and collections that contain its bucket. */
  readCommitmentFacts(taskId: Uint8Array, reports: readonly ReportBucket[]): Promise<readonly ReportFacts[]>;
  readBatchFacts(taskId: Uint8Array, keys: BatchKeys, outstanding: OutstandingQuery): Promise<BatchFacts>;
  /**
   * Buckets that have more than so many parts with the same parameter, with those parts.
   *
   * @param moreThan - at least 1
   * @param limit - buckets
   */
  bucketsToMerge(taskId: Uint8Array, moreThan: number, limit: number): Promise<readonly (readonly BucketPart[])[]>;
  /** Replaces parts by their sum, a new part. False and no change when one of them is not there any more. */
  replaceParts(taskId: Uint8Array, parts: readonly number[], merged: Bucket): Promise<boolean>;
}

/** How a driver asks for work. */
export interface LeaseRequest {
  readonly now: Date;
  /** When others may take the jobs over. */
  readonly until: Date;
  /** 16 fresh random bytes, the same for all jobs of this request. */
  readonly token: Uint8Array;
  /** At most so many, those first that have been available for longest. */
  readonly limit: number;
}

/** A job and how often it has been acquired since it last got on, this time included. */
export interface Leased<Job> {
  readonly job: Job;
  readonly attempts: number;
}

/** Names a job that the caller has acquired. */
export interface LeasedKey {
  readonly taskId: Uint8Array;
  readonly jobId: Uint8Array;
  readonly token: Uint8Array;
}

/**
 * When a job that is given back may be acquired again. `isProgress` sets the number of attempts back to 0: when the job got
 * on, or waits for something by rights.
 */
export interface GiveBack {
  readonly notBefore: Date;
  readonly isProgress: boolean;
}

/** What becomes of a report in a step of the leader. */
export type ReportOutcome =
  /** Body deleted. */
  | { readonly reportId: Uint8Array; readonly state: 'aggregated' }
  /** Body deleted. */
  | { readonly reportId: Uint8Array; readonly state: 'rejected'; readonly error: ReportError }
  /** Not assigned to a job any more; may be assigned again from `notBefore` on. */
  | {
      readonly reportId: Uint8Array;
      readonly state: 'waiting';
      readonly notBefore: Date;
      readonly attempts: number;
    };

/** A step of an aggregation job of the leader. */
export interface LeaderStepCommit {
  readonly key: LeasedKey;
  readonly commit: Commit;
  /** Reports of the job that are done with; the others stay assigned. */
  readonly reports: readonly ReportOutcome[];
  /** The job from now on. An ended one keeps neither progress nor reports, and is never acquired again. */
  readonly next:
    | {
        readonly state: 'active';
        readonly progress: Uint8Array;
        readonly location: string | undefined;
        /** Undefined to keep the lease, for the next step. */
        readonly giveBack: GiveBack | undefined;
      }
    | { readonly state: 'finished' | 'abandoned'; readonly at: Date };
  readonly counters: Counters;
}

/** Outcome of committing to reports. In all but the first case nothing has changed. */
export type CommitOutcome =
  | 'committed'
  /**
   * More is known about a report or a batch than was, a claim is not there, or a time is before `rememberedSince` by now: read
   * again.
   */
  | 'conflict'
  /** The job is not the caller's any more, or not as the caller expects it. */
  | 'stale';

/** Aggregation jobs of the leader. */
export interface LeaderJobStore {
  /**
   * Acquires active jobs of all tasks that nobody owns at `now`. Shaped for `FOR UPDATE SKIP LOCKED`: of any number of
   * concurrent calls, at most one gets a job.
   */
  acquireLeaderJobs(request: LeaseRequest): Promise<readonly Leased<LeaderJobRow>[]>;
  /**
   * In one transaction: checks that the token owns the job; checks that every report of the commit has as many facts as were
   * known and a time that is not before `rememberedSince`; remembers the reports; adds the buckets as parts; moves reports;
   * subtracts from `assigned` of the batch of the leader's choice those that became anything but aggregated; stores the job.
   */
  commitLeaderStep(step: LeaderStepCommit): Promise<CommitOutcome>;
  /** Gives a job back as it is. False when it is not the caller's. */
  giveBackLeaderJob(key: LeasedKey, giveBack: GiveBack): Promise<boolean>;
}

/** Which step a helper's job must be at: `undefined` when there must not be one at all. */
export type HelperJobAt =
  | { readonly step: number; readonly state: 'ready' }
  /** By a driver, which owns it. */
  | { readonly step: number; readonly state: 'processing'; readonly token: Uint8Array }
  | undefined;

/** A step of an aggregation job of the helper. */
export interface HelperStepCommit {
  readonly at: HelperJobAt;
  /** The job after the step: `ready` when the step was taken, `processing` when a driver is to take it. */
  readonly job: HelperJobRow;
  /** Nothing is in it when the job is `processing`. */
  readonly commit: Commit;
  readonly counters: Counters;
  readonly now: Date;
}

/** Aggregation jobs of the helper. */
export interface HelperJobStore {
  /** Also one that is deleted. */
  readHelperJob(taskId: Uint8Array, jobId: Uint8Array): Promise<HelperJobRow | undefined>;
  /**
   * In one transaction: checks that the job is where it is expected to be; checks that every report of the commit has as
   * many facts as were known and a time that is not before `rememberedSince`; remembers the reports; adds the buckets as
   * parts; stores the job with its answer. A job that becomes `processing` may be acquired at once; one that becomes `ready`
   * has no owner.
   */
  commitHelperStep(step: HelperStepCommit): Promise<CommitOutcome>;
  /** Acquires jobs that are `processing`, like {@link LeaderJobStore.acquireLeaderJobs}. */
  acquireHelperJobs(request: LeaseRequest): Promise<readonly Leased<HelperJobRow>[]>;
  giveBackHelperJob(key: LeasedKey, giveBack: GiveBack): Promise<boolean>;
  /** Makes a job `deleted`, whatever it was. False when there is none, or it is deleted already. */
  deleteHelperJob(taskId: Uint8Array, jobId: Uint8Array, now: Date): Promise<boolean>;
}

/** What both aggregators check again when they mark a batch as collected, which no time before `rememberedSince` can be. */
export interface CollectedCommit {
  readonly keys: BatchKeys;
  /** Encoded. */
  readonly aggregationParameter: Uint8Array;
  /** `part` of all parts that {@link BatchFacts} had, in any order. */
  readonly parts: readonly number[];
  /** Length of {@link BatchFacts}`.collected`. */
  readonly collected: number;
}

/** Collection jobs of the leader. */
export interface CollectionJobStore {
  /**
   * The job with a request that is not deleted, if there is one, and the generation that a new one would have: one more than
   * the highest of all, 0 when there is none.
   */
  findCollectionJob(
    taskId: Uint8Array,
    requestDigest: Uint8Array,
  ): Promise<{ readonly job: CollectionJobRow | undefined; readonly nextGeneration: number }>;
  /** Stores a job that is `waiting`, which may be acquired at once. False when there is one with this identifier. */
  createCollectionJob(row: CollectionJobRow): Promise<boolean>;
  /** Also one that is deleted. */
  readCollectionJob(taskId: Uint8Array, jobId: Uint8Array): Promise<CollectionJobRow | undefined>;
  /** Those that are `waiting` and have no share yet: what aggregation has to be hurried for. The oldest first. */
  waitingCollectionJobs(taskId: Uint8Array): Promise<readonly CollectionJobRow[]>;
  /** Acquires jobs that are `waiting`, like {@link LeaderJobStore.acquireLeaderJobs}. */
  acquireCollectionJobs(request: LeaseRequest): Promise<readonly Leased<CollectionJobRow>[]>;
  /**
   * In one transaction: checks that the token owns the job, that it is `waiting` and has no share; that the batch has the
   * same parts and as many collections as were known; that nothing is outstanding; marks the batch as collected; gives the
   * job its batch and share, and keeps its lease. A batch of the leader's choice is not among the selected ones from then on.
   *
   * @returns `outstanding`, like `conflict` and `stale`, without any change
   */
  collectBatch(
    key: LeasedKey,
    batch: CollectedCommit,
    outstanding: OutstandingQuery,
    share: LeaderShare,
  ): Promise<CommitOutcome | 'outstanding'>;
  /** Gives a job back, with where the helper has its share if that is known. False when it is not the caller's. */
  giveBackCollectionJob(key: LeasedKey, location: string | undefined, giveBack: GiveBack): Promise<boolean>;
  /** Makes a job `ready` or `failed`. False when it is not the caller's, or is not `waiting`. */
  endCollectionJob(
    key: LeasedKey,
    end: { readonly response: Uint8Array } | { readonly problem: ProblemCode },
    now: Date,
    counters: Counters,
  ): Promise<boolean>;
  /** Makes a job `deleted`, without share and response. The batch stays collected. False when there is none. */
  deleteCollectionJob(taskId: Uint8Array, jobId: Uint8Array, now: Date): Promise<boolean>;
}

/** Aggregate shares of the helper. */
export interface AggregateShareStore {
  /** Also one that is deleted. */
  readAggregateShare(taskId: Uint8Array, shareId: Uint8Array): Promise<AggregateShareRow | undefined>;
  /**
   * In one transaction: checks that the batch has the same parts and as many collections as were known, and that there is no
   * share with this identifier; marks the batch as collected; stores the share.
   *
   * @returns `stale` when there is a share with this identifier, deleted or not
   */
  commitAggregateShare(
    row: AggregateShareRow,
    batch: CollectedCommit,
    now: Date,
    counters: Counters,
  ): Promise<CommitOutcome>;
  /** Deletes the response. The batch stays collected. False when there is none, or it is deleted already. */
  deleteAggregateShare(taskId: Uint8Array, shareId: Uint8Array, now: Date): Promise<boolean>;
}

/**
 * Forgetting. A report that is remembered, and a collection, may be forgotten only when no report that they stand against
 * can come in any more; `rememberedSince` sees to that: older reports are refused by it alone, in the roles and again in
 * every commit.
 */
export interface GarbageStore {
  /**
   * In one transaction: raises `rememberedSince` to `time`, if it is lower; deletes what only older reports need, at most
   * about `limit` rows of each kind. These are: reports with an earlier time, but for assigned ones, which are left to their
   * job; that they were aggregated; bucket parts of such times, unless a collection of a time interval that ends after `time`
   * contains them; collections of time intervals that end at or before `time`, once no part is left in them; and batches of the leader's choice whose parts all have intervals that end at
   * or before `time`, with their parts, their collection and their row together. One without parts stays.
   *
   * @param time - in units of the task's time precision
   * @returns true when nothing is left to delete
   */
  forgetBefore(taskId: Uint8Array, time: number, limit: number): Promise<boolean>;
  /**
   * Deletes jobs of all kinds and aggregate shares of the task that have ended before a time: jobs that are finished,
   * abandoned, ready or failed or deleted, a helper's that are ready, since their last change.
   *
   * @returns true when nothing is left to delete
   */
  deleteEnded(taskId: Uint8Array, endedBefore: Date, limit: number): Promise<boolean>;
}
