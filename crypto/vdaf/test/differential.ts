/** The same batch of reports through the package and through the reference. */
import assert from 'node:assert/strict';
import type { Transition, Vdaf, VerifyContext } from '../src/vdaf.ts';
import { type Exchange, NONCE_SIZE, pingPong, type Turn, VERIFY_KEY_SIZE } from './reference/index.ts';
import type { AnyVdaf } from './reference-vectors.ts';

/** One report: a measurement as each side takes it, and what a client, or whoever is in between, changes of it. */
export interface Case<Measurement> {
  readonly measurement: Measurement;
  readonly reference: unknown;
  /** Changes of encoded shares; any byte string may come out. */
  readonly spoil?: (part: 'publicShare' | 'leader' | 'helper', bytes: Uint8Array) => Uint8Array;
}

/** Everything about a batch that is not its reports. */
export interface Batch {
  /** Hands out random bytes. */
  readonly random: (length: number) => Uint8Array;
  readonly ctx: Uint8Array;
  /** Encoded aggregation parameter. */
  readonly parameter: Uint8Array;
}

/** Throws unless shares, messages, verdicts, aggregate shares and result of both are the same. */
export function compare<Measurement>(
  vdaf: Vdaf<Measurement, unknown>,
  reference: AnyVdaf,
  cases: readonly Case<Measurement>[],
  { random, ctx, parameter }: Batch,
): void {
  assert.deepEqual([vdaf.id, vdaf.rounds, vdaf.randSize], [reference.id, reference.rounds, reference.randSize]);
  const context: VerifyContext = { verifyKey: random(VERIFY_KEY_SIZE), ctx, aggregationParameter: parameter };
  const exchanges = cases.map((one): Exchange => {
    const [nonce, rand] = [random(NONCE_SIZE), random(vdaf.randSize)];
    const expected = reference.shard(ctx, one.reference, nonce, rand);
    assert.deepEqual(vdaf.shard(ctx, one.measurement, nonce, rand), expected);
    const { spoil = (_part: string, bytes: Uint8Array) => bytes } = one;
    const [leader, helper] = expected.inputShares;
    return {
      ...context,
      parameter,
      nonce,
      publicShare: spoil('publicShare', expected.publicShare),
      inputShares: [spoil('leader', leader!), spoil('helper', helper!)],
    };
  });
  const turns = exchanges.map((exchange) => pingPong(reference, exchange));
  assert.deepEqual(run(vdaf, context, exchanges), turns);
  compareAggregates(vdaf, reference, parameter, turns);
}

/** Verifies all reports at once; of each the turns that were taken. */
function run(vdaf: Vdaf<never, unknown>, context: VerifyContext, exchanges: readonly Exchange[]): Turn[][] {
  const reports = exchanges.map(({ nonce, publicShare, inputShares: [leader, helper] }) => ({
    nonce,
    publicShare,
    leader: leader!,
    helper: helper!,
  }));
  const turns = reports.map((): Transition[] => []);
  /** Lets one side act on every report that it waits for a message for. */
  const act = <Item>(items: readonly (Item | undefined)[], step: (some: Item[]) => Transition[]): boolean => {
    const taken = items.flatMap((item, i) => (item === undefined ? [] : [{ item, i }]));
    const made = taken.length === 0 ? [] : step(taken.map(({ item }) => item));
    assert.equal(made.length, taken.length);
    for (const [k, { i }] of taken.entries()) turns[i]!.push(made[k]!);
    return taken.length > 0;
  };
  act(reports, (all) =>
    vdaf.leaderInit(
      context,
      all.map((one) => ({ ...one, inputShare: one.leader })),
    ),
  );
  const first = reports.map((report, i) => {
    const inbound = outboundOf(turns[i]!.at(-1));
    return inbound && { ...report, inputShare: report.helper, inbound };
  });
  act(first, (all) => vdaf.helperInit(context, all));
  for (let role: 0 | 1 = 0, goOn = true; goOn; role = role === 0 ? 1 : 0) {
    const waiting = turns.map((taken) => {
      const [before, last] = taken.slice(-2);
      const inbound = outboundOf(last);
      return inbound && before?.kind === 'continued' ? { state: before.state, inbound } : undefined;
    });
    const current = role;
    goOn = act(waiting, (all) => vdaf.resume(context, current, all));
  }
  return turns.map((taken) => taken.map(withoutState));
}

function outboundOf(transition: Transition | undefined): Uint8Array | undefined {
  return transition === undefined || transition.kind === 'rejected' ? undefined : transition.outbound;
}

function withoutState(transition: Transition): Turn {
  // The reference does not tell why it refuses.
  if (transition.kind === 'rejected') return { kind: 'rejected' };
  if (transition.kind !== 'continued') return transition;
  return { kind: 'continued', outbound: transition.outbound };
}

function compareAggregates(
  vdaf: Vdaf<never, unknown>,
  reference: AnyVdaf,
  parameter: Uint8Array,
  turns: readonly (readonly Turn[])[],
): void {
  // A report has two output shares or none. Of the two turns that finish, the helper's is the one with an odd number.
  const finished = turns.map((taken) => taken.map((turn) => (turn.kind === 'finished' ? turn.outShare : undefined)));
  const accepted = finished.filter((shares) => shares.filter((share) => share !== undefined).length === 2);
  const [leader, helper] = [0, 1].map((id) => {
    const outShares = accepted.map((shares) => shares.find((share, i) => share !== undefined && i % 2 === id)!);
    const expected = reference.aggregate(parameter, outShares);
    const empty = vdaf.emptyAggregate(parameter);
    assert.deepEqual(vdaf.aggregate(parameter, empty, outShares), expected);
    const [half, rest] = [outShares.slice(0, 1), outShares.slice(1)];
    const parts = [half, rest].map((some) => vdaf.aggregate(parameter, empty, some));
    assert.deepEqual(vdaf.merge(parameter, parts), expected);
    return expected;
  });
  if (accepted.length === 0) return;
  const result = vdaf.unshard(parameter, [leader!, helper!], accepted.length);
  assert.deepEqual(toBigints(result), toBigints(reference.unshard(parameter, [leader!, helper!], accepted.length)));
}

/** A number, a list of numbers, or an object of lists. */
function toBigints(result: unknown): bigint[] {
  if (typeof result === 'object' && result !== null && !Array.isArray(result) && !ArrayBuffer.isView(result))
    return Object.values(result).flatMap(toBigints);
  const list =
    Array.isArray(result) || ArrayBuffer.isView(result) ? Array.from(result as ArrayLike<unknown>) : [result];
  return list.map((value) => BigInt(value as number | bigint));
}
