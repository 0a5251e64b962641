export { CliError, type CliErrorCode, type CliErrorParts } from './cli-error.ts';
export { ExitCode } from './exit-code.ts';
export { createProgram } from './program.ts';
export { type GatewayHooks, type GatewayStart, type GatewayUpdate, startGateway } from './serve/gateway-role.ts';
export { type ProcessOptions, type ReadyLine, type ServingProcess, startProcess } from './serve/process.ts';
export { type RelayHooks, type RelayStart, type RelayUpdate, startRelay } from './serve/relay-role.ts';
export type { RoleHost, RunningRole } from './serve/role.ts';
