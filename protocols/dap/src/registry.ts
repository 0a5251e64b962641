/** Code points. DAP §4.1, §4.2.2, §5 and §5.2.2; private ones say so. */

/** Who asks for results. */
export const ROLE_COLLECTOR = 0x00;
/** Who measures. */
export const ROLE_CLIENT = 0x01;
/** The aggregator that clients upload to. */
export const ROLE_LEADER = 0x02;
/** The aggregator that the leader asks. */
export const ROLE_HELPER = 0x03;

/** One of the two aggregators. */
export type AggregatorRole = typeof ROLE_LEADER | typeof ROLE_HELPER;

/** Reports belong to batches by their time. DAP §5.1. */
export const BATCH_MODE_TIME_INTERVAL = 0x01;
/** The leader puts reports into batches. DAP §5.2. */
export const BATCH_MODE_LEADER_SELECTED = 0x02;

/** Restricts when reports may be made. DAP §4.2.3. */
export const TASK_EXTENSION_TASK_INTERVAL = 0x0001;
/** Private: a batch may be collected more than once; see `MultiCollection`. */
export const TASK_EXTENSION_MULTI_COLLECTION = 0xff50;
/** Private: the noise that each aggregator adds; see `DpParameters`. */
export const TASK_EXTENSION_DP = 0xff51;

/** Names the batch of a job in the leader-selected mode. DAP §5.2.2. */
export const JOB_EXTENSION_LEADER_SELECTED_BATCH_ID = 0x0001;

/** Private: what a client shows to be admitted. Its data is opaque to this package. */
export const REPORT_EXTENSION_ADMISSION = 0xff52;

/** Prio3Count. */
export const VDAF_PRIO3_COUNT = 0x00000001;
/** Prio3Sum. */
export const VDAF_PRIO3_SUM = 0x00000002;
/** Prio3SumVec. */
export const VDAF_PRIO3_SUM_VEC = 0x00000003;
/** Prio3Histogram. */
export const VDAF_PRIO3_HISTOGRAM = 0x00000004;
/** Prio3MultihotCountVec. */
export const VDAF_PRIO3_MULTIHOT_COUNT_VEC = 0x00000005;
/** Poplar1. */
export const VDAF_POPLAR1 = 0x00000006;
/** Prio3L1BoundSum. */
export const VDAF_PRIO3_L1_BOUND_SUM = 0x00000007;
/** Private: Prio3LinReg, linear regression. */
export const VDAF_PRIO3_LIN_REG = 0xffff50e1;
