/** Problem types. DAP §3.6. */
import type { ProblemCode } from './dap-error.ts';

const NAMESPACE = 'urn:ietf:params:ppm:dap:error:';

const TOKENS: Readonly<Record<ProblemCode, string>> = {
  INVALID_MESSAGE: 'invalidMessage',
  UNRECOGNIZED_TASK: 'unrecognizedTask',
  UNRECOGNIZED_AGGREGATION_JOB: 'unrecognizedAggregationJob',
  BATCH_INVALID: 'batchInvalid',
  INVALID_BATCH_SIZE: 'invalidBatchSize',
  INVALID_AGGREGATION_PARAMETER: 'invalidAggregationParameter',
  BATCH_MISMATCH: 'batchMismatch',
  STEP_MISMATCH: 'stepMismatch',
  BATCH_OVERLAP: 'batchOverlap',
  UNSUPPORTED_EXTENSION: 'unsupportedExtension',
  INVALID_EXTENSION: 'invalidExtension',
  INVALID_TASK: 'invalidTask',
};

const CODES: ReadonlyMap<string, ProblemCode> = new Map(
  Object.entries(TOKENS).map(([code, token]) => [NAMESPACE + token, code as ProblemCode]),
);

/**
 * `type` of the problem document for a failure.
 *
 * @returns a URN of the standard's namespace
 * @see DAP §3.6
 */
export function problemType(code: ProblemCode): string {
  return NAMESPACE + TOKENS[code];
}

/** Whether a code has a problem type: the others are never told to a peer. */
export function isProblemCode(code: string): code is ProblemCode {
  return Object.hasOwn(TOKENS, code);
}

/**
 * The failure that a problem document tells of.
 *
 * @param type - its `type`, from a peer
 * @returns undefined for a type of somebody else
 */
export function problemCode(type: string): ProblemCode | undefined {
  return CODES.get(type);
}
