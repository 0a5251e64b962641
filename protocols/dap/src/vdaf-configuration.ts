/**
 * Parameters of the VDAFs, as a task configuration carries them. DAP §B, L1 Bound Sum §6, and one of our own.
 *
 * The kinds that are known have the names they have in `createVdaf`, which takes them as they are.
 */
import { DecodeError, Reader, Writer } from '@privacy-edge/bytes';
import {
  VDAF_POPLAR1,
  VDAF_PRIO3_COUNT,
  VDAF_PRIO3_HISTOGRAM,
  VDAF_PRIO3_L1_BOUND_SUM,
  VDAF_PRIO3_LIN_REG,
  VDAF_PRIO3_MULTIHOT_COUNT_VEC,
  VDAF_PRIO3_SUM,
  VDAF_PRIO3_SUM_VEC,
} from './registry.ts';
import { readExactUint64, writeUint64 } from './uint64.ts';

/** Prio3Count has no parameters. */
export interface CountConfiguration {
  readonly kind: 'count';
}

/** Prio3Sum. */
export interface SumConfiguration {
  readonly kind: 'sum';
  /** Largest summand. */
  readonly maxMeasurement: number | bigint;
}

/** Prio3SumVec. */
export interface SumVecConfiguration {
  readonly kind: 'sumVec';
  /** Entries of the vector. */
  readonly length: number;
  /** Largest summand. */
  readonly maxMeasurement: number | bigint;
  readonly chunkLength: number;
}

/** Prio3Histogram. */
export interface HistogramConfiguration {
  readonly kind: 'histogram';
  /** Buckets of the histogram. */
  readonly length: number;
  readonly chunkLength: number;
}

/** Prio3MultihotCountVec. */
export interface MultihotCountVecConfiguration {
  readonly kind: 'multihotCountVec';
  /** Entries of the vector. */
  readonly length: number;
  readonly chunkLength: number;
  /** How many entries may be set; refused above 2^53 - 1, where no vector is as long. */
  readonly maxWeight: number;
}

/** Poplar1. */
export interface Poplar1Configuration {
  readonly kind: 'poplar1';
  /** Length of the strings, bits. */
  readonly bits: number;
}

/** Prio3L1BoundSum. */
export interface L1BoundSumConfiguration {
  readonly kind: 'l1BoundSum';
  /** Entries of the vector. */
  readonly length: number;
  /** Largest entry, and largest sum of the entries. */
  readonly maxValue: number | bigint;
  readonly chunkLength: number;
}

/** Prio3LinReg, a private type. */
export interface LinRegConfiguration {
  readonly kind: 'linReg';
  /** Largest value of each feature, then that of the outcome; at least two. */
  readonly maxValues: readonly (number | bigint)[];
  readonly chunkLength: number;
}

/** A type that this package does not know. */
export interface UnknownConfiguration {
  readonly kind: 'unknown';
  /** 32 bits. */
  readonly vdafType: number;
  /** As it came. */
  readonly vdafConfiguration: Uint8Array;
}

/** A VDAF and its parameters. Whether they make sense is for the VDAF to say. */
export type VdafConfiguration = KnownConfiguration | UnknownConfiguration;

type KnownConfiguration =
  | CountConfiguration
  | SumConfiguration
  | SumVecConfiguration
  | HistogramConfiguration
  | MultihotCountVecConfiguration
  | Poplar1Configuration
  | L1BoundSumConfiguration
  | LinRegConfiguration;

/** A VDAF as the fields of a task configuration name it. */
export interface EncodedVdafConfiguration {
  readonly vdafType: number;
  readonly vdafConfiguration: Uint8Array;
}

interface Row<C> {
  readonly vdafType: number;
  read(reader: Reader): C;
  write(writer: Writer, configuration: C): void;
}

type Rows = { readonly [C in KnownConfiguration as C['kind']]: Row<C> };

