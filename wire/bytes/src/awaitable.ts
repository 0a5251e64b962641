/** A value, or a promise of it: what a backend that may be synchronous returns. */
export type Awaitable<T> = T | PromiseLike<T>;

/**
 * Continues with a value that may or may not be there yet. With a plain value the continuation runs at once, so a chain
 * of steps over a synchronous backend costs no promise at all and one source serves both kinds of backend.
 */
export function andThen<T, U>(value: Awaitable<T>, step: (value: T) => Awaitable<U>): Awaitable<U> {
  return isPromiseLike(value) ? value.then(step) : step(value);
}

/** Whether a value still has to be waited for. */
export function isPromiseLike<T>(value: Awaitable<T>): value is PromiseLike<T> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}

/**
 * Runs a step and puts one error in the place of whatever it throws or rejects with.
 *
 * @param step - should call one primitive and nothing else, so that no programming error is hidden
 * @param replace - makes the error; it does not see the original, so nothing can leak through
 */
export function replaceErrors<T>(step: () => Awaitable<T>, replace: () => Error): Awaitable<T> {
  try {
    const value = step();
    if (!isPromiseLike(value)) return value;
    return value.then(undefined, () => {
      throw replace();
    });
  } catch {
    throw replace();
  }
}
