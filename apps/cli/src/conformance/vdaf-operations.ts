/** The operations of a vector, in order, each with the recorded values as its input. VDAF §C. */

import type { VdafSteps } from './vdaf-steps.ts';
import { type Operation, recorded, type VdafVector } from './vdaf-vector.ts';
import { expectBytes, expectSame, VectorError } from './vector.ts';

/** A vector that is being worked through. */
interface Run {
  readonly vector: VdafVector;
  readonly steps: VdafSteps;
  /** Newest state of an aggregator for a report, by `place`. */
  readonly states: Map<string, unknown>;
}

/** Performs one operation; says whether it succeeded, and throws when its output is not the recorded one. */
type Perform = (run: Run, operation: Operation) => boolean;

const OPERATIONS: Readonly<Record<string, Perform>> = {
  shard,
  verify_init: verifyInit,
  verifier_shares_to_message: combine,
  verify_next: verifyNext,
  aggregate,
  unshard,
};

/**
 * Performs all operations.
 *
 * @throws {@link VectorError} for the first that comes out otherwise than recorded
 */
export function checkOperations(vector: VdafVector, steps: VdafSteps): void {
  if (vector.operations.length === 0)
    throw new VectorError('UNREADABLE', 'Cannot read vector: there are no operations in it');
  const run: Run = { vector, steps, states: new Map() };
  for (const [i, operation] of vector.operations.entries()) {
    const perform = Object.hasOwn(OPERATIONS, operation.name) ? OPERATIONS[operation.name] : undefined;
    if (perform === undefined)
      throw new VectorError('UNREADABLE', `Cannot read vector: "${operation.name}" is no known operation`);
    expectSame(`success of operation ${i}, ${describe(operation)},`, perform(run, operation), operation.success);
  }
}

function describe({ name, reportIndex, aggregatorId, round }: Operation): string {
  return `${name} of report ${reportIndex}, aggregator ${aggregatorId}, round ${round}`;
}

function place({ reportIndex, aggregatorId }: Operation): string {
  return `${reportIndex}/${aggregatorId}`;
}

function shard({ vector, steps }: Run, { reportIndex }: Operation): boolean {
  const report = recorded(vector.reports, reportIndex, 'report');
  const shards = steps.shard(vector.ctx, report.measurement, report.nonce, report.rand);
  if (shards === undefined) return false;
  expectBytes(`public share ${reportIndex}`, shards.publicShare, report.publicShare);
  expectSame(`number of input shares ${reportIndex}`, shards.inputShares.length, report.inputShares.length);
  for (const [id, share] of shards.inputShares.entries())
    expectBytes(`input share ${reportIndex}/${id}`, share, recorded(report.inputShares, id, 'input share'));
  return true;
}

function verifyInit({ vector, steps, states }: Run, operation: Operation): boolean {
  const { reportIndex, aggregatorId } = operation;
  const report = recorded(vector.reports, reportIndex, 'report');
  const next = steps.verifyInit({
    ...vector,
    aggregatorId,
    nonce: report.nonce,
    publicShare: report.publicShare,
    inputShare: recorded(report.inputShares, aggregatorId, 'input share'),
  });
  if (next === undefined) return false;
  const shares = recorded(report.verifierShares, 0, 'round');
  expectBytes(
    `verifier share ${place(operation)}`,
    next.verifierShare,
    recorded(shares, aggregatorId, 'verifier share'),
  );
  states.set(place(operation), next.state);
  return true;
}

function combine({ vector, steps }: Run, { reportIndex, round }: Operation): boolean {
  const report = recorded(vector.reports, reportIndex, 'report');
  const shares = recorded(report.verifierShares, round, 'round');
  const message = steps.verifierSharesToMessage(vector.ctx, vector.aggregationParameter, shares);
  if (message === undefined) return false;
  const expected = recorded(report.verifierMessages, round, 'verifier message');
  expectBytes(`verifier message ${round} of report ${reportIndex}`, message, expected);
  return true;
}

function verifyNext({ vector, steps, states }: Run, operation: Operation): boolean {
  const { reportIndex, aggregatorId, round } = operation;
  const report = recorded(vector.reports, reportIndex, 'report');
  if (!states.has(place(operation)))
    throw new VectorError('UNREADABLE', `Cannot read vector: ${describe(operation)} comes before verify_init`);
  const message = recorded(report.verifierMessages, round - 1, 'verifier message');
  const next = steps.verifyNext(states.get(place(operation)), message);
  if (next === undefined) return false;
  if (next.kind === 'finished') {
    const expected = recorded(report.outShares, aggregatorId, 'output share');
    expectBytes(`output share ${place(operation)}`, next.outShare, expected);
    return true;
  }
  const shares = recorded(report.verifierShares, round, 'round');
  const expected = recorded(shares, aggregatorId, 'verifier share');
  expectBytes(`verifier share ${place(operation)} of round ${round}`, next.verifierShare, expected);
  states.set(place(operation), next.state);
  return true;
}

function aggregate({ vector, steps }: Run, { aggregatorId }: Operation): boolean {
  const outShares = vector.reports.map((report) => recorded(report.outShares, aggregatorId, 'output share'));
  const share = steps.aggregate(vector.aggregationParameter, outShares);
  const expected = recorded(vector.aggregateShares, aggregatorId, 'aggregate share');
  expectBytes(`aggregate share ${aggregatorId}`, share, expected);
  return true;
}

function unshard({ vector, steps }: Run): boolean {
  const { aggregationParameter, aggregateShares, aggregateResult, reports } = vector;
  expectSame('the result', steps.unshard(aggregationParameter, aggregateShares, reports.length), aggregateResult);
  return true;
}
