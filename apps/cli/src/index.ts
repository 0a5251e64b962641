export { CliError, type CliErrorCode, type CliErrorParts } from './cli-error.ts';
export { ExitCode } from './exit-code.ts';
export { createProgram } from './program.ts';
