import type { ReplayOutcome, ReplayStore } from '@privacy-edge/gateway-roles';

/** Remembers everything, forever: the slow obvious replay store that others are compared with. */
export class MemoryReplayStore implements ReplayStore {
  readonly amnesiaUntilMs = 0;
  readonly #seen = new Set<string>();

  /** Exact: never wrong. */
  has(nonce: Uint8Array): boolean {
    return this.#seen.has(Buffer.from(nonce).toString('latin1'));
  }

  /** Never `full` or `unavailable`. */
  remember(nonce: Uint8Array): ReplayOutcome {
    if (this.has(nonce)) return 'seen';
    this.#seen.add(Buffer.from(nonce).toString('latin1'));
    return 'fresh';
  }
}
