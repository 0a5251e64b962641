/** Runs the command line and turns whatever happens into an exit code and one sentence. */
import { CommanderError } from 'commander';
import { CliError } from './cli-error.ts';
import type { CommandContext } from './commands/context.ts';
import { ExitCode } from './exit-code.ts';
import { endQuietlyOnClosedPipe, writeNote } from './output.ts';
import { createProgram } from './program.ts';

const context: CommandContext = { exitCode: ExitCode.OK };
endQuietlyOnClosedPipe();
try {
  await createProgram(context).parseAsync(process.argv);
  process.exitCode = context.exitCode;
} catch (thrown) {
  process.exitCode = report(thrown);
}

/** Says what went wrong. */
function report(thrown: unknown): ExitCode {
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? ExitCode.OK : ExitCode.USAGE;
  if (thrown instanceof CliError) {
    writeNote(`privacy-edge: ${thrown.message}\n`);
    return thrown.exitCode;
  }
  const detail = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  writeNote(`privacy-edge: Cannot go on; this is a fault in the program; please report it:\n${detail}\n`);
  return ExitCode.INTERNAL;
}
