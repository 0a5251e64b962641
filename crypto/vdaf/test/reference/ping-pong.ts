/** Two aggregators that take turns. VDAF §5.7.1. */
import { bigEndian, concat } from './bytes.ts';
import { Refusal } from './refusal.ts';
import type { Vdaf } from './vdaf.ts';

/** What comes out of one turn. */
export type Turn =
  | { readonly kind: 'continued'; readonly outbound: Uint8Array }
  | { readonly kind: 'finished'; readonly outShare: Uint8Array; readonly outbound?: Uint8Array }
  | { readonly kind: 'rejected' };

/** What both aggregators know of a report. */
export interface Exchange {
  readonly ctx: Uint8Array;
  readonly verifyKey: Uint8Array;
  readonly parameter: Uint8Array;
  readonly nonce: Uint8Array;
  readonly publicShare: Uint8Array;
  readonly inputShares: readonly Uint8Array[];
}

/** The message of a turn: its type, then what belongs to it, each with its length. */
function encodeMessage(type: 0 | 1 | 2, ...parts: readonly Uint8Array[]): Uint8Array {
  return concat(bigEndian(type, 1), ...parts.flatMap((part) => [bigEndian(part.length, 4), part]));
}

/** All turns, the leader's first; the last is the one that rejects, or the second that finishes. */
export function pingPong<State>(vdaf: Vdaf<unknown, unknown, State>, exchange: Exchange): Turn[] {
  const turns: Turn[] = [];
  try {
    for (const turn of takeTurns(vdaf, exchange)) turns.push(turn);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    turns.push({ kind: 'rejected' });
  }
  return turns;
}

function* takeTurns<State>(vdaf: Vdaf<unknown, unknown, State>, exchange: Exchange): Generator<Turn> {
  const { ctx, verifyKey, parameter, nonce, publicShare, inputShares } = exchange;
  const init = (id: number): { state: State; verifierShare: Uint8Array } =>
    vdaf.verifyInit(verifyKey, ctx, id, parameter, nonce, publicShare, inputShares[id]!);
  const leader = init(0);
  yield { kind: 'continued', outbound: encodeMessage(0, leader.verifierShare) };

  // Whoever waits has sent its share of this round.
  let [waiting, acting] = [leader, init(1)];
  for (let id = 1; ; id = 1 - id) {
    const shares = id === 1 ? [waiting, acting] : [acting, waiting];
    const message = vdaf.verifierSharesToMessage(
      ctx,
      parameter,
      shares.map(({ verifierShare }) => verifierShare),
    );
    const next = vdaf.verifyNext(ctx, acting.state, message);
    if ('outShare' in next) {
      yield { kind: 'finished', outShare: next.outShare, outbound: encodeMessage(2, message) };
      const last = vdaf.verifyNext(ctx, waiting.state, message);
      if ('outShare' in last) yield { kind: 'finished', outShare: last.outShare };
      return;
    }
    yield { kind: 'continued', outbound: encodeMessage(1, message, next.verifierShare) };
    const other = vdaf.verifyNext(ctx, waiting.state, message);
    if (!('verifierShare' in other)) return;
    [waiting, acting] = [next, other];
  }
}
