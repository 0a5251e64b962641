import { ExitCode } from './exit-code.ts';

/** Which kind of failure ends a command. */
export type CliErrorCode = 'FAILED' | 'USAGE' | 'UNREACHABLE' | 'UNTRUSTED';

/** What a {@link CliError} tells the person at the terminal. */
export interface CliErrorParts {
  /** What could not be done. Capital, no full stop. */
  readonly what: string;
  /** Why, as far as known. */
  readonly why: string;
  /** What to do about it. */
  readonly fix?: string;
  /** Where, for logs, which do not take the words. */
  readonly place?: ErrorPlace;
}

/** A place in a file of the operator. */
export interface ErrorPlace {
  /** Name of the file. */
  readonly path?: string;
  /** Starts at 1. */
  readonly line?: number;
  /** Key in the file. */
  readonly entry?: string;
}

/** An expected failure of a command, told in three parts: what; why; what to do. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly code: CliErrorCode;
  readonly place: ErrorPlace | undefined;
  constructor(code: CliErrorCode, parts: CliErrorParts, options?: ErrorOptions) {
    super([parts.what, parts.why, parts.fix].filter((part) => part !== undefined).join('; '), options);
    this.code = code;
    this.place = parts.place;
  }

  /** What the process should exit with. */
  get exitCode(): ExitCode {
    return ExitCode[this.code];
  }
}

/** The message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The `code` of a system error such as ENOENT, if it has one. */
export function systemCode(thrown: unknown): string | undefined {
  const code = (thrown as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}
