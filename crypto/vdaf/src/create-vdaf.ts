/** VDAFs from descriptions. */
import { type MeasurementOf, type Prio3Configuration, partsOf, type ResultOf } from './configuration.ts';
import type { Circuit } from './flp.ts';
import { poplar1 } from './poplar1.ts';
import type { Poplar1 } from './poplar1-types.ts';
import { prio3 } from './prio3.ts';
import type { Prio3 } from './prio3-types.ts';

/** A string of bits; the result is how many begin with each of the prefixes that the collector asks for. */
export interface Poplar1Configuration {
  readonly kind: 'poplar1';
  /** Length of the strings, bits. */
  readonly bits: number;
}

/** A VDAF and its parameters. */
export type VdafConfiguration = Prio3Configuration | Poplar1Configuration;

/** The VDAF of a configuration. */
export type VdafOf<C extends VdafConfiguration> = C extends Prio3Configuration
  ? Prio3<MeasurementOf<C>, ResultOf<C>>
  : Poplar1;

/**
 * The VDAF that a configuration describes.
 *
 * @param configuration - from anywhere; checked
 * @throws {@link VdafError} `CONFIGURATION_INVALID`
 * @see VDAF §7.4
 *
 * @example
 * const vdaf = createVdaf({ kind: 'histogram', length: 12 });
 * const { publicShare, inputShares } = vdaf.shard(ctx, 3, nonce, random(vdaf.randSize));
 */
export function createVdaf<const C extends VdafConfiguration>(configuration: C): VdafOf<C> {
  // What measurements and results are follows from the kind, which the compiler cannot see through.
  return create(configuration) as VdafOf<C>;
}

function create(configuration: VdafConfiguration): Prio3<never, unknown> | Poplar1 {
  if (configuration.kind === 'poplar1') return poplar1(configuration.bits);
  const { id, circuit, proofs } = partsOf(configuration);
  return prio3(id, circuit as Circuit<never, unknown>, proofs);
}
