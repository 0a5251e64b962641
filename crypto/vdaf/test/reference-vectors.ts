/** Test vectors in the form of the draft, checked against the reference and made with it. VDAF §C. */
import assert from 'node:assert/strict';
import {
  encodeParameter,
  NONCE_SIZE,
  Poplar1,
  Prio3,
  prio3Count,
  prio3Histogram,
  prio3L1BoundSum,
  prio3LinReg,
  prio3MultihotCountVec,
  prio3Sum,
  prio3SumVec,
  prio3SumVecWithMultiproof,
  Refusal,
  type Report,
  type Stream,
  type Vdaf,
  VERIFY_KEY_SIZE,
  XOF_TURBOSHAKE128,
} from './reference/index.ts';

/** One step that a vector asks for. */
export interface Operation {
  readonly operation: string;
  readonly success: boolean;
  readonly round?: number;
  readonly aggregator_id?: number;
  readonly report_index?: number;
}

/** One report of a vector. All byte strings are hexadecimal. */
export interface VectorReport {
  readonly measurement: unknown;
  readonly nonce: string;
  readonly rand: string;
  readonly public_share: string;
  readonly input_shares: readonly string[];
  /** By round, then by aggregator. */
  readonly verifier_shares: readonly (readonly string[])[];
  readonly verifier_messages: readonly string[];
  readonly out_shares: readonly string[];
}

/** Parameters of the variants, as vectors name them. */
export interface Parameters {
  readonly shares?: number;
  readonly max_measurement?: number;
  readonly max_value?: number;
  readonly max_values?: readonly number[];
  readonly max_weight?: number;
  readonly length?: number;
  readonly chunk_length?: number;
  readonly bits?: number;
}

/** A whole vector. */
export interface VdafVector extends Parameters {
  readonly shares: number;
  readonly algorithm_id?: number;
  readonly ctx: string;
  readonly verify_key: string;
  readonly agg_param: string;
  readonly agg_shares: readonly string[];
  readonly agg_result: unknown;
  readonly reports: readonly VectorReport[];
  readonly operations: readonly Operation[];
}

/** A VDAF of the reference with the types of measurement and result forgotten. */
export type AnyVdaf = Vdaf<unknown, unknown, unknown>;

const VARIANTS: Readonly<Record<string, (p: Required<Parameters>) => AnyVdaf>> = {
  Prio3Count: (p) => prio3Count(p.shares),
  Prio3Sum: (p) => prio3Sum(BigInt(p.max_measurement), p.shares),
  Prio3SumVec: (p) => prio3SumVec(p.length, BigInt(p.max_measurement), p.chunk_length, p.shares),
  Prio3SumVecWithMultiproof: (p) =>
    prio3SumVecWithMultiproof(p.length, BigInt(p.max_measurement), p.chunk_length, p.shares),
  Prio3Histogram: (p) => prio3Histogram(p.length, p.chunk_length, p.shares),
  Prio3MultihotCountVec: (p) => prio3MultihotCountVec(p.length, BigInt(p.max_weight), p.chunk_length, p.shares),
  Prio3L1BoundSum: (p) => prio3L1BoundSum(p.length, BigInt(p.max_value), p.chunk_length, p.shares),
  Prio3LinReg: (p) => prio3LinReg(p.max_values.map(BigInt), p.chunk_length, p.shares),
  Poplar1: (p) => new Poplar1(p.bits),
};

/** The reference's VDAF for a vector; `name` is that of a file or of a variant. */
function vdafOf(name: string, parameters: Parameters): AnyVdaf {
  return VARIANTS[name.split('_', 1)[0]!]!({ ...parameters, shares: parameters.shares ?? 2 } as Required<Parameters>);
}

/** Numbers of JSON as the reference takes them. */
export function fromJson(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(fromJson);
  return typeof value === 'number' ? BigInt(value) : value;
}

/** Numbers of the reference as JSON has them. */
function toJson(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toJson);
  return typeof value === 'bigint' ? Number(value) : value;
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

export function unhex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'hex'));
}

/** Performs the operations of a vector on the reference; throws for the first difference. */
export function checkVector(name: string, vector: VdafVector): void {
  const vdaf = vdafOf(name, vector);
  if (vector.algorithm_id !== undefined) assert.equal(vdaf.id, vector.algorithm_id);
  const states = vector.reports.map((): unknown[] => []);
  for (const [i, operation] of vector.operations.entries()) {
    const step = (): void => perform(vdaf, vector, operation, states);
    if (operation.success) step();
    else assert.throws(step, Refusal, `${name}: operation ${i} has to fail`);
  }
}

