/** Vectors of whole VDAFs. VDAF §C. */

import { SAME, type VectorKind } from './kind.ts';
import { checkOperations } from './vdaf-operations.ts';
import { type AnyVdaf, checkPingPong } from './vdaf-ping-pong.ts';
import type { VdafSteps } from './vdaf-steps.ts';
import { readVdafVector } from './vdaf-vector.ts';
import { expectSame, type Vector } from './vector.ts';

/** A VDAF as the vectors need it. */
export interface DrivenVdaf {
  /** Step by step, for any number of aggregators. */
  readonly steps: VdafSteps;
  /** In its usual form, for two. */
  readonly vdaf: AnyVdaf;
}

/**
 * The check for vectors of one VDAF: every recorded operation, then, with two aggregators, the exchange as it really is.
 *
 * @param make - makes the VDAF with the parameters of a vector and its number of aggregators
 */
export function vdafCheck(make: (vector: Vector, shares: number) => DrivenVdaf): VectorKind['check'] {
  return async (vector) => {
    const read = readVdafVector(vector);
    const { steps, vdaf } = make(vector, read.shares);
    if (vector.has('algorithm_id')) expectSame('the algorithm identifier', vdaf.id, vector.integer('algorithm_id'));
    checkOperations(read, steps);
    if (read.shares === 2) checkPingPong(read, vdaf);
    return SAME;
  };
}
