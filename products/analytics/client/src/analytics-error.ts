/** The error of this package. */
import type { ProblemCode } from '@privacy-edge/dap';

/** Why something failed, for programs. */
export type AnalyticsErrorCode =
  /** A task document is malformed, contradicts itself, or describes a task that nobody here can take part in. */
  | 'TASK_INVALID'
  /** A value is none that the task measures. */
  | 'VALUE_INVALID'
  /** The HPKE configurations of an aggregator could not be fetched, or are no HPKE configurations. */
  | 'KEYS_UNAVAILABLE'
  /** None of the HPKE configurations of an aggregator can be used here. */
  | 'KEYS_UNUSABLE'
  /** No answer came, or its connection broke; whether the request was processed is not known. */
  | 'UNREACHABLE'
  /** No answer came within `timeoutMs`; whether the request was processed is not known. */
  | 'TIMEOUT'
  /** The answer is an error. `status` tells which, and `problem` too where the server says more. */
  | 'REFUSED'
  /** The answer is not what it has to be: truncated, too long, of another kind, malformed. */
  | 'ANSWER_INVALID'
  /** The leader does not take the report, or the task's interval does not contain it; `reportError` tells why. */
  | 'REPORT_REFUSED'
  /** A query names no batch of the task. */
  | 'QUERY_INVALID'
  /** The shares of a result were not sealed to this key, or not for this task and query. */
  | 'OPEN_FAILED'
  /** The shares of a result do not add up to anything that the task can measure. */
  | 'RESULT_INVALID';

/** What goes along with an {@link AnalyticsError}. */
export interface AnalyticsErrorOptions extends ErrorOptions {
  /** Where in a task document, such as `statistic.features[0].step`. */
  readonly path?: string | undefined;
  /** HTTP status of an answer. */
  readonly status?: number | undefined;
  /** What the server says is wrong, in the words of DAP §3.6. */
  readonly problem?: ProblemCode | undefined;
  /** What the leader says is wrong with a report: a name of DAP §4.1 in lower case, or `other`. */
  readonly reportError?: string | undefined;
  /** Which of many values, from 0. */
  readonly index?: number | undefined;
}

/**
 * Every failure of this package, but the reason of an aborted signal. Holds no measured value, no share, no key, no token
 * and no address; neither does its cause.
 */
export class AnalyticsError extends Error {
  override readonly name: string = 'AnalyticsError';
  readonly code: AnalyticsErrorCode;
  /** Only with `TASK_INVALID`. */
  readonly path: string | undefined;
  /** Only with `REFUSED` and `KEYS_UNAVAILABLE`. */
  readonly status: number | undefined;
  /** Only with `REFUSED`, and only where the server sent a problem document of DAP. */
  readonly problem: ProblemCode | undefined;
  /** Only with `REPORT_REFUSED`. */
  readonly reportError: string | undefined;
  /** Only where one of many values is meant. */
  readonly index: number | undefined;

  /**
   * @param code - stable, for programs
   * @param message - for people; must not contain measured values
   */
  constructor(code: AnalyticsErrorCode, message: string, options: AnalyticsErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.path = options.path;
    this.status = options.status;
    this.problem = options.problem;
    this.reportError = options.reportError;
    this.index = options.index;
  }
}
