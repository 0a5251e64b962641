/** Strict reading of documents: every member is named by the reader, everything else is an error with its place. */
import { fromBase64Url } from '@privacy-edge/bytes';
import { AnalyticsError } from '../analytics-error.ts';

/**
 * The error for a task document.
 *
 * @param path - where
 * @param state - what is wrong there; must hold no value of a document with secrets
 */
export function invalidTask(path: string, state: string, cause?: unknown): AnalyticsError {
  return new AnalyticsError('TASK_INVALID', `Cannot use task: ${path} ${state}`, { path, cause });
}

/** The members of one object of a document. */
export class Fields {
  readonly #members: ReadonlyMap<string, unknown>;
  readonly #path: string;
  readonly #taken = new Set<string>();

  /**
   * @param value - parsed JSON or YAML, from anywhere
   * @param path - where it stands; empty for the whole document
   * @throws {@link AnalyticsError} `TASK_INVALID`
   */
  constructor(value: unknown, path: string) {
    this.#path = path;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw invalidTask(path || 'the document', 'is not an object');
    }
    this.#members = new Map(Object.entries(value));
  }

  /** Where a member stands; for the empty name, what stands before all of them. */
  pathOf(name: string): string {
    return this.#path === '' ? name : `${this.#path}.${name}`;
  }

  /** Whether a member is there. */
  has(name: string): boolean {
    return this.#members.has(name);
  }

  /** A member of any kind. */
  any(name: string): unknown {
    if (!this.has(name)) throw invalidTask(this.pathOf(name), 'is missing');
    this.#taken.add(name);
    return this.#members.get(name);
  }

  /** A string. */
  string(name: string): string {
    const value = this.any(name);
    if (typeof value !== 'string') throw invalidTask(this.pathOf(name), 'is not a string');
    return value;
  }

  /** A finite number. */
  number(name: string): number {
    const value = this.any(name);
    if (typeof value !== 'number' || !Number.isFinite(value)) throw invalidTask(this.pathOf(name), 'is not a number');
    return value;
  }

  /** An integer within bounds. */
  integer(name: string, min: number, max: number = Number.MAX_SAFE_INTEGER): number {
    const value = this.any(name);
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max) {
      throw invalidTask(this.pathOf(name), `is not an integer from ${min} to ${max}`);
    }
    return value;
  }

  /** A boolean. */
  boolean(name: string): boolean {
    const value = this.any(name);
    if (typeof value !== 'boolean') throw invalidTask(this.pathOf(name), 'is not a boolean');
    return value;
  }

  /** One of several words. */
  choice<const T extends string>(name: string, words: readonly T[]): T {
    const value = this.any(name);
    const word = words.find((candidate) => candidate === value);
    if (word === undefined) throw invalidTask(this.pathOf(name), `is not one of ${words.join(', ')}`);
    return word;
  }

  /** Bytes in base64url without padding. */
  bytes(name: string, length?: number): Uint8Array {
    const text = this.string(name);
    let bytes: Uint8Array;
    try {
      bytes = fromBase64Url(text);
    } catch (cause) {
      throw invalidTask(this.pathOf(name), 'is not base64url', cause);
    }
    if (length !== undefined && bytes.length !== length) {
      throw invalidTask(this.pathOf(name), `does not have ${length} bytes`);
    }
    return bytes;
  }

  /** A list, read item by item. */
  list<T>(name: string, read: (item: unknown, path: string) => T): T[] {
    const value = this.any(name);
    const path = this.pathOf(name);
    if (!Array.isArray(value)) throw invalidTask(path, 'is not a list');
    return value.map((item: unknown, i) => read(item, `${path}[${i}]`));
  }

  /** An object. */
  object(name: string): Fields {
    return new Fields(this.any(name), this.pathOf(name));
  }

  /** @throws {@link AnalyticsError} `TASK_INVALID` for a member that nobody asked for */
  end(): void {
    for (const name of this.#members.keys()) {
      if (!this.#taken.has(name)) throw invalidTask(this.pathOf(name), 'is unknown');
    }
  }
}

/** An item of a list that is a string. */
export function stringItem(value: unknown, path: string): string {
  if (typeof value !== 'string') throw invalidTask(path, 'is not a string');
  return value;
}

/** An item of a list that is a finite number. */
export function numberItem(value: unknown, path: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw invalidTask(path, 'is not a number');
  return value;
}
