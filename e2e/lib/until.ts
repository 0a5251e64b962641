/** Waiting for what must happen, with a deadline and without guessing how long it takes. */
import { setTimeout as pause } from 'node:timers/promises';

const POLL_MS = 15;

/**
 * Polls until a condition holds.
 *
 * @param condition - may be asked often
 * @param what - completes "Waited … for …"
 */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  deadlineMs = 60_000,
): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`Waited ${deadlineMs} ms for ${what}`);
    await pause(POLL_MS);
  }
}

/** Rejects when a promise takes too long. */
export async function within<T>(promise: Promise<T>, what: string, deadlineMs = 60_000): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`Waited ${deadlineMs} ms for ${what}`)), deadlineMs);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
