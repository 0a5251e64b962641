/** Streams that clean up however they end. */

/**
 * Starts a generator and gives the stream of its pieces. Closing a generator that was never pulled skips its cleanup, and one
 * that waits for its source is closed only when the source moves; neither is true of this stream.
 *
 * @param generator - runs to its first piece here
 * @param signal - closes the stream too, for readers that go away without a word
 * @param onClose - called first when the stream is closed early: makes whatever the generator waits for end
 */
export async function beginStream(
  generator: AsyncGenerator<Uint8Array, void, undefined>,
  signal: AbortSignal,
  onClose: () => void,
): Promise<AsyncIterable<Uint8Array>> {
  let first: IteratorResult<Uint8Array, void> | undefined = await generator.next();
  const stop = (): void => {
    onClose();
    generator.return().then(ignore, ignore);
  };
  const finish = (): void => signal.removeEventListener('abort', stop);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  return {
    [Symbol.asyncIterator]: () => ({
      async next() {
        const held = first;
        first = undefined;
        if (held !== undefined) return held;
        try {
          const result = await generator.next();
          if (result.done === true) finish();
          return result;
        } catch (error) {
          finish();
          throw error;
        }
      },
      async return() {
        first = undefined;
        finish();
        onClose();
        await generator.return();
        return { done: true, value: undefined };
      },
    }),
  };
}

function ignore(): void {}