function perform(vdaf: AnyVdaf, vector: VdafVector, operation: Operation, states: unknown[][]): void {
  const { round = 0, aggregator_id: id = 0, report_index: index = 0 } = operation;
  const report = vector.reports[index]!;
  const [ctx, parameter] = [unhex(vector.ctx), unhex(vector.agg_param)];
  switch (operation.operation) {
    case 'shard': {
      const { publicShare, inputShares } = vdaf.shard(
        ctx,
        fromJson(report.measurement),
        unhex(report.nonce),
        unhex(report.rand),
      );
      assert.deepEqual([hex(publicShare), inputShares.map(hex)], [report.public_share, report.input_shares]);
      return;
    }
    case 'verify_init': {
      assert.equal(vdaf.isValid(parameter, []), true);
      const { state, verifierShare } = vdaf.verifyInit(
        unhex(vector.verify_key),
        ctx,
        id,
        parameter,
        unhex(report.nonce),
        unhex(report.public_share),
        unhex(report.input_shares[id]!),
      );
      assert.equal(hex(verifierShare), report.verifier_shares[0]![id]);
      states[index]![id] = state;
      return;
    }
    case 'verifier_shares_to_message': {
      const message = vdaf.verifierSharesToMessage(ctx, parameter, report.verifier_shares[round]!.map(unhex));
      assert.equal(hex(message), report.verifier_messages[round]);
      return;
    }
    case 'verify_next': {
      const next = vdaf.verifyNext(ctx, states[index]![id], unhex(report.verifier_messages[round - 1]!));
      if ('outShare' in next) assert.equal(hex(next.outShare), outShareOf(report, id));
      else {
        assert.equal(hex(next.verifierShare), report.verifier_shares[round]![id]);
        states[index]![id] = next.state;
      }
      return;
    }
    case 'aggregate': {
      const share = vdaf.aggregate(
        parameter,
        vector.reports.map((one) => unhex(outShareOf(one, id))),
      );
      assert.equal(hex(share), vector.agg_shares[id]);
      return;
    }
    case 'unshard':
      assert.deepEqual(
        toJson(vdaf.unshard(parameter, vector.agg_shares.map(unhex), vector.reports.length)),
        vector.agg_result,
      );
      return;
    default:
      assert.fail(`there is no operation ${operation.operation}`);
  }
}

function outShareOf(report: VectorReport, id: number): string {
  return report.out_shares[id]!;
}

/** Random-looking bytes that are the same in every run. */
export function repeatable(label: string): Stream {
  return XOF_TURBOSHAKE128.start(new Uint8Array(32), new TextEncoder().encode(label), new Uint8Array(0));
}

/** What a vector is made of. */
export interface Recipe {
  /** Name of the variant; also chooses the randomness. */
  readonly name: string;
  readonly parameters: Parameters;
  readonly measurements: readonly unknown[];
  /** Application context in hexadecimal. */
  readonly ctx?: string;
  readonly aggregationParameter?: PrefixSet;
}

/** Level and prefixes, of a string of bits each. */
interface PrefixSet {
  readonly level: number;
  readonly prefixes: readonly string[];
}

/** Makes a vector with the reference. */
export function makeVector(recipe: Recipe): VdafVector {
  const vdaf = vdafOf(recipe.name, recipe.parameters);
  const random = repeatable(JSON.stringify(recipe));
  const ctx = unhex(recipe.ctx ?? hex(random.next(38)));
  const verifyKey = random.next(VERIFY_KEY_SIZE);
  const parameter = encodedParameter(recipe);
  const reports = recipe.measurements.map((measurement): VectorReport => {
    const nonce = random.next(NONCE_SIZE);
    const rand = random.next(vdaf.randSize);
    const { publicShare, inputShares } = vdaf.shard(ctx, fromJson(measurement), nonce, rand);
    const run = verify(vdaf, { ctx, verifyKey, parameter, nonce, publicShare, inputShares });
    return {
      measurement,
      nonce: hex(nonce),
      rand: hex(rand),
      public_share: hex(publicShare),
      input_shares: inputShares.map(hex),
      verifier_shares: run.verifierShares.map((shares) => shares.map(hex)),
      verifier_messages: run.messages.map(hex),
      out_shares: run.outShares.map(hex),
    };
  });
  const shares = Array.from({ length: vdaf.shares }, (_, id) =>
    vdaf.aggregate(
      parameter,
      reports.map((report) => unhex(outShareOf(report, id))),
    ),
  );
  return {
    ...recipe.parameters,
    shares: vdaf.shares,
    algorithm_id: vdaf.id,
    ctx: hex(ctx),
    verify_key: hex(verifyKey),
    agg_param: hex(parameter),
    agg_shares: shares.map(hex),
    agg_result: toJson(vdaf.unshard(parameter, shares, reports.length)),
    reports,
    operations: operationsOf(vdaf, reports.length),
  };
}

