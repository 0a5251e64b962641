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
