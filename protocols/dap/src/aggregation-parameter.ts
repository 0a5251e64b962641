/** Aggregation parameters. DAP §4.3. */
import { equalBytes } from '@privacy-edge/bytes';
import type { VerifyContext } from '@privacy-edge/vdaf';
import { DapError } from './dap-error.ts';
import type { AggregatedVdaf, AggregatorTask } from './task.ts';

const NOTHING = new Uint8Array(0);

/**
 * Checks the parameter of a job on its own.
 *
 * @param parameter - encoded; attacker-controlled
 * @throws {@link DapError} `INVALID_AGGREGATION_PARAMETER`
 * @see DAP §4.3
 */
export function checkParameter(vdaf: AggregatedVdaf, parameter: Uint8Array): void {
  if (!vdaf.isValidParameter(parameter, [])) {
    throw new DapError('INVALID_AGGREGATION_PARAMETER', 'Cannot aggregate: the VDAF does not allow the parameter');
  }
}

/** Whether reports can be aggregated as they arrive, because the one possible parameter is empty. DAP §4.5.2. */
export function isEager(vdaf: AggregatedVdaf): boolean {
  return vdaf.isValidParameter(NOTHING, []);
}

/** Whether a parameter is among those used before. */
export function hasParameter(parameters: readonly Uint8Array[], parameter: Uint8Array): boolean {
  return parameters.some((used) => equalBytes(used, parameter));
}

/** What all reports of a verification step share. */
export function verifyContext(task: AggregatorTask, aggregationParameter: Uint8Array): VerifyContext {
  return { verifyKey: task.verifyKey, ctx: task.context, aggregationParameter };
}
