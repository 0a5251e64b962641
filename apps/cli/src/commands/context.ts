/** What every command is given besides its own options. */
import type { Command } from 'commander';
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
