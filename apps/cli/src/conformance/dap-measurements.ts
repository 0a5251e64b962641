/** Measurements of transcripts, by the kind of VDAF. */
import type { Task } from '@privacy-edge/dap';
import { packBits } from './vdaf-numbers.ts';
import { readBits, readNumber, readNumbers } from './vdaf-values.ts';
import { VectorError } from './vector.ts';

type Kind = Exclude<Task['vdafConfiguration']['kind'], 'unknown'>;

const READERS: Readonly<Record<Kind, (value: unknown) => unknown>> = {
  count: readNumber,
  sum: readNumber,
  sumVec: readNumbers,
  histogram: readNumber,
  multihotCountVec: (value) => readBits(value),
  l1BoundSum: readNumbers,
  linReg: readNumbers,
  poplar1: (value) => packBits(readBits(value)),
};

/** A measurement as the VDAF of a task takes it. */
export function readMeasurement({ vdafConfiguration }: Task, value: unknown): unknown {
  if (vdafConfiguration.kind === 'unknown')
    throw new VectorError('UNREADABLE', 'Cannot read vector: the VDAF of its task is unknown');
  return READERS[vdafConfiguration.kind](value);
}
