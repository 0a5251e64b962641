/** Vectors of extendable output functions. VDAF §6.2. */
import { xofFixedKeyAes128, xofTurboShake128 } from '@privacy-edge/vdaf/steps';
import { SAME, type VectorKind } from './kind.ts';
import { decodeElements, encodeElements, MODULUS128 } from './vdaf-numbers.ts';
import { expectBytes, VectorError } from './vector.ts';

/** The first `length` bytes of a stream. */
type Xof = (seed: Uint8Array, dst: Uint8Array, binder: Uint8Array, length: number) => Uint8Array;

/** Elements that are taken from a stream before the check gives up; of 2^59 hardly one is refused. */
const MARGIN = 8;

function xofCheck(xof: Xof, seedSize: number): VectorKind['check'] {
  return async (vector) => {
    const [seed, dst, binder] = [vector.hex('seed'), vector.hex('dst'), vector.hex('binder')];
    if (seed.length !== seedSize)
      throw new VectorError('UNREADABLE', 'Cannot read vector: the seed has another length');
    expectBytes('derived seed', xof(seed, dst, binder, seedSize), vector.hex('derived_seed'));
    const length = vector.integer('length');
    const stream = decodeElements(xof(seed, dst, binder, 16 * (length + MARGIN)), 16);
    const elements = stream.filter((element) => element < MODULUS128).slice(0, length);
    expectBytes('expanded vector', encodeElements(elements, 16), vector.hex('expanded_vec_field128'));
    return SAME;
  };
}

/** XofTurboShake128. VDAF §6.2.1. */
export const checkXofTurboShake128: VectorKind['check'] = xofCheck(xofTurboShake128, 32);
/** XofFixedKeyAes128. VDAF §6.2.2. */
export const checkXofFixedKeyAes128: VectorKind['check'] = xofCheck(xofFixedKeyAes128, 16);
