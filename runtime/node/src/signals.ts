/** What signals mean to a role: stop after finishing, or read settings and keys again. */
import type { EventFields, LogEvent } from './log.ts';
import { errorFields } from './log.ts';

/** What to do on a signal. */
export interface SignalHandlers {
  /** SIGTERM or SIGINT: stop accepting, finish, then return. A second signal ends the process at once. */
  readonly drain: () => Promise<void>;
  /** SIGHUP: read keys and certificates again. A failure is logged and the old ones stay. */
  readonly reload?: () => Promise<void>;
  readonly log: LogEvent;
  /** What is logged of a reload that failed; default {@link errorFields}. */
  readonly reloadFailure?: (error: unknown) => EventFields;
  /** Ends the process; a test passes its own. */
  readonly exit?: (code: number) => void;
}

/**
 * Listens to SIGTERM, SIGINT and SIGHUP. The exit code after a drain is 0, after a failed drain 1, after a second stop
 * signal 130.
 *
 * @returns a function that stops listening
 */
export function handleSignals(handlers: SignalHandlers): () => void {
  const exit = handlers.exit ?? ((code: number) => process.exit(code));
  let draining = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (draining) {
      exit(130);
      return;
    }
    draining = true;
    handlers.log('info', 'draining', { signal });
    handlers.drain().then(
      () => exit(0),
      (error: unknown) => {
        handlers.log('error', 'drain_failed', errorFields(error));
        exit(1);
      },
    );
  };
  let reloading: Promise<void> = Promise.resolve();
  const reload = (): void => {
    // One at a time and in order: the last signal's state must be the one that stays.
    reloading = reloading
      .then(() => handlers.reload?.())
      .then(() => handlers.log('info', 'reloaded'))
      .catch((error: unknown) =>
        handlers.log('error', 'reload_failed', (handlers.reloadFailure ?? errorFields)(error)),
      );
  };
  process.on('SIGTERM', stop).on('SIGINT', stop).on('SIGHUP', reload);
  return () => {
    process.off('SIGTERM', stop).off('SIGINT', stop).off('SIGHUP', reload);
  };
}
