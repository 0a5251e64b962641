/** A vector of a whole VDAF. VDAF §C. */
import { type Vector, VectorError } from './vector.ts';

/** One step that a vector asks for. */
export interface Operation {
  readonly name: string;
  readonly success: boolean;
  /** Number of the round; 0 where the step has none. */
  readonly round: number;
  readonly aggregatorId: number;
  readonly reportIndex: number;
}

/** One report with everything recorded about it. */
export interface RecordedReport {
  readonly measurement: unknown;
  readonly nonce: Uint8Array;
  readonly rand: Uint8Array;
  readonly publicShare: Uint8Array;
  readonly inputShares: readonly Uint8Array[];
  /** By round, then by aggregator. */
  readonly verifierShares: readonly (readonly Uint8Array[])[];
  /** By round. */
  readonly verifierMessages: readonly Uint8Array[];
  readonly outShares: readonly Uint8Array[];
}

/** The whole. */
export interface VdafVector {
  readonly ctx: Uint8Array;
  readonly verifyKey: Uint8Array;
  readonly aggregationParameter: Uint8Array;
  /** Number of aggregators. */
  readonly shares: number;
  readonly reports: readonly RecordedReport[];
  readonly operations: readonly Operation[];
  readonly aggregateShares: readonly Uint8Array[];
  readonly aggregateResult: unknown;
}

/** Reads a vector in the form of the draft, or a single report to refuse, whose `expect` says where. */
export function readVdafVector(vector: Vector): VdafVector {
  const common = {
    ctx: vector.hex('ctx'),
    verifyKey: vector.hex('verify_key'),
    shares: vector.integer('shares'),
  };
  if (vector.has('expect')) return { ...common, ...readRefusal(vector) };
  return {
    ...common,
    aggregationParameter: vector.hex('agg_param'),
    reports: vector.vectors('reports').map(readReport),
    operations: vector.vectors('operations').map(readOperation),
    aggregateShares: vector.hexList('agg_shares'),
    aggregateResult: vector.json('agg_result'),
  };
}

function readReport(report: Vector): RecordedReport {
  return {
    measurement: report.json('measurement'),
    nonce: report.hex('nonce'),
    rand: report.hex('rand'),
    publicShare: report.hex('public_share'),
    inputShares: report.hexList('input_shares'),
    verifierShares: report.hexLists('verifier_shares'),
    verifierMessages: report.hexList('verifier_messages'),
    outShares: report.hexList('out_shares'),
  };
}

function readOperation(operation: Vector): Operation {
  const optional = (name: string): number => (operation.has(name) ? operation.integer(name) : 0);
  return {
    name: operation.text('operation'),
    success: operation.flag('success'),
    round: optional('round'),
    aggregatorId: optional('aggregator_id'),
    reportIndex: optional('report_index'),
  };
}

/** `expect` is the name of a step and "fails": every step before it has to succeed. */
function readRefusal(vector: Vector): Omit<VdafVector, 'ctx' | 'verifyKey' | 'shares'> {
  const expected = vector.text('expect');
  if (expected !== 'verifier_shares_to_message fails')
    throw new VectorError('UNREADABLE', `Cannot read vector: "${expected}" is no known expectation`);
  const inputShares = vector.hexList('input_shares');
  const step = { round: 0, reportIndex: 0, aggregatorId: 0, success: true };
  return {
    aggregationParameter: new Uint8Array(0),
    reports: [
      {
        measurement: undefined,
        nonce: vector.hex('nonce'),
        rand: new Uint8Array(0),
        publicShare: vector.hex('public_share'),
        inputShares,
        verifierShares: [vector.hexList('verifier_shares')],
        verifierMessages: [],
        outShares: [],
      },
    ],
    operations: [
      ...inputShares.map((_, aggregatorId) => ({ ...step, name: 'verify_init', aggregatorId })),
      { ...step, name: 'verifier_shares_to_message', success: false },
    ],
    aggregateShares: [],
    aggregateResult: undefined,
  };
}

/** The element at a place that another part of the vector names. */
export function recorded<T>(list: readonly T[] | undefined, index: number, what: string): T {
  const found = list?.[index];
  if (found === undefined) throw new VectorError('UNREADABLE', `Cannot read vector: there is no ${what} ${index}`);
  return found;
}
