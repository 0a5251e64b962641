/** Random parameters, and random measurements with the result that they should have. */
import { encodePrefixes, type VdafConfiguration } from '@privacy-edge/vdaf';

/** Random whole numbers from 0 up to a limit, which is not among them. */
export type Draw = (limit: number) => number;

/** A VDAF with parameters, and what is measured with it. */
export interface Instance {
  readonly configuration: VdafConfiguration;
  readonly aggregationParameter: Uint8Array;
  readonly measurements: readonly unknown[];
  /** As decimal text, or a list of it. */
  readonly result: unknown;
}

/** The VDAFs that both implementations have. */
export const KINDS = ['count', 'sum', 'sumVec', 'histogram', 'multihotCountVec', 'l1BoundSum', 'poplar1'] as const;
export type Kind = (typeof KINDS)[number];

/** Always the same numbers for the same seed, so that a failed row can be run again. */
export function drawFrom(seed: number): Draw {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
}

/** A VDAF of a kind with random parameters, and so many random measurements. */
export function drawInstance(kind: Kind, draw: Draw, count: number): Instance {
  return MAKERS[kind](draw, count);
}

const NOTHING = new Uint8Array(0);

const MAKERS: Readonly<Record<Kind, (draw: Draw, count: number) => Instance>> = {
  count: (draw, count) =>
    integers(
      { kind: 'count' },
      times(count, () => draw(2)),
    ),
  sum: (draw, count) => {
    const maxMeasurement = drawBelow(draw, 48);
    return integers(
      { kind: 'sum', maxMeasurement },
      times(count, () => draw(maxMeasurement + 1)),
    );
  },
  sumVec: (draw, count) => {
    const [length, maxMeasurement] = [1 + draw(20), drawBelow(draw, 20)];
    const chunkLength = 1 + draw(length * Math.ceil(Math.log2(maxMeasurement + 1)));
    const configuration = { kind: 'sumVec', length, maxMeasurement, chunkLength } as const;
    return vectors(
      configuration,
      times(count, () => times(length, () => draw(maxMeasurement + 1))),
    );
  },
  histogram: (draw, count) => {
    const length = 1 + draw(40);
    const chunkLength = 1 + draw(length);
    const measurements = times(count, () => draw(length));
    const rows = measurements.map((index) => times(length, (i) => Number(i === index)));
    return { ...vectors({ kind: 'histogram', length, chunkLength }, rows), measurements };
  },
  multihotCountVec: (draw, count) => {
    const length = 1 + draw(20);
    const maxWeight = 1 + draw(length);
    const chunkLength = 1 + draw(length);
    const rows = times(count, () => {
      const row = times(length, () => 0);
      for (let i = draw(maxWeight + 1); i > 0; i--) row[draw(length)] = 1;
      return row;
    });
    const measurements = rows.map((row) => row.map((one) => one === 1));
    return { ...vectors({ kind: 'multihotCountVec', length, chunkLength, maxWeight }, rows), measurements };
  },
  l1BoundSum: (draw, count) => {
    const [length, maxValue] = [1 + draw(10), drawBelow(draw, 16)];
    const chunkLength = 1 + draw(length * Math.ceil(Math.log2(maxValue + 1)));
    const rows = times(count, () => {
      const row = times(length, () => 0);
      for (let left = draw(maxValue + 1), i = 0; i < length; i++) {
        const part = draw(left + 1);
        row[i] = part;
        left -= part;
      }
      return row;
    });
    return vectors({ kind: 'l1BoundSum', length, maxValue, chunkLength }, rows);
  },
  poplar1: (draw, count) => {
    const bits = 1 + draw(20);
    const measurements = times(count, () => times(bits, () => draw(2) === 1));
    const level = draw(bits);
    // Some prefixes of what was measured, and some of what perhaps was not.
    const text = (string: readonly boolean[]): string => string.map(Number).join('');
    const drawn = times(1 + draw(3), () => times(level + 1, () => draw(2) === 1));
    const known = measurements.slice(0, draw(count + 1)).map((string) => string.slice(0, level + 1));
    const prefixes = [...new Set([...drawn, ...known].map(text))].sort();
    const result = prefixes.map((prefix) =>
      String(measurements.filter((string) => text(string).startsWith(prefix)).length),
    );
    const aggregationParameter = encodePrefixes(level, prefixes.map(packed));
    return { configuration: { kind: 'poplar1', bits }, aggregationParameter, measurements, result };
  },
};

function integers(configuration: VdafConfiguration, measurements: readonly number[]): Instance {
  const result = String(measurements.reduce((sum, one) => sum + one, 0));
  return { configuration, aggregationParameter: NOTHING, measurements, result };
}

function vectors(configuration: VdafConfiguration, measurements: readonly (readonly number[])[]): Instance {
  const [first = []] = measurements;
  const result = first.map((_, i) => String(measurements.reduce((sum, row) => sum + (row[i] ?? 0), 0)));
  return { configuration, aggregationParameter: NOTHING, measurements, result };
}

/** From 1 up to so many bits, all lengths alike. */
function drawBelow(draw: Draw, bits: number): number {
  return 1 + draw(2 ** (1 + draw(bits)) - 1);
}

function times<T>(count: number, make: (i: number) => T): T[] {
  return Array.from({ length: count }, (_, i) => make(i));
}

function packed(text: string): Uint8Array {
  const padded = text.padEnd(8 * Math.ceil(text.length / 8), '0');
  return Uint8Array.from({ length: padded.length / 8 }, (_, i) => Number.parseInt(padded.slice(8 * i, 8 * i + 8), 2));
}
