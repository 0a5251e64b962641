/** What the tests of Poplar1 share: both ways to do AES, random bits, a run of both aggregators. */

import assert from 'node:assert/strict';
import { randomFillSync } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { platformAes as nodeAes } from '../src/aes-node.ts';
import { poplar1Over } from '../src/poplar1.ts';
import { encodePrefixes } from '../src/poplar1-parameter.ts';
import type { Poplar1 } from '../src/poplar1-types.ts';
import type { Shards, Transition, VerifyContext } from '../src/vdaf.ts';
import { VdafError, type VdafErrorCode } from '../src/vdaf-error.ts';

/** How many cases a fuzz property runs. */
export const FUZZ_RUNS: number = Number(process.env['PRIVACY_EDGE_FUZZ_RUNS'] ?? 2000);

/** Poplar1 with the kernel's AES, with Node's for wide levels, and with Node's wherever it can be used. */
export const BACKENDS: readonly { readonly name: string; readonly make: (bits: number) => Poplar1 }[] = [
  { name: 'the kernel', make: (bits) => poplar1Over(undefined, bits) },
  { name: 'Node', make: (bits) => poplar1Over(nodeAes, bits) },
  { name: 'Node for every block', make: (bits) => poplar1Over({ ...nodeAes!, worthwhileFrom: 1 }, bits) },
];

export function hex(text: string): Uint8Array {
  return Uint8Array.fromHex(text);
}

export function random(length: number): Uint8Array {
  return randomFillSync(new Uint8Array(length));
}

/** A file of test vectors, if it is there. */
export function vector<T>(name: string): T | undefined {
  const file = new URL(`../../../../shared/vectors/vdaf/${name}.json`, import.meta.url);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as T) : undefined;
}

/** Packs a text of zeros and ones, or a list of truth values. */
export function pack(bits: string | readonly boolean[]): Uint8Array {
  const packed = new Uint8Array((bits.length + 7) >> 3);
  for (let at = 0; at < bits.length; at++) {
    if (bits[at] === '1' || bits[at] === true) packed[at >> 3]! |= 0x80 >> (at & 7);
  }
  return packed;
}

/** The first `length` bits of a packed string. */
export function unpack(packed: Uint8Array, length: number): string {
  return Array.from({ length }, (_, at) => (packed[at >> 3]! >> (7 - (at & 7))) & 1).join('');
}

/** An aggregation parameter from texts of zeros and ones in any order. */
export function parameterOf(...prefixes: readonly string[]): Uint8Array {
  return encodePrefixes(prefixes[0]!.length - 1, [...new Set(prefixes)].sort().map(pack));
}

/** A report on its way. */
export interface Report extends Shards {
  readonly nonce: Uint8Array;
}

/** Shards a text of zeros and ones. */
export function report(vdaf: Poplar1, ctx: Uint8Array, bits: string): Report {
  const nonce = random(16);
  return { nonce, ...vdaf.shard(ctx, pack(bits), nonce, random(vdaf.randSize)) };
}

/** The transitions of one report, up to the first one that rejects. */
export interface Exchange {
  readonly leader: Transition;
  readonly helper?: Transition;
  readonly leaderEnd?: Transition;
  readonly helperEnd?: Transition;
}

/** Lets both aggregators verify a report. */
export function exchange(vdaf: Poplar1, context: VerifyContext, { nonce, publicShare, inputShares }: Report): Exchange {
  const [leader] = vdaf.leaderInit(context, [{ nonce, publicShare, inputShare: inputShares[0] }]);
  if (leader?.kind !== 'continued') return { leader: leader! };
  const inbound = leader.outbound;
  const [helper] = vdaf.helperInit(context, [{ nonce, publicShare, inputShare: inputShares[1], inbound }]);
  if (helper?.kind !== 'continued') return { leader, helper: helper! };
  const [leaderEnd] = vdaf.resume(context, 0, [{ state: leader.state, inbound: helper.outbound }]);
  if (leaderEnd?.kind !== 'finished') return { leader, helper, leaderEnd: leaderEnd! };
  const [helperEnd] = vdaf.resume(context, 1, [{ state: helper.state, inbound: leaderEnd.outbound! }]);
  return { leader, helper, leaderEnd, helperEnd: helperEnd! };
}

/** Both output shares, if the report was accepted. */
export function outShares({ leaderEnd, helperEnd }: Exchange): [Uint8Array, Uint8Array] | undefined {
  if (leaderEnd?.kind !== 'finished' || helperEnd?.kind !== 'finished') return undefined;
  return [leaderEnd.outShare, helperEnd.outShare];
}

/** The result of those reports that are accepted. */
export function collect(
  vdaf: Poplar1,
  context: VerifyContext,
  reports: readonly Report[],
): { readonly result: bigint[]; readonly accepted: number } {
  const parameter = context.aggregationParameter;
  const accepted = reports.flatMap((one) => {
    const shares = outShares(exchange(vdaf, context, one));
    return shares === undefined ? [] : [shares];
  });
  const [leader, helper] = [0, 1].map((id) =>
    vdaf.aggregate(
      parameter,
      vdaf.emptyAggregate(parameter),
      accepted.map((shares) => shares[id]!),
    ),
  );
  return { result: vdaf.unshard(parameter, [leader!, helper!], accepted.length), accepted: accepted.length };
}

/** The application context of the tests. */
export const CTX: Uint8Array = new TextEncoder().encode('a task');

/** A verification under {@link CTX}, with a random key unless one is given. */
export function contextFor(aggregationParameter: Uint8Array, verifyKey: Uint8Array = random(32)): VerifyContext {
  return { verifyKey, ctx: CTX, aggregationParameter };
}

/** A predicate for `assert.throws`. */
export function vdafError(code: VdafErrorCode): (error: unknown) => boolean {
  return (error) => error instanceof VdafError && error.code === code;
}

/** The message of a transition that goes on. */
export function outboundOf(transition: Transition | undefined): Uint8Array {
  assert.ok(transition?.kind === 'continued');
  return transition.outbound;
}
