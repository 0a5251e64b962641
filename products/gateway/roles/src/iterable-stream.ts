import { Gatherer } from '@privacy-edge/bytes';
import { BodyError } from '@privacy-edge/http-exchange';

/**
 * A stream over an async iterable: each pull takes one piece, cancelling closes the iterable.
 * (`ReadableStream.from` does the same but is not in every runtime.)
 */
export function streamFromIterable(iterable: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  const iterator = iterable[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await iterator.next();
        if (done === true) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await iterator.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}

/**
 * Joins the pieces of a body.
 *
 * @param maxBytes - hold no more than this
 * @throws {@link BodyError} `TOO_LARGE`; whatever the pieces throw
 */
export async function readAll(pieces: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const held = new Gatherer();
  for await (const piece of pieces) {
    if (held.length + piece.length > maxBytes) {
      throw new BodyError('TOO_LARGE', 'Cannot read body: it is larger than allowed');
    }
    held.push(piece);
  }
  return held.take();
}
