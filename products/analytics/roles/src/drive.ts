/** What all drivers have in common: they acquire jobs, work on them, and give back what they could not end. */
import type { AggregatorContext } from './aggregator-context.ts';
import type { StepName, StepOutcome } from './observation.ts';
import type { GiveBack, Leased, LeasedKey, LeaseRequest } from './store.ts';

/** What one run of a driver came to. */
export interface DriveResult {
  /** Jobs that were acquired: the caller comes back at once while there are any. */
  readonly acquired: number;
  /** How many of them had which outcome. */
  readonly outcomes: Readonly<Partial<Record<StepOutcome, number>>>;
}

interface Driver<Job> {
  readonly step: StepName;
  acquire(request: LeaseRequest): Promise<readonly Leased<Job>[]>;
  drive(leased: Leased<Job>, token: Uint8Array): Promise<StepOutcome>;
  giveBack(key: LeasedKey, giveBack: GiveBack): Promise<boolean>;
}

const TOKEN_BYTES = 16;

/**
 * Works on a few jobs, one after another.
 *
 * A job whose step fails is given back for a later attempt, so that one bad job stops neither the others nor itself.
 */
export async function driveEach<Job extends Pick<LeasedKey, 'taskId' | 'jobId'>>(
  context: AggregatorContext,
  driver: Driver<Job>,
): Promise<DriveResult> {
  const { clock, random, settings, observe } = context;
  const nowMs = clock();
  const token = random(TOKEN_BYTES).slice();
  const until = new Date(nowMs + settings.leaseMs);
  const leased = await driver.acquire({ now: new Date(nowMs), until, token, limit: settings.leaseLimit });
  const outcomes: Partial<Record<StepOutcome, number>> = {};
  for (const one of leased) {
    const startedMs = clock();
    const outcome = await driveOne(context, driver, one, token);
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    observe({ kind: 'step', step: driver.step, outcome, milliseconds: clock() - startedMs });
  }
  return { acquired: leased.length, outcomes };
}

async function driveOne<Job extends Pick<LeasedKey, 'taskId' | 'jobId'>>(
  context: AggregatorContext,
  driver: Driver<Job>,
  leased: Leased<Job>,
  token: Uint8Array,
): Promise<StepOutcome> {
  const { taskId, jobId } = leased.job;
  try {
    return await driver.drive(leased, token);
  } catch (error) {
    context.onFault(error);
    // Neither a defect nor a store that is out of reach ends the process; the lease ends by itself if this fails as well.
    const notBefore = new Date(context.clock() + retryDelay(context, leased.attempts));
    await driver.giveBack({ taskId, jobId, token }, { notBefore, isProgress: false }).catch(() => false);
    return 'fault';
  }
}

/** Grows with the number of attempts. */
export function retryDelay({ settings }: AggregatorContext, attempts: number): number {
  const [first, longest] = settings.retryMs;
  return Math.min(longest, first * 2 ** Math.min(attempts - 1, 30));
}
