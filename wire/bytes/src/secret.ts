/** Node looks for a method of this name when it prints an object. */
const INSPECT = Symbol.for('nodejs.util.inspect.custom');

/**
 * Holds a secret so that it cannot reach a log, an error or a JSON document by accident: printing it in any way gives
 * `[secret]`. Reading it is one explicit word.
 */
export class Secret<T> {
  readonly #value: T;

  /** @param value - the caller gives up its own reference */
  constructor(value: T) {
    this.#value = value;
    Object.defineProperty(this, INSPECT, { value: () => '[secret]', enumerable: false });
  }

  /** The value itself. */
  reveal(): T {
    return this.#value;
  }

  /** Always `[secret]`. */
  toString(): string {
    return '[secret]';
  }

  /** Always `[secret]`. */
  toJSON(): string {
    return '[secret]';
  }
}
