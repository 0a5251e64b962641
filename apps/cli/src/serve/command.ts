/** `privacy-edge gateway serve` and `privacy-edge gateway relay`: one process that serves one role. */
import { writeSync } from 'node:fs';
import { RuntimeError } from '@privacy-edge/node';
import { CliError, messageOf } from '../cli-error.ts';
import type { SectionName } from '../config/types.ts';
import type { ExitCode } from '../exit-code.ts';
import { writeNote } from '../output.ts';
import { columns } from '../table.ts';
import { roleName, type ServingProcess, startProcess } from './process.ts';

/** Options of the command. */
export interface ServeOptions {
  readonly config?: string;
  readonly readyFd: string;
}

/** Serves until a signal says stop. */
export async function serve(role: SectionName, options: ServeOptions): Promise<ExitCode> {
  const fd = Number(options.readyFd);
  if (!Number.isInteger(fd) || fd < 1)
    throw new CliError('USAGE', { what: `Cannot use --ready-fd ${options.readyFd}`, why: 'it is no file descriptor' });
  try {
    const running = await startProcess(role, { config: options.config, environment: process.env });
    if (process.stderr.isTTY === true) writeNote(banner(running));
    writeSync(fd, `${JSON.stringify(running.ready)}\n`);
    const code = await running.ended;
    // Everything that counts is finished. A connection that a peer holds half open, or a timer, must not keep the process.
    return process.exit(code);
  } catch (cause) {
    const isDatabase = cause instanceof Error && cause.name === 'SqlError';
    if (!(cause instanceof RuntimeError) && !isDatabase) throw cause;
    const fix = 'correct it and start again; "privacy-edge config print" shows the settings in use';
    throw new CliError('USAGE', { what: `Cannot serve the ${roleName(role)}`, why: messageOf(cause), fix }, { cause });
  }
}

function banner({ ready }: ServingProcess): string {
  const rows = Object.entries(ready).filter(([name]) => name.endsWith('Url') || name === 'url');
  const labels: Readonly<Record<string, string>> = { url: ready.role, adminUrl: 'metrics and health' };
  const lines = rows.map(([name, url]) => [labels[name] ?? name.replace(/Url$/, ''), String(url)]);
  return `${columns(lines, '  ')}  stop with Ctrl-C; SIGHUP reads keys, targets, tasks and certificates again\n`;
}