function encodedParameter({ aggregationParameter }: Recipe): Uint8Array {
  if (aggregationParameter === undefined) return new Uint8Array(0);
  const { level, prefixes } = aggregationParameter;
  return encodeParameter({ level, prefixes: prefixes.map((bits) => Array.from(bits, (bit) => bit === '1')) });
}

/** What verification of one report needs. */
export interface Verification {
  readonly ctx: Uint8Array;
  readonly verifyKey: Uint8Array;
  readonly parameter: Uint8Array;
  readonly nonce: Uint8Array;
  readonly publicShare: Uint8Array;
  readonly inputShares: readonly Uint8Array[];
}

/** Everything that the aggregators exchange over one report, and what they end with. */
export interface VerificationRun {
  readonly verifierShares: readonly (readonly Uint8Array[])[];
  readonly messages: readonly Uint8Array[];
  readonly outShares: readonly Uint8Array[];
}

/** Runs verification over all aggregators. */
export function verify(vdaf: AnyVdaf, input: Verification): VerificationRun {
  const { ctx, parameter } = input;
  const verifierShares: (readonly Uint8Array[])[] = [];
  const messages: Uint8Array[] = [];
  let current = input.inputShares.map((share, id) =>
    vdaf.verifyInit(input.verifyKey, ctx, id, parameter, input.nonce, input.publicShare, share),
  );
  for (;;) {
    verifierShares.push(current.map(({ verifierShare }) => verifierShare));
    const message = vdaf.verifierSharesToMessage(ctx, parameter, verifierShares.at(-1)!);
    messages.push(message);
    const next = current.map(({ state }) => vdaf.verifyNext(ctx, state, message));
    const finished = next.filter((one) => 'outShare' in one);
    if (finished.length > 0) return { verifierShares, messages, outShares: finished.map(({ outShare }) => outShare) };
    current = next.filter((one) => 'verifierShare' in one);
  }
}

function operationsOf(vdaf: AnyVdaf, reports: number): Operation[] {
  const ids = Array.from({ length: vdaf.shares }, (_, id) => id);
  const operations: Operation[] = [];
  for (let index = 0; index < reports; index++) {
    const about = { report_index: index, success: true };
    operations.push({ operation: 'shard', ...about });
    for (const id of ids) operations.push({ operation: 'verify_init', aggregator_id: id, ...about });
    for (let round = 0; round < vdaf.rounds; round++) {
      operations.push({ operation: 'verifier_shares_to_message', round, ...about });
      for (const id of ids)
        operations.push({ operation: 'verify_next', round: round + 1, aggregator_id: id, ...about });
    }
  }
  for (const id of ids) operations.push({ operation: 'aggregate', aggregator_id: id, success: true });
  operations.push({ operation: 'unshard', success: true });
  return operations;
}

/** Makes the report that the aggregators have to refuse. */
export type MakeReport = (vdaf: AnyVdaf, ctx: Uint8Array, nonce: Uint8Array, rand: Uint8Array) => Report;

