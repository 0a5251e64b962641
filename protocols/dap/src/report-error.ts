/** Why one report was not taken. DAP §4.1. */

/** Code of a report error: 8 bits. A peer may send one that is not in {@link REPORT_ERROR}. */
export type ReportError = number;

/** The registered report errors. */
export const REPORT_ERROR = {
  /** Its batch has been collected. */
  BATCH_COLLECTED: 0x01,
  /** It has been aggregated, or uploaded, before. */
  REPORT_REPLAYED: 0x02,
  /** The aggregator can no longer tell whether it may be aggregated, or does not want it. */
  REPORT_DROPPED: 0x03,
  /** Never sent by this package: an unknown key is a {@link REPORT_ERROR.HPKE_DECRYPT_ERROR} by DAP §4.5.3.3. */
  HPKE_UNKNOWN_CONFIG_ID: 0x04,
  /** The input share does not open. */
  HPKE_DECRYPT_ERROR: 0x05,
  /** Verification failed. */
  VDAF_VERIFY_ERROR: 0x06,
  /** It was made after the task's interval. */
  TASK_EXPIRED: 0x07,
  /** Something in it cannot be decoded, or breaks a rule. */
  INVALID_MESSAGE: 0x08,
  /** Its time is in the future: the one rejection after which it may be tried again. */
  REPORT_TOO_EARLY: 0x09,
  /** It was made before the task's interval. */
  TASK_NOT_STARTED: 0x0a,
  /** It was sealed to a key that is not known: the client should fetch keys and make it anew. */
  OUTDATED_CONFIG: 0x0b,
} as const;

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(REPORT_ERROR).map(([name, code]) => [code, name.toLowerCase()]),
);

/**
 * The name of a report error in the words of the standard, for logs and metrics: a closed set.
 *
 * @param error - maybe from a peer
 * @returns `other` for a code that is not registered
 */
export function reportErrorName(error: ReportError): string {
  return NAMES.get(error) ?? 'other';
}

/** A report that will not be aggregated, at least not by this job. */
export interface Rejection {
  readonly kind: 'rejected';
  /** 16 bytes. */
  readonly reportId: Uint8Array;
  readonly error: ReportError;
}

/** Makes a {@link Rejection}. */
export function rejection(reportId: Uint8Array, error: ReportError): Rejection {
  return { kind: 'rejected', reportId, error };
}

/** Whether a leader may put a report that was rejected into another job. DAP §4.5.3.1. */
export function isRetryable(error: ReportError): boolean {
  return error === REPORT_ERROR.REPORT_TOO_EARLY;
}
