/** Both backends, so that every test can run over each. */
import { backend as node } from '../src/backend-node.ts';
import { backend as web } from '../src/backend-web.ts';
import { HpkeError, type HpkeErrorCode } from '../src/error.ts';
import type { RandomSource } from '../src/types.ts';
import { type Hpke, hpkeOver } from './hpke-over.ts';

export const BACKENDS: readonly { readonly name: string; readonly hpke: Hpke }[] = [
  { name: 'node', hpke: hpkeOver(node) },
  { name: 'web', hpke: hpkeOver(web) },
];

/** How many cases a fuzz property runs. */
export const FUZZ_RUNS: number = Number(process.env['PRIVACY_EDGE_FUZZ_RUNS'] ?? 2000);

/** A predicate for `assert.rejects`. */
export function hpkeError(code: HpkeErrorCode): (error: unknown) => boolean {
  return (error) => error instanceof HpkeError && error.code === code;
}

/** A source that gives the listed bytes once each, in order. */
export function fixedRandom(...answers: readonly Uint8Array[]): RandomSource {
  const left = [...answers];
  return (length) => {
    const answer = left.shift();
    if (answer === undefined || answer.length !== length) throw new RangeError('The test has no such random bytes');
    return answer;
  };
}

export function hex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
