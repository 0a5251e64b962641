/**
 * Working memory of the functions that call nobody who works on elements. All of it is in one place, so that it can be
 * wiped: what is left in it is made of secrets.
 */
const SCRATCH: usize = memory.data(832, 16);

/** The sponge's state: 25 lanes, each as wide as a `v128`. */
export const STATE: usize = SCRATCH;

/** Limbs of a field128 element, each for one owner. */
export const CONSTANT: usize = SCRATCH + 400;
export const HALF: usize = SCRATCH + 440;
export const PARTIAL: usize = SCRATCH + 480;
export const KEPT: usize = SCRATCH + 520;
export const STEP: usize = SCRATCH + 560;
export const FIRST: usize = SCRATCH + 600;
export const SECOND: usize = SCRATCH + 640;
export const SUM: usize = SCRATCH + 680;
export const PRODUCT: usize = SCRATCH + 720;

/** An encoded element of an affine computation, and one of a decision. */
export const AFFINE: usize = SCRATCH + 768;
export const DECIDED: usize = SCRATCH + 784;

/** Forgets everything that is not in memory of the caller. */
export function wipe(): void {
  memory.fill(SCRATCH, 0, 832);
}
