/**
 * Distributed Aggregation Protocol, draft-ietf-ppm-dap-18: messages, and the steps of client, leader, helper and collector
 * over stored state.
 *
 * @example
 * const task = createTask(taskId, TaskConfiguration.decode(bytes));
 * const maker = await prepareReports(task, vdaf, selectHpkeConfig(leaderConfigs), selectHpkeConfig(helperConfigs));
 * const body = UploadRequest.encode([await maker.createReport(1, new Date(), systemRandom)]);
 */
export { type RandomSource, systemRandom } from '@privacy-edge/hpke';
export { aggregateShareAad, inputShareAad } from './aad.ts';
export { AggregateShare, AggregateShareReq } from './aggregate-share.ts';
export {
  AggregationJobContinueReq,
  AggregationJobInitReq,
  type VerifyContinue,
  VerifyInit,
} from './aggregation-job.ts';
export { checkParameter, isEager } from './aggregation-parameter.ts';
export {
  type Batch,
  type BucketRange,
  bucketOf,
  bucketRange,
  compareKeys,
  isSameBatch,
  leaderSelectedBatch,
  overlaps,
  type QueriedBatch,
  selectorOf,
} from './batch.ts';
export {
  type Aggregate,
  accumulate,
  type Bucket,
  type BucketUpdate,
  checksumOf,
  combineBuckets,
  emptyAggregate,
  mergeAggregates,
} from './bucket.ts';
export { prepareReports, type ReportExtensions, ReportMaker } from './client.ts';
export {
  type Collection,
  checkAgreement,
  createAggregateShareReq,
  type HelperCollection,
  prepareAggregateShareSealer,
  receiveAggregateShareReq,
  receiveCollection,
  sealAggregateShare,
} from './collection.ts';
export { CollectionJobReq, CollectionJobResp } from './collection-job.ts';
export {
  type CollectedResult,
  createCollectionJobReq,
  type OpenedShares,
  prepareResults,
  ResultOpener,
} from './collector.ts';
export {
  type CollectedBatch,
  type CommitmentFacts,
  checkBatchSize,
  checkCollectable,
  commitRefusal,
} from './commitment.ts';
export { DapError, type DapErrorCode, type DapErrorOptions, type ProblemCode } from './dap-error.ts';
export { DpParameters } from './dp-parameters.ts';
export type { Extension } from './extension.ts';
export { BATCH_ID_BYTES, CHECKSUM_BYTES, REPORT_ID_BYTES, TASK_ID_BYTES } from './field.ts';
export { advanceHelperJob, type HelperContinue, receiveContinue } from './helper-continue.ts';
export { type HelperInit, receiveInit, startHelperJob } from './helper-init.ts';
export { answerReports, type HelperJob, type HelperPending, helperJobAfter, refuseReports } from './helper-job.ts';
export { HpkeCiphertext } from './hpke-ciphertext.ts';
export { HpkeConfig, HpkeConfigList, isConfigUsable, selectHpkeConfig } from './hpke-config.ts';
export { containsInterval, Interval, intervalEnd, spanIntervals } from './interval.ts';
export {
  advanceLeaderJob,
  type LeaderCandidate,
  type LeaderJob,
  type LeaderStep,
  type PendingReport,
  startLeaderJob,
} from './leader-job.ts';
export { MEDIA_TYPE, type MessageName, mediaTypeOf, messageNameOf } from './media-type.ts';
export { addTaskNoise, taskNoise } from './noise.ts';
export { type FindOpener, type OpenedReport, openReports } from './open-reports.ts';
export { PlaintextInputShare } from './plaintext-input-share.ts';
export { isProblemCode, problemCode, problemType } from './problem-type.ts';
export {
  BatchSelector,
  leaderSelectedQuery,
  leaderSelectedSelector,
  Query,
  timeIntervalQuery,
  timeIntervalSelector,
} from './query.ts';
export type {
  AggregatedReport,
  AggregateShareRecord,
  BucketRecord,
  CollectedBatchRecord,
  CollectionJobRecord,
  HelperJobRecord,
  HpkeKeyRecord,
  LeaderJobRecord,
  ReportRecord,
  SelectedBatchRecord,
  TaskRecord,
} from './records.ts';
export {
  type AggregatorRole,
  BATCH_MODE_LEADER_SELECTED,
  BATCH_MODE_TIME_INTERVAL,
  JOB_EXTENSION_LEADER_SELECTED_BATCH_ID,
  REPORT_EXTENSION_ADMISSION,
  ROLE_CLIENT,
  ROLE_COLLECTOR,
  ROLE_HELPER,
  ROLE_LEADER,
  TASK_EXTENSION_DP,
  TASK_EXTENSION_MULTI_COLLECTION,
  TASK_EXTENSION_TASK_INTERVAL,
  VDAF_POPLAR1,
  VDAF_PRIO3_COUNT,
  VDAF_PRIO3_HISTOGRAM,
  VDAF_PRIO3_L1_BOUND_SUM,
  VDAF_PRIO3_LIN_REG,
  VDAF_PRIO3_MULTIHOT_COUNT_VEC,
  VDAF_PRIO3_SUM,
  VDAF_PRIO3_SUM_VEC,
} from './registry.ts';
export { helperShareOf, leaderShareOf, Report, ReportShare, UploadRequest } from './report.ts';
export { checkExtensions, checkTime, checkUpload, unsupportedExtensions } from './report-checks.ts';
export {
  isRetryable,
  REPORT_ERROR,
  type Rejection,
  type ReportError,
  rejection,
  reportErrorName,
} from './report-error.ts';
export { ReportMetadata } from './report-metadata.ts';
export { hasPossibleSize, maxInitBytes } from './report-size.ts';
export { type ResourceKind, requestDigest, resourceId } from './resource-id.ts';
export {
  HPKE_CONFIG_PATH,
  parseResourceId,
  parseTaskId,
  reportsPath,
  resourcePath,
  resourceUrl,
} from './resource-url.ts';
export {
  generateHpkeKey,
  type HpkeKey,
  importHpkeKey,
  prepareOpener,
  prepareSealer,
  ShareOpener,
  ShareSealer,
} from './sealing.ts';
export {
  type AggregatedVdaf,
  type AggregatorTask,
  createTask,
  isSameTask,
  type Task,
  taskTime,
  VERIFICATION_KEY_ID,
} from './task.ts';
export { createTaskConfiguration, TaskConfiguration, type TaskParameters } from './task-configuration.ts';
export { MultiCollection, readTaskExtensions, type TaskExtensions, writeTaskExtensions } from './task-extensions.ts';
export { createTaskVdaf } from './task-vdaf.ts';
export { formatTaskprov, parseTaskprov, TASKPROV_FIELD, taskprovTaskId, taskprovVerifyKey } from './taskprov.ts';
export { type ReportUploadStatus, UploadErrors } from './upload-errors.ts';
export { UploadReader } from './upload-reader.ts';
export {
  type CountConfiguration,
  decodeVdafConfiguration,
  type EncodedVdafConfiguration,
  encodeVdafConfiguration,
  type HistogramConfiguration,
  type L1BoundSumConfiguration,
  type LinRegConfiguration,
  type MultihotCountVecConfiguration,
  type Poplar1Configuration,
  type SumConfiguration,
  type SumVecConfiguration,
  type UnknownConfiguration,
  type VdafConfiguration,
} from './vdaf-configuration.ts';
export type { ContinuedReport, FinishedReport, ReportKey, VerifiedReport } from './verification.ts';
export { deriveVerifyKey } from './verify-key.ts';
export { AggregationJobResp, VerifyResp } from './verify-resp.ts';
export {
  aggregateShareInfo,
  DEFAULT_VERSION,
  inputShareInfo,
  isVersionTag,
  type VersionTag,
  vdafContext,
} from './version.ts';
