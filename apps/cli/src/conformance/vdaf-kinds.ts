/** Kinds of vector files about VDAFs. */
import type { VectorKind } from './kind.ts';
import { vdafCheck } from './vdaf-driver.ts';
import { checkField } from './vdaf-field-driver.ts';
import { checkFlp, checkRangeCheckedInteger } from './vdaf-flp-driver.ts';
import { checkIdpf, drivenPoplar1 } from './vdaf-poplar1.ts';
import { PRIO3_VARIANTS, prio3Check } from './vdaf-prio3.ts';
import { checkXofFixedKeyAes128, checkXofTurboShake128 } from './vdaf-xof-driver.ts';

/** A kind for files that lie in the folder itself and for files one below. */
function anywhere(file: string, kind: Omit<VectorKind, 'pattern'>): VectorKind[] {
  return [`vdaf/${file}`, `vdaf/*/${file}`].map((pattern) => ({ pattern, ...kind }));
}

/** Every kind of the area `vdaf`. */
export const VDAF_KINDS: readonly VectorKind[] = [
  ...PRIO3_VARIANTS.flatMap((variant) =>
    anywhere(`${variant}_*.json`, { title: variant, single: true, check: prio3Check(variant) }),
  ),
  ...anywhere('Poplar1_*.json', { title: 'Poplar1', single: true, check: vdafCheck(drivenPoplar1) }),
  ...anywhere('IdpfBBCGGI21_*.json', { title: 'IDPF', single: true, check: checkIdpf }),
  ...anywhere('XofTurboShake128*.json', { title: 'XofTurboShake128', single: true, check: checkXofTurboShake128 }),
  ...anywhere('fields*.json', { title: 'fields and polynomials', check: checkField }),
  ...anywhere('flp*.json', { title: 'proofs', check: checkFlp }),
  ...anywhere('range_checked_int*.json', { title: 'range-checked integers', check: checkRangeCheckedInteger }),
  ...anywhere('XofFixedKeyAes128*.json', { title: 'XofFixedKeyAes128', single: true, check: checkXofFixedKeyAes128 }),
];
