/** One test vector: typed reading of its members, and comparison with words. */
import { equalBytes, fromHex, toHex } from '@privacy-edge/bytes';

/** Why a vector did not pass. */
export type VectorErrorCode =
  /** Our value differs from the recorded one. */
  | 'MISMATCH'
  /** The vector lacks something that its kind needs. */
  | 'UNREADABLE';

/** A vector that does not pass. */
export class VectorError extends Error {
  override readonly name = 'VectorError';
  readonly code: VectorErrorCode;
  constructor(code: VectorErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A JSON object of a vector file. */
export class Vector {
  readonly #members: Readonly<Record<string, unknown>>;
  /** Names of members that were asked for. */
  readonly #read = new Set<string>();

  /** @param value - anything from a vector file; must be an object */
  constructor(value: unknown) {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new VectorError('UNREADABLE', 'Cannot read vector: it is no JSON object');
    this.#members = value as Record<string, unknown>;
  }

  /** Whether there is a member of this name. */
  has(name: string): boolean {
    return Object.hasOwn(this.#members, name);
  }

  /** Names of all members. */
  names(): readonly string[] {
    return Object.keys(this.#members);
  }

  /** A member written in hexadecimal. */
  hex(name: string): Uint8Array {
    try {
      return fromHex(this.text(name));
    } catch (cause) {
      if (cause instanceof VectorError) throw cause;
      throw new VectorError('UNREADABLE', `Cannot read vector: "${name}" is not hexadecimal`, { cause });
    }
  }

  /** A whole number. */
  integer(name: string): number {
    const value = this.#member(name);
    if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw this.#missing(name, 'a whole number');
    return value;
  }

  /** Text. */
  text(name: string): string {
    const value = this.#member(name);
    if (typeof value !== 'string') throw this.#missing(name, 'text');
    return value;
  }

  /** True only when the member is there and true. */
  flag(name: string): boolean {
    return this.#member(name) === true;
  }

  /** True or false, and nothing else. */
  boolean(name: string): boolean {
    const value = this.#member(name);
    if (typeof value !== 'boolean') throw this.#missing(name, 'true or false');
    return value;
  }

  /** Whether a member is null; it has to be there. */
  isNull(name: string): boolean {
    return this.json(name) === null;
  }

  /**
   * Asserts that every member was asked for.
   *
   * @param free - members that say nothing to check
   */
  end(...free: readonly string[]): void {
    const unknown = this.names().find((name) => !this.#read.has(name) && !free.includes(name));
    if (unknown !== undefined)
      throw new VectorError('UNREADABLE', `Cannot read vector: "${unknown}" is no known member`);
  }

  /** A list of objects. */
  vectors(name: string): readonly Vector[] {
    return this.#list(name).map((value) => new Vector(value));
  }

  /** One object. */
  vector(name: string): Vector {
    return new Vector(this.#member(name));
  }

  /** A list of byte strings in hexadecimal. */
  hexList(name: string): readonly Uint8Array[] {
    return this.#list(name).map((value, i) => new Vector({ [`${name}[${i}]`]: value }).hex(`${name}[${i}]`));
  }

  /** A list of lists of byte strings in hexadecimal. */
  hexLists(name: string): readonly (readonly Uint8Array[])[] {
    return this.#list(name).map((value, i) => new Vector({ [`${name}[${i}]`]: value }).hexList(`${name}[${i}]`));
  }

  /** A list of whole numbers, each a number or decimal text. */
  bigints(name: string): readonly bigint[] {
    return this.#list(name).map((value, i) => new Vector({ [`${name}[${i}]`]: value }).bigint(`${name}[${i}]`));
  }

  /** A list of lists of whole numbers. */
  bigintLists(name: string): readonly (readonly bigint[])[] {
    return this.#list(name).map((value, i) => new Vector({ [`${name}[${i}]`]: value }).bigints(`${name}[${i}]`));
  }

  /** A whole number of any size, as a number or decimal text. */
  bigint(name: string): bigint {
    const value = this.#member(name);
    if (typeof value === 'string' && /^(0|[1-9][0-9]*)$/.test(value)) return BigInt(value);
    return BigInt(this.integer(name));
  }

  /** A member of any kind, null included. */
  json(name: string): unknown {
    if (!this.has(name)) throw this.#missing(name, 'there');
    return this.#member(name);
  }

  /** Field lines: pairs of name and value. */
  fields(name: string): readonly (readonly [string, string])[] {
    return this.#list(name).map((pair) => {
      if (!Array.isArray(pair) || typeof pair[0] !== 'string' || typeof pair[1] !== 'string')
        throw this.#missing(name, 'a list of name and value pairs');
      return [pair[0], pair[1]];
    });
  }

  #member(name: string): unknown {
    this.#read.add(name);
    return this.#members[name];
  }

  #list(name: string): readonly unknown[] {
    const value = this.#member(name);
    if (!Array.isArray(value)) throw this.#missing(name, 'a list');
    return value;
  }

  #missing(name: string, expected: string): VectorError {
    return new VectorError('UNREADABLE', `Cannot read vector: "${name}" is not ${expected}`);
  }
}

/** @throws {@link VectorError} `MISMATCH` when the byte strings differ */
export function expectBytes(what: string, actual: Uint8Array, expected: Uint8Array): void {
  if (equalBytes(actual, expected)) return;
  throw new VectorError('MISMATCH', `${what} differs: expected ${shorten(expected)}, got ${shorten(actual)}`);
}

/** @throws {@link VectorError} `MISMATCH` when the values differ as JSON */
export function expectSame(what: string, actual: unknown, expected: unknown): void {
  const [got, wanted] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (got !== wanted) throw new VectorError('MISMATCH', `${what} differs: expected ${wanted}, got ${got}`);
}

/**
 * Expects a step to fail with exactly one of our errors.
 *
 * @param what - for the message
 * @param step - what should fail
 * @param isExpected - whether the error is the right one
 * @throws {@link VectorError} `MISMATCH` when it succeeds or fails otherwise
 */
export async function expectFailure(
  what: string,
  step: () => unknown,
  isExpected: (error: unknown) => boolean,
): Promise<void> {
  try {
    await step();
  } catch (error) {
    if (isExpected(error)) return;
    throw new VectorError('MISMATCH', `${what} fails with ${describe(error)}`, { cause: error });
  }
  throw new VectorError('MISMATCH', `${what} is accepted, expected a refusal`);
}

/** An error in a few words. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = (error as { code?: unknown }).code;
  return `${error.name}${typeof code === 'string' ? ` ${code}` : ''}: ${error.message}`;
}

/**
 * A source of "random" bytes that hands out recorded ones in order.
 *
 * @param recorded - bytes of the vector
 */
export function recordedRandom(recorded: Uint8Array): (length: number) => Uint8Array {
  let at = 0;
  return (length) => {
    if (at + length > recorded.length)
      throw new VectorError('MISMATCH', `more randomness is used than the ${recorded.length} recorded bytes`);
    at += length;
    return recorded.slice(at - length, at);
  };
}

function shorten(bytes: Uint8Array): string {
  const text = toHex(bytes);
  return text.length > 48 ? `${text.slice(0, 48)}… (${bytes.length} bytes)` : text === '' ? 'nothing' : text;
}
