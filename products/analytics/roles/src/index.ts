/**
 * The aggregators of the Distributed Aggregation Protocol: leader and helper as handlers and steps over ports for storage,
 * time, randomness and transport.
 *
 * @example
 * const aggregator = createAggregator({ store, clock, random: systemRandom, transport }, { resourceKey });
 * await aggregator.rotateKeys();
 * serve(aggregator.handle); // and, again and again:
 * await aggregator.createJobs();
 * await aggregator.driveLeaderJobs();
 * await aggregator.driveCollectionJobs();
 */
export type { AdvertisedTasks } from './advertised-task.ts';
export { type Aggregator, type AggregatorHandler, createAggregator } from './aggregator.ts';
export { type AuthenticatedPeer, hashToken } from './authorization.ts';
export type { AggregatorConfig } from './config.ts';
export type { DriveResult } from './drive.ts';
export type {
  AggregatorEvent,
  ObserveAggregator,
  RequestOutcome,
  ResourceName,
  StepName,
  StepOutcome,
} from './observation.ts';
export {
  type AggregatorPorts,
  type Clock,
  PeerError,
  type PeerErrorCode,
  type PeerRequest,
  type PeerResponse,
  type PeerTransport,
} from './ports.ts';
export type {
  AggregateShareStore,
  AggregatorStore,
  BatchFacts,
  CollectedCommit,
  CollectionJobStore,
  Commit,
  Commitment,
  CommitmentStore,
  CommitOutcome,
  GarbageStore,
  GiveBack,
  HelperJobAt,
  HelperJobStore,
  HelperStepCommit,
  HpkeKeyStore,
  LeaderJobStore,
  LeaderStepCommit,
  Leased,
  LeasedKey,
  LeaseRequest,
  NewLeaderJob,
  OutstandingQuery,
  PutOutcome,
  ReportBucket,
  ReportFacts,
  ReportOutcome,
  ReportStore,
  TaskStore,
  WaitingQuery,
} from './store.ts';
export type {
  AggregateShareRow,
  BatchKeys,
  BucketPart,
  CollectedRow,
  CollectionJobRow,
  CounterName,
  Counters,
  HelperJobRow,
  HpkeKeyRow,
  HpkeKeyState,
  LeaderJobRow,
  LeaderShare,
  NewReport,
  ReportCounts,
  ReportErrorName,
  ReportRow,
  SelectedBatchRow,
  TaskAccess,
  TaskRow,
  WaitingReport,
} from './store-rows.ts';
