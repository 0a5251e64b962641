/** All operations of the storage of an aggregator, by the names that the port has for them. */
import type { AggregatorStore } from '@privacy-edge/analytics-roles';
import type { OperationContext } from './engine.ts';
import type { Operation } from './operation.ts';
import { commitAggregateShare, deleteAggregateShare, readAggregateShare } from './operations/aggregate-shares.ts';
import {
  acquireCollectionJobs,
  collectBatch,
  createCollectionJob,
  deleteCollectionJob,
  endCollectionJob,
  findCollectionJob,
  giveBackCollectionJob,
  readCollectionJob,
  waitingCollectionJobs,
} from './operations/collection-jobs.ts';
import { bucketsToMerge, readBatchFacts, readCommitmentFacts, replaceParts } from './operations/commitment.ts';
import { addCounters, readCounters } from './operations/counters.ts';
import { deleteEnded, forgetBefore } from './operations/garbage.ts';
import {
  acquireHelperJobs,
  commitHelperStep,
  deleteHelperJob,
  giveBackHelperJob,
  readHelperJob,
} from './operations/helper-jobs.ts';
import { deleteHpkeKey, moveHpkeKey, putHpkeKey, readHpkeKeys } from './operations/hpke-keys.ts';
import { acquireLeaderJobs, commitLeaderStep, giveBackLeaderJob } from './operations/leader-jobs.ts';
import {
  countReports,
  createLeaderJobs,
  putUploads,
  readReports,
  selectedBatches,
  waitingReports,
} from './operations/reports.ts';
import { deleteTask, listTasks, putTask, readTask } from './operations/tasks.ts';

/** Methods of the port whose name and arguments are those of an operation: all but `putReports`, which is `putUploads`. */
export type PortMethod = Exclude<keyof AggregatorStore, 'putReports'>;

/** What an operation must look like to be a method of the port. */
type PortOperations = {
  readonly [Name in PortMethod]: (
    context: OperationContext,
    ...args: Parameters<AggregatorStore[Name]>
  ) => Operation<Awaited<ReturnType<AggregatorStore[Name]>>>;
};

/** Operations that are methods of the port. */
export const portOperations: PortOperations = {
  putTask,
  readTask,
  listTasks,
  deleteTask,
  addCounters,
  readCounters,
  putHpkeKey,
  readHpkeKeys,
  moveHpkeKey,
  deleteHpkeKey,
  waitingReports,
  createLeaderJobs,
  readReports,
  selectedBatches,
  countReports,
  readCommitmentFacts,
  readBatchFacts,
  bucketsToMerge,
  replaceParts,
  acquireLeaderJobs,
  commitLeaderStep,
  giveBackLeaderJob,
  readHelperJob,
  commitHelperStep,
  acquireHelperJobs,
  giveBackHelperJob,
  deleteHelperJob,
  findCollectionJob,
  createCollectionJob,
  readCollectionJob,
  waitingCollectionJobs,
  acquireCollectionJobs,
  collectBatch,
  giveBackCollectionJob,
  endCollectionJob,
  deleteCollectionJob,
  readAggregateShare,
  commitAggregateShare,
  deleteAggregateShare,
  forgetBefore,
  deleteEnded,
};

/** Every operation. */
export type AnalyticsOperations = PortOperations & { readonly putUploads: typeof putUploads };

/** Every operation by its name. */
export const analyticsOperations: AnalyticsOperations = { ...portOperations, putUploads };

/** Those that only read: they need no lock, and see the state of one moment. */
export const READING: ReadonlySet<string> = new Set<PortMethod>([
  'readTask',
  'listTasks',
  'readCounters',
  'readHpkeKeys',
  'waitingReports',
  'readReports',
  'selectedBatches',
  'countReports',
  'readCommitmentFacts',
  'readBatchFacts',
  'bucketsToMerge',
  'readHelperJob',
  'findCollectionJob',
  'readCollectionJob',
  'waitingCollectionJobs',
  'readAggregateShare',
]);
