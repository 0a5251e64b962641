/** What carries out operations: SQLite in a thread, or PostgreSQL over a pool. */
import type { Operation } from './operation.ts';
import type { SecretColumns } from './secret-columns.ts';

/** What operations are given beside their arguments. */
export interface OperationContext {
  readonly secrets: SecretColumns;
}

/**
 * An operation with a name, so that it can be asked for across threads. Arguments and results are structured-cloneable; bytes
 * in them are plain `Uint8Array`.
 */
// The arguments differ by name; each engine passes on what the caller, whose types are exact, has given it.
export type OperationMaker = (context: OperationContext, ...args: never[]) => Operation<unknown>;

/** Operations by name. */
export type Operations = Readonly<Record<string, OperationMaker>>;

/** Asks for operations by name. */
export interface Engine<Ops extends Operations> {
  /**
   * Carries out one operation in a transaction, which is durable once this resolves.
   *
   * @throws {@link SqlError} `BUSY`, `FULL`, `READONLY`, `UNAVAILABLE`, `CORRUPT`, `CLOSED`, `REFUSED` or `KEY_UNKNOWN`
   */
  call<Name extends keyof Ops & string>(name: Name, ...args: Arguments<Ops[Name]>): Promise<Result<Ops[Name]>>;
  /** Finishes what was asked for, then closes the database. Later calls are refused. */
  close(): Promise<void>;
}

/** Arguments of an operation after its context. */
export type Arguments<Maker> = Maker extends (context: OperationContext, ...args: infer Args) => unknown ? Args : never;

/** What an operation returns. */
export type Result<Maker> = Maker extends (...args: never[]) => Operation<infer T> ? T : never;
