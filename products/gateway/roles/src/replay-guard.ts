/** Decides whether an opened request may be a replay. RFC 9458 §6.5. */
import { type BinaryResponse, getFieldLines, type RequestHead } from '@privacy-edge/bhttp';
import { parseHttpDate } from '@privacy-edge/http-fields';
import type { ReplayConfig } from './gateway-config.ts';
import type { GatewayOutcome } from './gateway-outcome.ts';
import { dateProblem, innerProblem } from './inner-answer.ts';
import type { Clock, ReplayStore } from './ports.ts';

/** What became of a request at the guard; a closed set, for metrics. */
export type ReplayVerdict = 'fresh' | 'exempt' | 'date' | 'replayed' | 'forgotten' | 'full' | 'unavailable';

/** How a guard's verdict is counted when it ends the request. */
export const REPLAY_OUTCOMES: Record<ReplayVerdict, GatewayOutcome> = {
  fresh: 'answered',
  exempt: 'answered',
  date: 'date',
  replayed: 'replayed',
  forgotten: 'forgotten',
  full: 'replay-full',
  unavailable: 'replay-unavailable',
};

/** A verdict and, unless the request may go on, the encapsulated answer. */
export interface ReplayDecision {
  readonly verdict: ReplayVerdict;
  readonly refusal: BinaryResponse | undefined;
}

/** Methods whose repetition asks for nothing new. RFC 9110 §9.2.1. */
const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'QUERY']);

const EXEMPT: ReplayDecision = { verdict: 'exempt', refusal: undefined };
const FRESH: ReplayDecision = { verdict: 'fresh', refusal: undefined };

/** Refuses replays by remembering `enc` for as long as the Date in the request would pass. */
export class ReplayGuard {
  readonly #config: ReplayConfig;
  readonly #store: ReplayStore;
  readonly #clock: Clock;

  constructor(config: ReplayConfig, store: ReplayStore, clock: Clock) {
    this.#config = config;
    this.#store = store;
    this.#clock = clock;
  }

  /** A cheap look before any key is used. False when unsure. */
  async isKnown(enc: Uint8Array): Promise<boolean> {
    if (this.#config.protect === 'none') return false;
    try {
      return await this.#store.has(enc);
    } catch {
      // A store out of reach is met again when it is asked to remember, and answered inside.
      return false;
    }
  }

  /**
   * Judges a request that has opened: only those may fill the store, or anyone could.
   *
   * @param enc - encapsulated key of the request
   * @param head - its decoded head; client-controlled
   */
  async judge(enc: Uint8Array, head: RequestHead): Promise<ReplayDecision> {
    const safe = SAFE_METHODS.has(head.method);
    if (this.#config.protect === 'none' || (this.#config.protect === 'unsafe' && safe)) return EXEMPT;
    const now = this.#clock();
    const date = readDate(head, now);
    if (date === undefined ? this.#config.date === 'required' : !(Math.abs(now - date) <= this.#config.toleranceMs)) {
      return { verdict: 'date', refusal: dateProblem(now) };
    }
    if (!safe && this.#mayBeForgotten(date, now)) {
      return { verdict: 'forgotten', refusal: tooEarly(this.#store.amnesiaUntilMs - now) };
    }
    return this.#remember(enc);
  }

  /**
   * Whether the store may have known this request and lost it. Whatever it lost was accepted before it started, when its Date
   * was at most one tolerance ahead; `amnesiaUntilMs` is two tolerances after the start.
   */
  #mayBeForgotten(date: number | undefined, now: number): boolean {
    const until = this.#store.amnesiaUntilMs;
    return date === undefined ? now < until : date <= until - this.#config.toleranceMs;
  }

  async #remember(enc: Uint8Array): Promise<ReplayDecision> {
    const outcome = await this.#store.remember(enc);
    switch (outcome) {
      case 'fresh':
        return FRESH;
      case 'seen':
        return { verdict: 'replayed', refusal: innerProblem(409, 'This request was received before') };
      case 'full':
      case 'unavailable':
        return {
          verdict: outcome,
          refusal: innerProblem(503, 'The gateway cannot take this request now', [['retry-after', '5']]),
        };
    }
  }
}

/** Undefined when there is no single valid Date; NaN never leaves here. */
function readDate(head: RequestHead, nowMs: number): number | undefined {
  const lines = getFieldLines(head.fields, 'date');
  return lines.length === 1 && lines[0] !== undefined ? parseHttpDate(lines[0], nowMs) : undefined;
}

/** 425 says just this: unwilling to risk processing a request that might be a replay. RFC 8470 §5.2. */
function tooEarly(waitMs: number): BinaryResponse {
  return innerProblem(425, 'The gateway has just started and cannot rule out a replay', [
    ['retry-after', String(Math.max(1, Math.ceil(waitMs / 1000)))],
  ]);
}
