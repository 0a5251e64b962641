/** Something that is done again and again for as long as a process lives. */

/** How a loop goes. */
export interface LoopOptions {
  /** One step. True when there may be more to do at once. */
  readonly step: () => Promise<boolean>;
  /** Milliseconds between steps with nothing to do; really half to one and a half of it, so that processes do not meet. */
  readonly paceMs: number;
  /** A number from 0 to below 1. */
  readonly random: () => number;
  /** Gets what a step rejected with; must not throw. */
  readonly onFault: (error: unknown) => void;
}

/** A running loop. */
export interface StepLoop {
  /** Begins the next step now, if none is under way. */
  wake(): void;
  /** Lets the step under way finish, and begins no other. */
  stop(): Promise<void>;
}

/** Longest wait after steps that failed. */
const LONGEST_PAUSE_MS = 60_000;

/** Starts a loop; its first step begins at once. */
export function startLoop(options: LoopOptions): StepLoop {
  const { step, paceMs, random, onFault } = options;
  let stopped = false;
  let isAwake = false;
  let wakeUp: (() => void) | undefined;
  const rest = async (ms: number): Promise<void> => {
    if (isAwake || stopped) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    wakeUp = resolve;
    await promise;
    clearTimeout(timer);
    wakeUp = undefined;
  };
  const run = async (): Promise<void> => {
    let faults = 0;
    while (!stopped) {
      isAwake = false;
      let isMore = false;
      try {
        isMore = await step();
        faults = 0;
      } catch (error) {
        faults++;
        onFault(error);
      }
      const longest = Math.max(LONGEST_PAUSE_MS, paceMs);
      if (!isMore) await rest(Math.min(longest, paceMs * 2 ** Math.min(faults, 16)) * (0.5 + random()));
    }
  };
  const ended = run();
  return {
    wake: () => {
      isAwake = true;
      wakeUp?.();
    },
    stop: () => {
      stopped = true;
      wakeUp?.();
      return ended;
    },
  };
}