/** A vector of one report with operations up to the first that fails. */
export function makeRefused(recipe: Recipe, makeReport: MakeReport): VdafVector {
  const vdaf = vdafOf(recipe.name, recipe.parameters);
  const random = repeatable(`refused ${JSON.stringify(recipe)}`);
  const [ctx, verifyKey, nonce] = [random.next(38), random.next(VERIFY_KEY_SIZE), random.next(NONCE_SIZE)];
  const parameter = encodedParameter(recipe);
  const { publicShare, inputShares } = makeReport(vdaf, ctx, nonce, random.next(vdaf.randSize));
  const recorder = new Recorder();
  try {
    record(vdaf, { ctx, verifyKey, parameter, nonce, publicShare, inputShares }, recorder);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
  }
  assert.equal(recorder.operations.at(-1)?.success, false);
  return {
    ...recipe.parameters,
    shares: vdaf.shares,
    algorithm_id: vdaf.id,
    ctx: hex(ctx),
    verify_key: hex(verifyKey),
    agg_param: hex(parameter),
    agg_shares: [],
    agg_result: null,
    reports: [
      {
        measurement: null,
        nonce: hex(nonce),
        rand: '',
        public_share: hex(publicShare),
        input_shares: inputShares.map(hex),
        verifier_shares: recorder.verifierShares.map((shares) => shares.map(hex)),
        verifier_messages: recorder.messages.map(hex),
        out_shares: [],
      },
    ],
    operations: recorder.operations,
  };
}

/** What was done with a report until it was refused. */
class Recorder {
  readonly operations: Operation[] = [];
  readonly verifierShares: Uint8Array[][] = [];
  readonly messages: Uint8Array[] = [];

  /** Performs a step and notes whether it succeeded. */
  step<T>(operation: Omit<Operation, 'success' | 'report_index'>, perform: () => T): T {
    try {
      const result = perform();
      this.operations.push({ ...operation, report_index: 0, success: true });
      return result;
    } catch (error) {
      this.operations.push({ ...operation, report_index: 0, success: false });
      throw error;
    }
  }
}

function record(vdaf: AnyVdaf, input: Verification, recorder: Recorder): void {
  const { ctx, verifyKey, parameter, nonce, publicShare, inputShares } = input;
  let shares: Uint8Array[] = [];
  recorder.verifierShares.push(shares);
  let states = inputShares.map((inputShare, id) => {
    const { state, verifierShare } = recorder.step({ operation: 'verify_init', aggregator_id: id }, () =>
      vdaf.verifyInit(verifyKey, ctx, id, parameter, nonce, publicShare, inputShare),
    );
    shares.push(verifierShare);
    return state;
  });
  for (let round = 0; round < vdaf.rounds; round++) {
    const current = shares;
    const message = recorder.step({ operation: 'verifier_shares_to_message', round }, () =>
      vdaf.verifierSharesToMessage(ctx, parameter, current),
    );
    recorder.messages.push(message);
    shares = [];
    recorder.verifierShares.push(shares);
    states = states.map((state, id) => {
      const next = recorder.step({ operation: 'verify_next', round: round + 1, aggregator_id: id }, () =>
        vdaf.verifyNext(ctx, state, message),
      );
      if ('outShare' in next) return undefined;
      shares.push(next.verifierShare);
      return next.state;
    });
  }
}

/** The encoded measurement, shared honestly and with an honest proof. */
export function sharing(encoded: readonly bigint[]): MakeReport {
  return (vdaf, ctx, nonce, rand) => {
    assert.ok(vdaf instanceof Prio3);
    return vdaf.shardEncoded(ctx, encoded, nonce, rand);
  };
}

/** An honest report of which one byte of the public share or of an input share is changed. */
export function spoiling(measurement: unknown, part: 'public' | number, at: number): MakeReport {
  return (vdaf, ctx, nonce, rand) => {
    const { publicShare, inputShares } = vdaf.shard(ctx, fromJson(measurement), nonce, rand);
    const spoil = (bytes: Uint8Array, mine: boolean): Uint8Array => {
      const index = at < 0 ? bytes.length + at : at;
      return mine ? bytes.with(index, bytes[index]! ^ 1) : bytes;
    };
    return {
      publicShare: spoil(publicShare, part === 'public'),
      inputShares: inputShares.map((share, id) => spoil(share, part === id)),
    };
  };
}

/** A copy of a vector's first report whose leader gets another verifier message than the honest one. */
export function makeForged(recipe: Recipe): VdafVector {
  const vector = makeVector(recipe);
  const [report] = vector.reports;
  const [message] = report!.verifier_messages;
  const about = { aggregator_id: 0, report_index: 0 };
  return {
    ...vector,
    agg_shares: [],
    agg_result: null,
    reports: [{ ...report!, verifier_messages: [`${message!.slice(0, -1)}${message!.endsWith('0') ? '1' : '0'}`] }],
    operations: [
      { operation: 'verify_init', ...about, success: true },
      { operation: 'verify_next', round: 1, ...about, success: false },
    ],
  };
}
