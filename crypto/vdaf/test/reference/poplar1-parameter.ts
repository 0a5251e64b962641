/** Aggregation parameter of Poplar1. VDAF §8.2.6.6. */
import { bigEndian, concat, fromBigEndian, split } from './bytes.ts';
import { demand } from './refusal.ts';

/** A level of the tree and candidates for the first `level + 1` bits of a measurement. */
export interface Poplar1Parameter {
  readonly level: number;
  readonly prefixes: readonly (readonly boolean[])[];
}

/** Level, number of prefixes, prefixes with the first bit most significant. */
export function encodeParameter({ level, prefixes }: Poplar1Parameter): Uint8Array {
  return concat(
    bigEndian(level, 2),
    bigEndian(prefixes.length, 4),
    ...prefixes.map((prefix) => {
      const bytes = new Uint8Array(Math.ceil((level + 1) / 8));
      for (const [i, bit] of prefix.entries()) bytes[i >> 3]! |= Number(bit) << (7 - (i & 7));
      return bytes;
    }),
  );
}

/** Undoes {@link encodeParameter}; unused bits have to be zero. */
export function decodeParameter(bytes: Uint8Array): Poplar1Parameter {
  demand(bytes.length >= 6, 'an aggregation parameter is too short');
  const level = fromBigEndian(bytes.slice(0, 2));
  const count = fromBigEndian(bytes.slice(2, 6));
  const size = Math.ceil((level + 1) / 8);
  demand(bytes.length === 6 + count * size, 'an aggregation parameter has the wrong length');
  const prefixes = split(bytes.slice(6), new Array<number>(count).fill(size)).map((packed) => {
    const bits = [...packed].flatMap((byte) => Array.from({ length: 8 }, (_, i) => ((byte >> (7 - i)) & 1) === 1));
    demand(!bits.slice(level + 1).includes(true), 'a prefix has trailing bits');
    return bits.slice(0, level + 1);
  });
  return { level, prefixes };
}

/** Whether it may be used after all those before: prefixes in order, deeper than and below the last. VDAF §8.2.3. */
export function isValidAfter(parameter: Poplar1Parameter, previous: readonly Poplar1Parameter[]): boolean {
  const names = parameter.prefixes.map(nameOf);
  const ordered = names.every((name, i) => i === 0 || names[i - 1]! < name);
  const last = previous.at(-1);
  if (!ordered || last === undefined) return ordered;
  const ancestors = new Set(last.prefixes.map(nameOf));
  return parameter.level > last.level && names.every((name) => ancestors.has(name.slice(0, last.level + 1)));
}

function nameOf(prefix: readonly boolean[]): string {
  return prefix.map((bit) => (bit ? '1' : '0')).join('');
}
