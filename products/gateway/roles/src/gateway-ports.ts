/** Everything a gateway needs from outside. */
import type { Awaitable } from '@privacy-edge/bytes';
import type { GatewayObserver } from './gateway-outcome.ts';
import type { KeyRing } from './key-schedule.ts';
import type { Clock, FetchTarget, RandomSource, ReplayStore } from './ports.ts';

/** The gateway's keys. {@link KeySchedule} is one; an application may bring its own. */
export interface GatewayKeys {
  /** The keys of a moment; called for every request, so it should be cheap. */
  ringAt(nowMs: number): Awaitable<KeyRing>;
}

/** Ports of a gateway. */
export interface GatewayPorts {
  readonly keys: GatewayKeys;
  readonly fetchTarget: FetchTarget;
  readonly replay: ReplayStore;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly observer?: GatewayObserver;
}
