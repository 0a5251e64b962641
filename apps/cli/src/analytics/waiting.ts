/** How long somebody wants to wait for a leader. */
import type { CollectorEvent } from '@privacy-edge/analytics/collector';
import { CliError } from '../cli-error.ts';
import { DURATION_PATTERN, parseDuration } from '../config/units.ts';

/** How long somebody wants to wait. */
export interface Patience {
  readonly signal: AbortSignal;
  onEvent(event: CollectorEvent): void;
  end(): void;
}

/**
 * Waits for as long as `--wait` says; 0 asks once.
 *
 * @throws {@link CliError} `USAGE`
 */
export function patienceOf(wait: string | true): Patience {
  const controller = new AbortController();
  const milliseconds = wait === true ? Number.POSITIVE_INFINITY : waitOf(wait);
  const stop = (): void => {
    const fix = 'run the same command again, or raise --wait; it finds the same job';
    const why = 'the leader is not ready';
    controller.abort(new CliError('FAILED', { what: 'Cannot collect yet', why, fix }));
  };
  const timer = Number.isFinite(milliseconds) && milliseconds > 0 ? setTimeout(stop, milliseconds) : undefined;
  return {
    signal: controller.signal,
    onEvent: (event) => {
      if (event.type === 'waiting' && milliseconds === 0) stop();
    },
    end: () => clearTimeout(timer),
  };
}

/** Longest time that a timer of the runtime can have. */
export const MAX_TIMER_MS: number = 2 ** 31 - 1;

/**
 * Milliseconds of `--wait`.
 *
 * @throws {@link CliError} `USAGE`
 */
export function waitOf(text: string): number {
  if (text === '0') return 0;
  const milliseconds = DURATION_PATTERN.test(text) ? parseDuration(text) : Number.NaN;
  if (milliseconds <= MAX_TIMER_MS) return milliseconds;
  const why = 'it is no duration such as 30s, 10m or 2h, up to 24d';
  throw new CliError('USAGE', { what: `Cannot use --wait ${text}`, why });
}
