/** What went wrong with a task, an upload or a collection, in words that a person can act on. */
import { AnalyticsError, type AnalyticsErrorCode } from '@privacy-edge/analytics';
import { ObliviousError } from '@privacy-edge/gateway';
import { CliError, type CliErrorCode, systemCode } from '../cli-error.ts';
import { explain as explainOblivious } from '../fetch/explanation.ts';

const CODES: Readonly<Record<AnalyticsErrorCode, CliErrorCode>> = {
  TASK_INVALID: 'USAGE',
  VALUE_INVALID: 'FAILED',
  KEYS_UNAVAILABLE: 'UNREACHABLE',
  KEYS_UNUSABLE: 'FAILED',
  UNREACHABLE: 'UNREACHABLE',
  TIMEOUT: 'UNREACHABLE',
  REFUSED: 'FAILED',
  ANSWER_INVALID: 'FAILED',
  REPORT_REFUSED: 'FAILED',
  QUERY_INVALID: 'USAGE',
  OPEN_FAILED: 'UNTRUSTED',
  RESULT_INVALID: 'UNTRUSTED',
};

const FIXES: Partial<Readonly<Record<AnalyticsErrorCode, string>>> = {
  KEYS_UNAVAILABLE: 'check that leader and helper of the task are running',
  UNREACHABLE: 'try again later, or check that the aggregator of the task is running',
  TIMEOUT: 'try again, or raise --max-time',
  OPEN_FAILED: 'check that the key is that of this task',
  RESULT_INVALID: 'do not use this batch; ask the operators of leader and helper',
};

const PROBLEM_FIXES: Readonly<Record<string, string>> = {
  INVALID_BATCH_SIZE: 'ask again when more reports have arrived, or for a longer interval',
  BATCH_OVERLAP: 'a batch can be collected once; ask for an interval that touches no earlier one',
  UNRECOGNIZED_TASK: 'give the leader its file of this task, or wait until it has read it',
};

/**
 * An error of the analytics packages as one of the command: what, why, what to do. Others come back unchanged.
 *
 * @param failure - what the network failed with last, if it did
 */
export function explain(cause: unknown, failure?: unknown): unknown {
  if (!(cause instanceof AnalyticsError)) return cause;
  const isNetwork = cause.code === 'UNREACHABLE' || cause.code === 'TIMEOUT' || cause.code === 'KEYS_UNAVAILABLE';
  if (isNetwork && failure instanceof ObliviousError) return explainOblivious(failure);
  const at = cause.message.indexOf(': ');
  const what = at < 0 ? cause.message : cause.message.slice(0, at);
  const why = at < 0 ? 'it is not possible' : cause.message.slice(at + 2);
  const root = isNetwork ? rootCode(failure) : undefined;
  const isUntrusted = root !== undefined && /CERT|SELF_SIGNED|UNABLE_TO_VERIFY/.test(root);
  const fix = isUntrusted ? 'name a private authority with --cacert' : fixOf(cause);
  const parts = { what, why: root === undefined ? why : `${why} (${root})`, ...(fix !== undefined && { fix }) };
  return new CliError(isUntrusted ? 'UNTRUSTED' : CODES[cause.code], parts, { cause });
}

function fixOf({ code, problem, status }: AnalyticsError): string | undefined {
  if (problem !== undefined) return PROBLEM_FIXES[problem];
  if (status === 401 || status === 403) return 'check that the file is that of the collector of this task';
  return FIXES[code];
}

/** Code of the system error at the bottom. */
function rootCode(failure: unknown): string | undefined {
  let code: string | undefined;
  for (let at = failure; at instanceof Error; at = at.cause) code = systemCode(at) ?? code;
  return code;
}
