/** What every command is given besides its own options. */
import type { Argument, Command, Option } from 'commander';
import { EXIT_CODE_HELP, type ExitCode } from '../exit-code.ts';

/** Where a command leaves the exit code of the process. */
export interface CommandContext {
  exitCode: ExitCode;
}

/** Adds what stands below the options of every `--help`: examples, then exit codes. */
export function withExamples(command: Command, examples: string): Command {
  const text = `\nExamples:\n${examples.trim().replace(/^/gm, '  ')}\n\n${EXIT_CODE_HELP}`;
  return command.addHelpText('after', text);
}

/** Option values that may be repeated are collected in order. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

const SUGGESTED = new WeakMap<Argument | Option, readonly string[]>();

/** Values for shells to offer where others may be taken too, or are refused with words of their own. */
export function suggesting<T extends Argument | Option>(values: readonly string[], taker: T): T {
  SUGGESTED.set(taker, values);
  return taker;
}

/** Values for shells to offer; empty where none are known. */
export function suggestionsOf(taker: Argument | Option): readonly string[] {
  return taker.argChoices ?? SUGGESTED.get(taker) ?? [];
}