const ROWS: Rows = {
  count: {
    vdafType: VDAF_PRIO3_COUNT,
    read: () => ({ kind: 'count' }),
    write: () => {},
  },
  sum: {
    vdafType: VDAF_PRIO3_SUM,
    read: (reader) => ({ kind: 'sum', maxMeasurement: readExactUint64(reader) }),
    write: (writer, { maxMeasurement }) => {
      writeUint64(writer, maxMeasurement);
    },
  },
  sumVec: {
    vdafType: VDAF_PRIO3_SUM_VEC,
    read: (reader) => ({
      kind: 'sumVec',
      length: reader.u32(),
      maxMeasurement: readExactUint64(reader),
      chunkLength: reader.u32(),
    }),
    write: (writer, { length, maxMeasurement, chunkLength }) => {
      writeUint64(writer.u32(length), maxMeasurement);
      writer.u32(chunkLength);
    },
  },
  histogram: {
    vdafType: VDAF_PRIO3_HISTOGRAM,
    read: (reader) => ({ kind: 'histogram', length: reader.u32(), chunkLength: reader.u32() }),
    write: (writer, { length, chunkLength }) => {
      writer.u32(length).u32(chunkLength);
    },
  },
  multihotCountVec: {
    vdafType: VDAF_PRIO3_MULTIHOT_COUNT_VEC,
    // Unlike in SumVec, the chunk length comes before the bound.
    read: (reader) => ({
      kind: 'multihotCountVec',
      length: reader.u32(),
      chunkLength: reader.u32(),
      maxWeight: reader.u64(),
    }),
    write: (writer, { length, chunkLength, maxWeight }) => {
      writer.u32(length).u32(chunkLength).u64(maxWeight);
    },
  },
  poplar1: {
    vdafType: VDAF_POPLAR1,
    read: (reader) => ({ kind: 'poplar1', bits: reader.u16() }),
    write: (writer, { bits }) => {
      writer.u16(bits);
    },
  },
  l1BoundSum: {
    vdafType: VDAF_PRIO3_L1_BOUND_SUM,
    read: (reader) => ({
      kind: 'l1BoundSum',
      length: reader.u32(),
      maxValue: readExactUint64(reader),
      chunkLength: reader.u32(),
    }),
    write: (writer, { length, maxValue, chunkLength }) => {
      writeUint64(writer.u32(length), maxValue);
      writer.u32(chunkLength);
    },
  },
  linReg: {
    vdafType: VDAF_PRIO3_LIN_REG,
    read: (reader) => ({ kind: 'linReg', maxValues: readMaxValues(reader), chunkLength: reader.u32() }),
    write: (writer, { maxValues, chunkLength }) => {
      const list = new Writer(8 * maxValues.length);
      for (const value of maxValues) writeUint64(list, value);
      writer.vector(2, list.finish()).u32(chunkLength);
    },
  },
};

/** uint64 max_values<16..2^16-8> */
function readMaxValues(reader: Reader): (number | bigint)[] {
  const list = new Reader(reader.vector(2), 'VDAF configuration');
  if (list.remaining < 16) throw new DecodeError('INVALID', 'A regression needs a feature and an outcome');
  const values: (number | bigint)[] = [];
  while (list.remaining > 0) values.push(readExactUint64(list));
  return values;
}

const ROWS_BY_TYPE: ReadonlyMap<number, Row<KnownConfiguration>> = new Map(
  // The union of rows is a row of the union for reading, which is all that this map is for.
  (Object.values(ROWS) as Row<KnownConfiguration>[]).map((row) => [row.vdafType, row]),
);

/**
 * Reads the parameters of a VDAF.
 *
 * @param vdafType - 32 bits
 * @param vdafConfiguration - attacker-controlled; kept by reference for an unknown type
 * @throws {@link DecodeError} when it is not what a known type has
 * @see DAP §B
 */
export function decodeVdafConfiguration(vdafType: number, vdafConfiguration: Uint8Array): VdafConfiguration {
  const row = ROWS_BY_TYPE.get(vdafType);
  if (row === undefined) return { kind: 'unknown', vdafType, vdafConfiguration };
  const reader = new Reader(vdafConfiguration, 'VDAF configuration');
  const configuration = row.read(reader);
  reader.end();
  return configuration;
}

/**
 * The fields of a task configuration for a VDAF.
 *
 * @throws {RangeError} for a number that does not fit
 * @see DAP §B
 */
export function encodeVdafConfiguration(configuration: VdafConfiguration): EncodedVdafConfiguration {
  if (configuration.kind === 'unknown') {
    const { vdafType, vdafConfiguration } = configuration;
    return { vdafType, vdafConfiguration };
  }
  // The row of its own kind takes it.
  const row = ROWS[configuration.kind] as Row<KnownConfiguration>;
  const writer = new Writer(32);
  row.write(writer, configuration);
  return { vdafType: row.vdafType, vdafConfiguration: writer.finish() };
}
