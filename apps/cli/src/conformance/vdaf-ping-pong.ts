/** A vector of two aggregators over the messages that these exchange in practice. VDAF §5.7.1. */
import { Writer } from '@privacy-edge/bytes';
import type { AggregatorId, ReportShare, Transition, Vdaf } from '@privacy-edge/vdaf';
import { type Operation, type RecordedReport, recorded, type VdafVector } from './vdaf-vector.ts';
import { expectBytes, expectSame, VectorError } from './vector.ts';

/** Any VDAF; whoever made it knows the measurements that fit. */
export type AnyVdaf = Vdaf<unknown, unknown>;

/**
 * Runs every report of a vector through both aggregators with recorded messages as input, then aggregates.
 *
 * @throws {@link VectorError} for the first message or share that is not the recorded one
 */
export function checkPingPong(vector: VdafVector, vdaf: AnyVdaf): void {
  for (const [i, report] of vector.reports.entries()) {
    const failing = vector.operations.find((one) => !one.success && one.reportIndex === i);
    if (failing?.name !== 'shard') new Exchange(vector, vdaf, report, failing).check(`report ${i}`);
  }
  if (vector.aggregateShares.length > 0) checkAggregation(vector, vdaf);
}

/** One report on its way from the leader to the helper and back. Message 0 is the leader's first. */
class Exchange {
  readonly #vector: VdafVector;
  readonly #vdaf: AnyVdaf;
  readonly #report: RecordedReport;
  /** The operation that has to fail, if one has. */
  readonly #failing: Operation | undefined;
  readonly #states: [Uint8Array?, Uint8Array?] = [];

  constructor(vector: VdafVector, vdaf: AnyVdaf, report: RecordedReport, failing: Operation | undefined) {
    this.#vector = vector;
    this.#vdaf = vdaf;
    this.#report = report;
    this.#failing = failing;
  }

  check(what: string): void {
    // The helper reads message 0 and the last message is that of the last round, which nobody answers.
    for (let number = 0; number <= this.#vdaf.rounds + 1; number++) {
      if (this.#isForged(number)) {
        if (this.#failing?.aggregatorId === number % 2) return;
        continue;
      }
      const transition = this.#transition(number);
      if (this.#fails(number)) {
        expectSame(`${what}, answer to message ${number - 1}`, transition.kind, 'rejected');
        return;
      }
      this.#compare(transition, number, `${what}, message ${number}`);
    }
  }

  /** The step that makes message `number` from the one before. */
  #transition(number: number): Transition {
    const side: AggregatorId = number % 2 === 0 ? 0 : 1;
    const { nonce, publicShare, inputShares } = this.#report;
    const share: ReportShare = { nonce, publicShare, inputShare: recorded(inputShares, side, 'input share') };
    if (number === 0) return only(this.#vdaf.leaderInit(this.#vector, [share]));
    const inbound = this.#message(number - 1);
    if (number === 1) return only(this.#vdaf.helperInit(this.#vector, [{ ...share, inbound }]));
    const state = this.#states[side];
    if (state === undefined) throw new VectorError('MISMATCH', `aggregator ${side} is done too early`);
    return only(this.#vdaf.resume(this.#vector, side, [{ state, inbound }]));
  }

  /** Whether an aggregator has to refuse the recorded message because no honest peer would send it. */
  #isForged(number: number): boolean {
    return this.#failing?.name === 'verify_next' && this.#failing.round === number;
  }

  /** Whether the failing operation is part of the step that makes message `number`. */
  #fails(number: number): boolean {
    const failing = this.#failing;
    if (failing === undefined) return false;
    const side = number % 2;
    if (failing.name === 'verify_init') return number === failing.aggregatorId && side === failing.aggregatorId;
    if (failing.name === 'verifier_shares_to_message') return number === failing.round + 1;
    return number === failing.round + 1 && side === failing.aggregatorId;
  }

  #compare(transition: Transition, number: number, what: string): void {
    const { rounds } = this.#vdaf;
    expectSame(`${what}: what comes of it`, transition.kind, number < rounds ? 'continued' : 'finished');
    if (transition.kind === 'rejected') return;
    const side = number % 2;
    if (transition.kind === 'continued') this.#states[side] = transition.state;
    else
      expectBytes(`${what}: output share`, transition.outShare, recorded(this.#report.outShares, side, 'output share'));
    const expected = number <= rounds ? this.#message(number) : undefined;
    expectSame(`${what}: is there one`, transition.outbound !== undefined, expected !== undefined);
    if (transition.outbound !== undefined && expected !== undefined) expectBytes(what, transition.outbound, expected);
  }

  /** The recorded message: a share, the result of a round with a share of the next, or the result of the last round. */
  #message(number: number): Uint8Array {
    const { verifierShares, verifierMessages } = this.#report;
    const share = (): Uint8Array => recorded(recorded(verifierShares, number, 'round'), number % 2, 'verifier share');
    const writer = new Writer();
    if (number === 0) return writer.u8(0).vector(4, share()).finish();
    const message = recorded(verifierMessages, number - 1, 'verifier message');
    if (number < this.#vdaf.rounds) return writer.u8(1).vector(4, message).vector(4, share()).finish();
    return writer.u8(2).vector(4, message).finish();
  }
}

function checkAggregation(vector: VdafVector, vdaf: AnyVdaf): void {
  const { aggregationParameter, aggregateShares, reports } = vector;
  const empty = vdaf.emptyAggregate(aggregationParameter);
  const [leader, helper] = [0, 1].map((id) => {
    const outShares = reports.map((report) => recorded(report.outShares, id, 'output share'));
    const whole = vdaf.aggregate(aggregationParameter, empty, outShares);
    expectBytes(`aggregate share ${id}`, whole, recorded(aggregateShares, id, 'aggregate share'));
    const parts = outShares.map((share) => vdaf.aggregate(aggregationParameter, empty, [share]));
    expectBytes(`merged aggregate share ${id}`, vdaf.merge(aggregationParameter, parts), whole);
    return whole;
  });
  if (leader === undefined || helper === undefined) return;
  const result = vdaf.unshard(aggregationParameter, [leader, helper], reports.length);
  expectSame('the result', toJson(result), vector.aggregateResult);
}

/** A result as JSON has it: numbers, lists of numbers, and for several lists one after the other. */
export function toJson(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(toJson);
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(toJson) : value;
}

function only(transitions: readonly Transition[]): Transition {
  const [transition] = transitions;
  if (transition === undefined || transitions.length > 1)
    throw new VectorError('MISMATCH', `one report gives ${transitions.length} transitions`);
  return transition;
}
