/** Tells that whoever asked is gone. Every AbortSignal does; an adapter may have something that costs less for each request. */
export interface Cancellation {
  readonly aborted: boolean;
  /** Has `listener` called once, when it happens; not when it has happened already. */
  addEventListener(type: 'abort', listener: CancellationListener): void;
  removeEventListener(type: 'abort', listener: CancellationListener): void;
}

/** Who is told, in the form that needs no closure. */
export interface CancellationListener {
  handleEvent(): void;
}

/**
 * The same news for those that take nothing but an AbortSignal.
 *
 * @returns the cancellation itself when it is one
 */
export function asAbortSignal(cancellation: Cancellation): AbortSignal {
  if (cancellation instanceof AbortSignal) return cancellation;
  const controller = new AbortController();
  if (cancellation.aborted) controller.abort();
  else cancellation.addEventListener('abort', { handleEvent: () => controller.abort() });
  return controller.signal;
}
