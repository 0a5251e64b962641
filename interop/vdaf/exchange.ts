/** One report between two aggregators, who may have different implementations. VDAF §5.7.1. */
import { isDeepStrictEqual } from 'node:util';
import type { AggregatorId, Shards } from '@privacy-edge/vdaf';
import type { Batch, Implementation, ReceivedReport, Step } from './implementation.ts';

/** A report as the client made it, or as somebody spoiled it. */
export interface SentReport extends Shards {
  readonly nonce: Uint8Array;
}

/** How it ended: with both output shares, or with the message that was refused or could not be made. */
export type Verdict =
  | { readonly kind: 'verified'; readonly outShares: readonly [Uint8Array, Uint8Array] }
  /** Message 0 is the leader's first; the one who should have made `message` refused. */
  | { readonly kind: 'rejected'; readonly message: number };

/** Changes message `number` on its way. */
export type Tamper = (message: Uint8Array, number: number) => Uint8Array;

/**
 * Runs the exchange.
 *
 * @param sides - leader and helper
 * @param witness - takes every step along with the one whose turn it is, and has to say the same
 */
export async function exchange(
  batch: Batch,
  sides: readonly [Implementation, Implementation],
  report: SentReport,
  tamper: Tamper = (message) => message,
  witness?: Implementation,
): Promise<Verdict> {
  const parties = [new Party(batch, sides[0], 0, report), new Party(batch, sides[1], 1, report)] as const;
  const witnesses = witness && ([0, 1] as const).map((side) => new Party(batch, witness, side, report));
  const outShares: Uint8Array[] = [];
  let inbound: Uint8Array | undefined;
  for (let number = 0; ; number++) {
    const side = number % 2 === 0 ? 0 : 1;
    const step = await parties[side].step(inbound);
    const witnessed = await witnesses?.[side]?.step(inbound);
    if (witnessed !== undefined) expectSame(`message ${number}`, said(witnessed), said(step));
    if (step.kind === 'rejected') return { kind: 'rejected', message: number };
    if (step.kind === 'finished') outShares[side] = step.outShare;
    if (step.outbound === undefined) break;
    inbound = tamper(step.outbound, number);
  }
  const [leader, helper] = outShares;
  if (leader === undefined || helper === undefined) throw new Error('The exchange ends before both have finished');
  return { kind: 'verified', outShares: [leader, helper] };
}

/** All that others see of a step, and what is summed up. */
function said(step: Step): object {
  if (step.kind === 'rejected') return step;
  const { kind, outbound } = step;
  return { kind, outbound: hex(outbound), outShare: step.kind === 'finished' ? hex(step.outShare) : undefined };
}

/** One aggregator during the exchange. */
class Party {
  readonly #batch: Batch;
  readonly #implementation: Implementation;
  readonly #side: AggregatorId;
  readonly #report: ReceivedReport;
  #state: unknown;

  constructor(batch: Batch, implementation: Implementation, side: AggregatorId, report: SentReport) {
    this.#batch = batch;
    this.#implementation = implementation;
    this.#side = side;
    const { nonce, publicShare, inputShares } = report;
    this.#report = { nonce, publicShare, inputShare: inputShares[side] };
  }

  async step(inbound: Uint8Array | undefined): Promise<Step> {
    const step = await this.#take(inbound);
    this.#state = step.kind === 'continued' ? step.state : undefined;
    return step;
  }

  #take(inbound: Uint8Array | undefined): Promise<Step> {
    if (inbound === undefined) return this.#implementation.leaderInit(this.#batch, this.#report);
    if (this.#state !== undefined) return this.#implementation.resume(this.#batch, this.#side, this.#state, inbound);
    return this.#implementation.helperInit(this.#batch, this.#report, inbound);
  }
}

/** @throws an Error that shows both when two values differ */
export function expectSame(what: string, got: unknown, wanted: unknown): void {
  if (!isDeepStrictEqual(got, wanted))
    throw new Error(`${what} is ${JSON.stringify(got)}, not ${JSON.stringify(wanted)}`);
}

function hex(bytes: Uint8Array | undefined): string | undefined {
  return bytes && Buffer.from(bytes).toString('hex');
}
