/** Error handling for steps that may be synchronous or not. */
import { type Awaitable, isPromiseLike } from '@privacy-edge/bytes';

/**
 * Runs a step and puts one error in the place of whatever it throws or rejects with.
 *
 * @param replace - makes the error; it does not see the original, so nothing can leak through
 */
export function replaceErrors<T>(step: () => Awaitable<T>, replace: () => Error): Awaitable<T> {
  try {
    const result = step();
    if (!isPromiseLike(result)) return result;
    return result.then(undefined, () => {
      throw replace();
    });
  } catch {
    throw replace();
  }
}
