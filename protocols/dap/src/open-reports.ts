/** From sealed report shares to input shares that may be verified. DAP §4.5.3.3 and §4.5.3.4. */
import { type Awaitable, andThen, DecodeError, isPromiseLike } from '@privacy-edge/bytes';
import { inputShareAad } from './aad.ts';
import { DapError } from './dap-error.ts';
import { forEachItem } from './each.ts';
import { PlaintextInputShare } from './plaintext-input-share.ts';
import type { ReportShare } from './report.ts';
import { checkExtensions, checkTime } from './report-checks.ts';
import { REPORT_ERROR, type Rejection, rejection } from './report-error.ts';
import type { ReportMetadata } from './report-metadata.ts';
import type { ShareOpener } from './sealing.ts';
import type { AggregatorTask } from './task.ts';

/** A report share that passed every check but verification. Its input share is secret. */
export interface OpenedReport {
  readonly kind: 'opened';
  readonly reportMetadata: ReportMetadata;
  readonly publicShare: Uint8Array;
  /** What only this aggregator was shown: an admission may be among it. All types are known, none is there twice. */
  readonly privateExtensions: PlaintextInputShare['privateExtensions'];
  /** Encoded for the VDAF, which has not looked at it yet. */
  readonly inputShare: Uint8Array;
}

/** Finds the opener of a key by its identifier; undefined when there is no such key, or not any more. */
export type FindOpener = (configId: number) => ShareOpener | undefined;

/**
 * Opens and checks report shares.
 *
 * What costs nothing is checked first; any order gives a valid answer. An admission by extension is checked by the caller,
 * who may put a rejection in the place of an opened report.
 *
 * @param shares - attacker-controlled
 * @param findOpener - among openers for this aggregator's role
 * @returns one entry for each share, in order
 * @see DAP §4.5.3.3 and §4.5.3.4
 */
export function openReports(
  task: AggregatorTask,
  shares: readonly ReportShare[],
  findOpener: FindOpener,
  now: Date,
): Awaitable<(OpenedReport | Rejection)[]> {
  return forEachItem(shares, (share) => openReport(task, share, findOpener, now));
}

function openReport(
  task: AggregatorTask,
  share: ReportShare,
  findOpener: FindOpener,
  now: Date,
): Awaitable<OpenedReport | Rejection> {
  const { reportMetadata, publicShare, encryptedInputShare } = share;
  const { reportId, time } = reportMetadata;
  const tooEarlyOrLate = checkTime(task, time, now);
  if (tooEarlyOrLate !== undefined) return rejection(reportId, tooEarlyOrLate);
  const opener = findOpener(encryptedInputShare.configId);
  if (opener === undefined) return rejection(reportId, REPORT_ERROR.HPKE_DECRYPT_ERROR);
  const aad = inputShareAad(task, reportMetadata, publicShare);
  return andThen(
    openOrNothing(() => opener.open(aad, encryptedInputShare)),
    (plaintext) =>
      plaintext === undefined
        ? rejection(reportId, REPORT_ERROR.HPKE_DECRYPT_ERROR)
        : checkOpened(task, share, plaintext),
  );
}

/** The plaintext, or undefined when it does not authenticate. */
function openOrNothing(open: () => Awaitable<Uint8Array>): Awaitable<Uint8Array | undefined> {
  try {
    const opened = open();
    return isPromiseLike(opened) ? opened.then(undefined, undefinedIfUnopened) : opened;
  } catch (error) {
    return undefinedIfUnopened(error);
  }
}

function undefinedIfUnopened(error: unknown): undefined {
  if (error instanceof DapError && error.code === 'OPEN_FAILED') return undefined;
  throw error;
}

function checkOpened(task: AggregatorTask, share: ReportShare, plaintext: Uint8Array): OpenedReport | Rejection {
  const { reportMetadata, publicShare } = share;
  const { reportId, publicExtensions } = reportMetadata;
  const decoded = decodeOrNothing(plaintext);
  if (decoded === undefined) return rejection(reportId, REPORT_ERROR.INVALID_MESSAGE);
  const { privateExtensions, payload } = decoded;
  const error = checkExtensions(task, publicExtensions, privateExtensions);
  if (error !== undefined) return rejection(reportId, error);
  return { kind: 'opened', reportMetadata, publicShare, privateExtensions, inputShare: payload };
}

function decodeOrNothing(plaintext: Uint8Array): PlaintextInputShare | undefined {
  try {
    return PlaintextInputShare.decode(plaintext);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}
