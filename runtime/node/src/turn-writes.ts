/**
 * Writes to sockets once for each turn of the event loop, after every request of the turn was worked on. A small write costs the
 * kernel little and the waking of its reader a lot; readers that are still awake from the write before are not woken again.
 */
import type { Socket } from 'node:net';

let delayed: DelayedWrites[] = [];

/**
 * From now on what is written between `cork` and `uncork`, as node:http and undici write whole messages, leaves the process at
 * the end of the turn. Other writes are not touched.
 *
 * @param socket - clear or TLS
 * @param onStalled - called after a turn in which the peer did not take all that was written
 */
export function writeOncePerTurn(socket: Socket, onStalled?: () => void): void {
  const writes = new DelayedWrites(socket, onStalled);
  socket.uncork = () => writes.ask();
  // A stream that was ended while it was corked would never notice that all of it has been written.
  const end: (...args: never[]) => Socket = socket.end;
  socket.end = (...args: never[]) => {
    writes.write();
    return end.apply(socket, args);
  };
}

class DelayedWrites {
  readonly #socket: Socket;
  readonly #uncork: () => void;
  readonly #onStalled: (() => void) | undefined;
  /** How often `uncork` was called in this turn. */
  #asked = 0;

  constructor(socket: Socket, onStalled: (() => void) | undefined) {
    this.#socket = socket;
    this.#uncork = socket.uncork;
    this.#onStalled = onStalled;
  }

  ask(): void {
    if (this.#asked++ > 0) return;
    if (delayed.length === 0) setImmediate(writeAll);
    delayed.push(this);
  }

  write(): void {
    const asked = this.#asked;
    this.#asked = 0;
    for (let i = 0; i < asked; i++) this.#uncork.call(this.#socket);
    if (this.#socket.writableLength > 0) this.#onStalled?.();
  }
}

function writeAll(): void {
  const now = delayed;
  // What is asked for from here on belongs to the next turn.
  delayed = [];
  for (const writes of now) writes.write();
}
