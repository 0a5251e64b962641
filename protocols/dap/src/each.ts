/** Steps over many things that may or may not have to be waited for. */
import { type Awaitable, isPromiseLike } from '@privacy-edge/bytes';

/** Takes a step for each item. With a synchronous backend all results are there at once. */
export function forEachItem<T, U>(items: readonly T[], step: (item: T) => Awaitable<U>): Awaitable<U[]> {
  const results = items.map((item) => step(item));
  // Nothing is a promise in the else branch.
  return results.some((result) => isPromiseLike(result)) ? Promise.all(results) : (results as U[]);
}
