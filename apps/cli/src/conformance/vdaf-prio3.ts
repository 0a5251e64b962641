/** Prio3, driven by vectors. */
import { createVdaf, type Prio3Configuration } from '@privacy-edge/vdaf';
import { type Prio3Steps, prio3Steps } from '@privacy-edge/vdaf/steps';
import type { VectorKind } from './kind.ts';
import { type DrivenVdaf, vdafCheck } from './vdaf-driver.ts';
import { type AnyVdaf, toJson } from './vdaf-ping-pong.ts';
import type { VdafSteps } from './vdaf-steps.ts';
import { attempt, readBits, readNumber, readNumbers } from './vdaf-values.ts';
import { type Vector, VectorError } from './vector.ts';

/** How the vectors of one variant are read. */
interface Variant {
  readonly configuration: (vector: Vector) => Prio3Configuration;
  readonly measurement: (value: unknown) => unknown;
}

const length = (vector: Vector): { length: number; chunkLength: number } => ({
  length: vector.integer('length'),
  chunkLength: vector.integer('chunk_length'),
});

const VARIANTS: Readonly<Record<string, Variant>> = {
  Prio3Count: { configuration: () => ({ kind: 'count' }), measurement: readNumber },
  Prio3Sum: {
    configuration: (vector) => ({ kind: 'sum', maxMeasurement: vector.integer('max_measurement') }),
    measurement: readNumber,
  },
  Prio3SumVec: {
    configuration: (vector) => ({
      kind: 'sumVec',
      ...length(vector),
      maxMeasurement: vector.integer('max_measurement'),
    }),
    measurement: readNumbers,
  },
  Prio3SumVecWithMultiproof: {
    configuration: (vector) => ({
      kind: 'sumVecWithMultiproof',
      ...length(vector),
      maxMeasurement: vector.integer('max_measurement'),
    }),
    measurement: readNumbers,
  },
  Prio3Histogram: {
    configuration: (vector) => ({ kind: 'histogram', ...length(vector) }),
    measurement: readNumber,
  },
  Prio3MultihotCountVec: {
    configuration: (vector) => ({
      kind: 'multihotCountVec',
      ...length(vector),
      maxWeight: vector.integer('max_weight'),
    }),
    measurement: (value) => readBits(value),
  },
  Prio3L1BoundSum: {
    configuration: (vector) => ({ kind: 'l1BoundSum', ...length(vector), maxValue: vector.integer('max_value') }),
    measurement: readNumbers,
  },
  Prio3LinReg: {
    configuration: (vector) => ({
      kind: 'linReg',
      maxValues: readNumbers(vector.json('max_values')),
      chunkLength: vector.integer('chunk_length'),
    }),
    measurement: readNumbers,
  },
};

/** Names of the variants, which vector files begin with. */
export const PRIO3_VARIANTS: readonly string[] = Object.keys(VARIANTS);

/** The check for vectors of one variant. */
export function prio3Check(variant: string): VectorKind['check'] {
  return vdafCheck((vector, shares) => {
    const { configuration, measurement } = VARIANTS[variant] ?? {};
    if (configuration === undefined || measurement === undefined)
      throw new VectorError('UNREADABLE', `Cannot read vector: there is no ${variant}`);
    return drivenPrio3(configuration(vector), measurement, shares);
  });
}

function drivenPrio3(
  configuration: Prio3Configuration,
  readMeasurement: Variant['measurement'],
  shares: number,
): DrivenVdaf {
  const prio3 = prio3Steps(configuration, shares) as Prio3Steps<unknown, unknown>;
  const vdaf = createVdaf(configuration) as AnyVdaf;
  const steps: VdafSteps = {
    shard(ctx, value, nonce, rand) {
      const measurement = readMeasurement(value);
      return attempt(() => prio3.shard(ctx, measurement, nonce, rand));
    },
    verifyInit({ verifyKey, ctx, aggregatorId, aggregationParameter, ...report }) {
      if (!vdaf.isValidParameter(aggregationParameter, [])) return undefined;
      const first = attempt(() => prio3.verifyInit(verifyKey, ctx, aggregatorId, report));
      return first && { kind: 'continued', ...first };
    },
    verifierSharesToMessage: (ctx, _parameter, verifierShares) =>
      attempt(() => prio3.verifierSharesToMessage(ctx, verifierShares)),
    verifyNext(state, message) {
      const outShare = attempt(() => prio3.verifyNext(state as Uint8Array, message));
      return outShare && { kind: 'finished', outShare };
    },
    aggregate: (_parameter, outShares) => prio3.aggregate(outShares),
    unshard: (_parameter, aggregateShares, reportCount) => toJson(prio3.unshard(aggregateShares, reportCount)),
  };
  return { steps, vdaf };
}
