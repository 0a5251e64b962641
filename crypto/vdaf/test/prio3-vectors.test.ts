/** The vectors of the VDAF document and further ones, where they are at hand: every intermediate value, byte for byte. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fromHex, toHex } from '@privacy-edge/bytes';
import type { MeasurementOf, Prio3Configuration } from '../src/configuration.ts';
import { type Prio3Steps, prio3Steps } from '../src/prio3-steps.ts';
import { VdafError } from '../src/vdaf-error.ts';

const VECTORS = join(import.meta.dirname, '../../../../shared/vectors/vdaf');

interface Operation {
  readonly operation: string;
  readonly report_index: number;
  readonly aggregator_id: number;
  readonly success: boolean;
}

interface Report {
  readonly measurement: MeasurementOf<Prio3Configuration>;
  readonly nonce: string;
  readonly rand: string;
  readonly public_share: string;
  readonly input_shares: readonly string[];
  readonly verifier_shares: readonly (readonly string[])[];
  readonly verifier_messages: readonly string[];
  readonly out_shares: readonly string[];
}

interface Vector {
  readonly ctx: string;
  readonly verify_key: string;
  readonly shares: number;
  readonly operations: readonly Operation[];
  readonly reports: readonly Report[];
  readonly agg_shares: readonly string[];
  readonly agg_result: number | readonly number[] | null;
  readonly length: number;
  readonly max_measurement: number;
  readonly max_value: number;
  readonly max_weight: number;
  readonly max_values: readonly number[];
  readonly chunk_length: number;
}

const KINDS: Readonly<Record<string, (vector: Vector) => Prio3Configuration>> = {
  Prio3Count: () => ({ kind: 'count' }),
  Prio3Sum: (v) => ({ kind: 'sum', maxMeasurement: v.max_measurement }),
  Prio3SumVec: (v) => ({ kind: 'sumVec', ...vectorOf(v) }),
  Prio3SumVecWithMultiproof: (v) => ({ kind: 'sumVecWithMultiproof', ...vectorOf(v) }),
  Prio3Histogram: (v) => ({ kind: 'histogram', length: v.length, chunkLength: v.chunk_length }),
  Prio3MultihotCountVec: (v) => ({
    kind: 'multihotCountVec',
    length: v.length,
    maxWeight: v.max_weight,
    chunkLength: v.chunk_length,
  }),
  Prio3L1BoundSum: (v) => ({
    kind: 'l1BoundSum',
    length: v.length,
    maxValue: v.max_value,
    chunkLength: v.chunk_length,
  }),
  Prio3LinReg: (v) => ({ kind: 'linReg', maxValues: v.max_values, chunkLength: v.chunk_length }),
};

function vectorOf(v: Vector): { length: number; maxMeasurement: number; chunkLength: number } {
  return { length: v.length, maxMeasurement: v.max_measurement, chunkLength: v.chunk_length };
}

/** Runs the operations of one vector. */
class Run {
  readonly #vector: Vector;
  readonly #steps: Prio3Steps<MeasurementOf<Prio3Configuration>, unknown>;
  readonly #ctx: Uint8Array;
  readonly #states = new Map<string, Uint8Array>();

  constructor(vector: Vector, configuration: Prio3Configuration) {
    this.#vector = vector;
    this.#steps = prio3Steps(configuration, vector.shares) as Prio3Steps<MeasurementOf<Prio3Configuration>, unknown>;
    this.#ctx = fromHex(vector.ctx);
  }

  run(): void {
    for (const operation of this.#vector.operations) {
      if (operation.success) this.#perform(operation);
      else assert.throws(() => this.#perform(operation), isRejection, operation.operation);
    }
  }

  #perform(operation: Operation): void {
    const report = this.#vector.reports[operation.report_index]!;
    const id = operation.aggregator_id;
    switch (operation.operation) {
      case 'shard':
        this.#shard(report);
        break;
      case 'verify_init':
        this.#verifyInit(report, operation);
        break;
      case 'verifier_shares_to_message': {
        const message = this.#steps.verifierSharesToMessage(this.#ctx, report.verifier_shares[0]!.map(fromHex));
        assert.equal(toHex(message), report.verifier_messages[0]);
        break;
      }
      case 'verify_next': {
        const state = this.#states.get(`${operation.report_index}/${id}`)!;
        const outShare = this.#steps.verifyNext(state, fromHex(report.verifier_messages[0]!));
        assert.equal(toHex(outShare), report.out_shares[id]);
        break;
      }
      case 'aggregate': {
        const outShares = this.#vector.reports.map((one) => fromHex(one.out_shares[id]!));
        assert.equal(toHex(this.#steps.aggregate(outShares)), this.#vector.agg_shares[id]);
        break;
      }
      case 'unshard':
        this.#unshard();
        break;
      default:
        throw new TypeError(`No operation ${operation.operation}`);
    }
  }

  #shard({ measurement, nonce, rand, public_share: publicShare, input_shares: inputShares }: Report): void {
    const sharded = this.#steps.shard(this.#ctx, measurement, fromHex(nonce), fromHex(rand));
    assert.equal(toHex(sharded.publicShare), publicShare);
    assert.deepEqual(sharded.inputShares.map(toHex), inputShares);
  }

  #verifyInit(report: Report, { report_index: index, aggregator_id: id }: Operation): void {
    const { state, verifierShare } = this.#steps.verifyInit(fromHex(this.#vector.verify_key), this.#ctx, id, {
      nonce: fromHex(report.nonce),
      publicShare: fromHex(report.public_share),
      inputShare: fromHex(report.input_shares[id]!),
    });
    this.#states.set(`${index}/${id}`, state);
    assert.equal(toHex(verifierShare), report.verifier_shares[0]![id]);
  }

  #unshard(): void {
    const { agg_shares: shares, agg_result: expected, reports } = this.#vector;
    const result = this.#steps.unshard(shares.map(fromHex), reports.length);
    assert.deepEqual(numbersOf(result), [expected].flat());
  }
}

function isRejection(error: unknown): boolean {
  return error instanceof VdafError && error.code === 'REPORT_REJECTED';
}

/** Results of all kinds as one list; the vectors' numbers are exact. */
function numbersOf(result: unknown): number[] {
  if (typeof result === 'bigint') return [Number(result)];
  return Object.values(result as object).flatMap(numbersOf);
}

describe('vectors of Prio3', { skip: !existsSync(VECTORS) && 'they are not here' }, () => {
  for (const folder of ['official', 'generated', 'linreg']) {
    const path = join(VECTORS, folder);
    for (const name of existsSync(path) ? readdirSync(path) : []) {
      const configure = KINDS[name.split(/[_.]/)[0]!];
      if (configure === undefined) continue;
      it(`${folder}/${name}`, () => {
        const vector = JSON.parse(readFileSync(join(path, name), 'utf8')) as Vector & Record<string, unknown>;
        new Run('operations' in vector ? vector : withOperations(vector), configure(vector)).run();
      });
    }
  }
});

/** Vectors of a single report that only say that it must be refused. */
function withOperations(vector: Vector & Record<string, unknown>): Vector {
  const first = { report_index: 0, aggregator_id: 0, success: true };
  return {
    ...vector,
    reports: [{ ...(vector as unknown as Report), verifier_shares: [vector['verifier_shares'] as string[]] }],
    operations: [
      { ...first, operation: 'verify_init' },
      { ...first, operation: 'verify_init', aggregator_id: 1 },
      { ...first, operation: 'verifier_shares_to_message', success: false },
    ],
  };
}
