/** The helper at the start of an aggregation job. DAP §4.5.3.2. */
import { AggregationJobInitReq, type VerifyInit } from './aggregation-job.ts';
import { checkParameter, verifyContext } from './aggregation-parameter.ts';
import { decodeRequest } from './dap-error.ts';
import { type Extension, isSorted } from './extension.ts';
import { BATCH_ID_BYTES } from './field.ts';
import { checkDistinct, jobInvalid } from './helper-job.ts';
import type { OpenedReport } from './open-reports.ts';
import { BATCH_MODE_LEADER_SELECTED, JOB_EXTENSION_LEADER_SELECTED_BATCH_ID } from './registry.ts';
import type { Rejection } from './report-error.ts';
import { type AggregatorTask, requireKnown, VERIFICATION_KEY_ID } from './task.ts';
import { reportKey, stepRunning, type VerifiedReport, verified } from './verification.ts';

/** The start of a job that a helper may process. */
export interface HelperInit {
  /** Encoded. */
  readonly aggregationParameter: Uint8Array;
  /** In the leader-selected mode only: 32 bytes. */
  readonly batchId: Uint8Array | undefined;
  /** No report twice, at least one. */
  readonly verifyInits: readonly VerifyInit[];
}

const TIME_INTERVAL_EXTENSIONS: ReadonlySet<number> = new Set();
const LEADER_SELECTED_EXTENSIONS: ReadonlySet<number> = new Set([JOB_EXTENSION_LEADER_SELECTED_BATCH_ID]);

/**
 * Reads the start of a job.
 *
 * @param body - controlled by the leader; what is returned shares memory with it
 * @throws {@link DapError} `INVALID_MESSAGE`, `UNSUPPORTED_EXTENSION`, `INVALID_AGGREGATION_PARAMETER`; all of them for the
 *   whole job
 * @see DAP §4.5.3.2
 */
export function receiveInit(task: AggregatorTask, body: Uint8Array): HelperInit {
  const request = decodeRequest(AggregationJobInitReq, body, 'start aggregation job');
  const { verificationKeyId, aggParam: aggregationParameter, extensions, verifyInits } = request;
  if (verificationKeyId !== VERIFICATION_KEY_ID) throw jobInvalid('the verification key is unknown');
  const batchId = batchIdOf(task, extensions);
  checkParameter(task.vdaf, aggregationParameter);
  // The answer would be empty, which says that it is not ready.
  if (verifyInits.length === 0) throw jobInvalid('it has no reports');
  checkDistinct(verifyInits.map(({ reportShare }) => reportShare.reportMetadata.reportId));
  return { aggregationParameter, batchId, verifyInits };
}

function batchIdOf({ configuration }: AggregatorTask, extensions: readonly Extension[]): Uint8Array | undefined {
  const isLeaderSelected = configuration.batchMode === BATCH_MODE_LEADER_SELECTED;
  if (!isSorted(extensions)) throw jobInvalid('its extensions are out of order');
  requireKnown(
    extensions,
    isLeaderSelected ? LEADER_SELECTED_EXTENSIONS : TIME_INTERVAL_EXTENSIONS,
    'start aggregation job',
  );
  if (!isLeaderSelected) return undefined;
  const batchId = extensions[0]?.extensionData;
  if (batchId?.length !== BATCH_ID_BYTES) throw jobInvalid('it names no batch');
  return batchId;
}

/**
 * Takes the first step for the reports of a job.
 *
 * @param init - from {@link receiveInit}
 * @param reports - what became of its shares, in order: from `openReports`, with further rejections of the caller's
 * @returns one entry for each report, in order; those that are `finished` must be committed to before the answer is given,
 *   see `refuseReports`
 * @see DAP §4.5.3.2
 */
export function startHelperJob(
  task: AggregatorTask,
  { aggregationParameter, verifyInits }: HelperInit,
  reports: readonly (OpenedReport | Rejection)[],
): VerifiedReport[] {
  const entries = reports.map((report, i) =>
    report.kind === 'opened' ? { ...report, inbound: inboundOf(verifyInits, i) } : report,
  );
  return stepRunning(entries, isOpened, (opened) => {
    const shares = opened.map(({ reportMetadata, publicShare, inputShare, inbound }) => ({
      nonce: reportMetadata.reportId,
      publicShare,
      inputShare,
      inbound,
    }));
    const transitions = task.vdaf.helperInit(verifyContext(task, aggregationParameter), shares);
    return transitions.map((transition, i) => verified(reportKey(opened[i] as OpenedReport), transition));
  });
}

type OpenedInit = OpenedReport & { readonly inbound: Uint8Array };

function isOpened(entry: OpenedInit | Rejection): entry is OpenedInit {
  return entry.kind === 'opened';
}

function inboundOf(verifyInits: readonly VerifyInit[], i: number): Uint8Array {
  const init = verifyInits[i];
  if (init === undefined) throw new TypeError('There is one opened report for each that was received');
  return init.payload;
}
