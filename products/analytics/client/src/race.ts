/** Waiting that can be given up. */

/**
 * Waits for work that may not know about a signal, but no longer than until it is aborted.
 *
 * @param work - goes on by itself when the signal comes first
 * @throws the reason of the signal
 */
export async function race<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop = (): void => {};
  const ended = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop);
  });
  try {
    return await Promise.race([work, ended]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
