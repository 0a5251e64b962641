/** Writes the stream of an answer. */
import type { Writable } from 'node:stream';
import { Gatherer } from '@privacy-edge/bytes';

/** Pieces of one turn of the event loop are joined up to this many bytes. */
const JOINED_BYTES = 16_384;
/** Pieces after which others get a turn. */
const PIECES_PER_TURN = 64;

/**
 * Writes a stream as fast as the peer reads it. When the peer goes, or reads nothing for `stallMs`, the source is closed.
 * The header waits for the first piece, but not beyond this turn of the event loop.
 *
 * @param body - its pieces may be of any size; who sends them may be an attacker
 * @param out - ended here
 * @param flushHeader - called when nothing is there to send with the header
 * @throws what the source throws
 */
export async function pump(
  body: AsyncIterable<Uint8Array>,
  out: Writable,
  stallMs: number,
  flushHeader: () => void,
): Promise<void> {
  const source = body[Symbol.asyncIterator]();
  const writer = new PieceWriter(out);
  let wake: (() => void) | undefined;
  out.once('close', () => wake?.());
  const flush = setImmediate(() => (writer.begun || out.destroyed ? undefined : flushHeader()));
  // Each wait has a promise of its own: racing one long-lived promise would keep every piece's reactions until the end.
  const untilGone = <T>(start: (resolve: (value: T | undefined) => void, reject: (error: Error) => void) => void) =>
    new Promise<T | undefined>((resolve, reject) => {
      wake = () => resolve(undefined);
      if (out.destroyed) resolve(undefined);
      else start(resolve, reject);
    });
  try {
    for (;;) {
      const next = await untilGone<IteratorResult<Uint8Array>>((resolve, reject) => {
        source.next().then(resolve, reject);
      });
      if (next === undefined) {
        // Not awaited: a generator that waits for its own source would hold us here.
        source.return?.().then(ignore, ignore);
        return;
      }
      if (next.done === true) break;
      if (!writer.write(next.value)) {
        const timer = setTimeout(() => out.destroy(), stallMs);
        await untilGone<void>((resolve) => out.once('drain', resolve));
        clearTimeout(timer);
      } else if (writer.piecesInTurn >= PIECES_PER_TURN) {
        await untilGone<void>((resolve) => setImmediate(resolve));
      }
    }
    writer.flush();
    out.end();
  } finally {
    clearImmediate(flush);
    writer.close();
  }
}

/**
 * The first piece of a turn goes out at once, so that nothing is late; those that follow in the same turn go out together at
 * its end, so that a source of single bytes does not become a write for each.
 */
class PieceWriter {
  readonly #out: Writable;
  readonly #joined = new Gatherer();
  #turn: NodeJS.Immediate | undefined;
  /** Whether anything was written. */
  begun = false;
  /** Pieces since the event loop last went on. */
  piecesInTurn = 0;

  constructor(out: Writable) {
    this.#out = out;
  }

  /** @returns false when the peer does not keep up */
  write(piece: Uint8Array): boolean {
    this.begun = true;
    this.piecesInTurn++;
    const first = this.#turn === undefined;
    if (first) this.#turn = setImmediate(this.#endTurn);
    if (this.#joined.length === 0 && (first || piece.length >= JOINED_BYTES)) return this.#out.write(piece);
    this.#joined.push(piece);
    return this.#joined.length < JOINED_BYTES ? !this.#out.writableNeedDrain : this.flush();
  }

  /** Writes what is held. */
  flush(): boolean {
    if (this.#joined.length === 0 || this.#out.destroyed) return true;
    return this.#out.write(this.#joined.take());
  }

  /** Ends the turn now; what was there before the source failed still goes out. */
  close(): void {
    clearImmediate(this.#turn);
    if (!this.#out.writableEnded) this.flush();
  }

  readonly #endTurn = (): void => {
    this.#turn = undefined;
    this.piecesInTurn = 0;
    this.flush();
  };
}

function ignore(): void {}
