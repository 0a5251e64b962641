/** Strings as paths through a tree in which every leaf is a whole string. */
import { utf8 } from '@privacy-edge/bytes';
import { StatisticsError } from './statistics-error.ts';

/** What one step through the tree is. */
export type PathAlphabet =
  /**
   * So many bits of UTF-8, from 1 to 12. A zero byte ends a string; a string that holds one cannot be measured.
   */
  | { readonly kind: 'bits'; readonly bits: number }
  /** One character of a fixed alphabet, which holds each once. Strings with others cannot be measured. */
  | { readonly kind: 'characters'; readonly characters: string };

/** The tree: its alphabet and where long strings are cut. */
export interface PathShape {
  readonly alphabet: PathAlphabet;
  /** Longest string that is told apart: bytes of UTF-8 for bits, characters for characters. Longer ones are cut. */
  readonly maxLength: number;
}

/** What the end of a path stands for. */
export interface PathEnd {
  readonly text: string;
  /** Whether longer strings end here as well. */
  readonly truncated: boolean;
}

/**
 * Checks a shape.
 *
 * @throws {StatisticsError} `MAPPING_INVALID`
 */
export function requireShape({ alphabet, maxLength }: PathShape): void {
  const usable =
    alphabet.kind === 'bits'
      ? Number.isInteger(alphabet.bits) && alphabet.bits >= 1 && alphabet.bits <= 12
      : alphabet.characters !== '' && new Set(alphabet.characters).size === charactersOf(alphabet).length;
  if (!usable || !Number.isInteger(maxLength) || maxLength < 1 || maxLength > 4096) {
    throw new StatisticsError('MAPPING_INVALID', 'Cannot use rounds: alphabet or length is unusable');
  }
}

/** How many children a node has. Child 0 of a character is the end of the string. */
export function branchesOf({ alphabet }: PathShape): number {
  return alphabet.kind === 'bits' ? 2 ** alphabet.bits : charactersOf(alphabet).length + 1;
}

/**
 * The path of a string.
 *
 * @param text - from the application
 * @returns undefined when it cannot be measured
 */
export function pathOf(shape: PathShape, text: string): number[] | undefined {
  return shape.alphabet.kind === 'bits' ? bitPath(shape, shape.alphabet.bits, text) : characterPath(shape, text);
}

/**
 * What a path stands for if it ends a string.
 *
 * @param path - from the root
 * @returns undefined while it does not; null when no string leads there
 */
export function endOf(shape: PathShape, path: readonly number[]): PathEnd | undefined | null {
  return shape.alphabet.kind === 'bits' ? bitEnd(shape, shape.alphabet.bits, path) : characterEnd(shape, path);
}

function bitPath({ maxLength }: PathShape, bits: number, text: string): number[] | undefined {
  const bytes = utf8(text);
  if (bytes.includes(0)) return undefined;
  const measured = [...bytes.subarray(0, maxLength), ...(bytes.length < maxLength ? [0] : [])];
  const path: number[] = [];
  for (let at = 0; at < measured.length * 8; at += bits) {
    let symbol = 0;
    for (let bit = at; bit < at + bits; bit++) symbol = (symbol << 1) | bitAt(measured, bit);
    path.push(symbol);
  }
  return path;
}

function bitAt(bytes: readonly number[], bit: number): number {
  return ((bytes[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1;
}

function bitEnd({ maxLength }: PathShape, bits: number, path: readonly number[]): PathEnd | undefined | null {
  const flat = path.flatMap((symbol) => Array.from({ length: bits }, (_, i) => (symbol >> (bits - 1 - i)) & 1));
  const bytes: number[] = [];
  let at = 0;
  while (at + 8 <= flat.length && bytes.length < maxLength) {
    const byte = flat.slice(at, at + 8).reduce((value, bit) => value * 2 + bit, 0);
    at += 8;
    if (byte === 0) return rest(flat, at) ? null : { text: lossy(bytes), truncated: false };
    bytes.push(byte);
  }
  if (bytes.length < maxLength) return undefined;
  return rest(flat, at) ? null : { text: lossy(bytes), truncated: true };
}

/** Whether anything but zeros follows the end. */
function rest(flat: readonly number[], at: number): boolean {
  return flat.slice(at).includes(1);
}

function lossy(bytes: readonly number[]): string {
  // A cut can fall into a character, and a client may report any bytes.
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(bytes));
}

function characterPath({ alphabet, maxLength }: PathShape, text: string): number[] | undefined {
  const characters = charactersOf(alphabet);
  const symbols = Array.from(text, (character) => characters.indexOf(character) + 1);
  if (symbols.includes(0)) return undefined;
  return symbols.length < maxLength ? [...symbols, 0] : symbols.slice(0, maxLength);
}

function characterEnd({ alphabet, maxLength }: PathShape, path: readonly number[]): PathEnd | undefined {
  const ended = path.at(-1) === 0;
  if (!ended && path.length < maxLength) return undefined;
  const characters = charactersOf(alphabet);
  const text = path.map((symbol) => characters[symbol - 1] ?? '').join('');
  return { text, truncated: !ended };
}

/** Code points: what a client and a collector split the same way everywhere. */
function charactersOf(alphabet: PathAlphabet): string[] {
  return alphabet.kind === 'characters' ? Array.from(alphabet.characters) : [];
}
