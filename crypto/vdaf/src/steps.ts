/**
 * The algorithms of the VDAFs one by one, with everything encoded, for comparison with test vectors. Protocols use the
 * package's main entry, which leaves out no check.
 */
export { type FieldSteps, fieldSteps64, fieldSteps128, fieldSteps255, type PolynomialSteps } from './field-steps.ts';
export { type FlpStepLengths, type FlpSteps, flpSteps } from './flp-steps.ts';
export {
  type IdpfKeys,
  idpfEvaluate,
  idpfGenerate,
  poplar1SharesToMessage,
  poplar1VerifyInit,
  poplar1VerifyNext,
  xofFixedKeyAes128,
} from './poplar1-steps.ts';
export type { ShardedReport } from './prio3-shard.ts';
export { type Prio3Steps, prio3Steps, type VerifyInitResult } from './prio3-steps.ts';
export { xofTurboShake128 } from './turboshake-stream.ts';
