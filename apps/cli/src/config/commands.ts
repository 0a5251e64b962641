/** The work of `privacy-edge config …`. */
import { ExitCode } from '../exit-code.ts';
import { styled, writeJson, writeNote, writeOut } from '../output.ts';
import { checkFiles } from './files.ts';
import { inOrder, type LoadedConfig, loadConfig, requireConfig } from './load.ts';
import { printConfig, usedConfig } from './print.ts';
import { formatProblem, type Problem } from './problem.ts';
import { type SampleKind, sampleConfig } from './sample.ts';
import { jsonSchemaText } from './schema.ts';

/** `config check`. */
export async function configCheck(options: { config?: string; files?: boolean; json?: boolean }): Promise<ExitCode> {
  const loaded = await withFiles(
    await loadConfig({ file: options.config, environment: process.env }),
    options.files !== false,
  );
  const ok = loaded.config !== undefined;
  if (options.json === true) writeJson({ ok, file: loaded.file, problems: loaded.problems.map(plain) });
  else {
    for (const problem of loaded.problems) {
      const line = formatProblem(problem);
      writeNote(`${styled(problem.severity === 'error' ? 'red' : 'yellow', line, process.stderr)}\n`);
    }
    if (ok) writeOut(`${loaded.file}: ${summary(loaded.problems)}\n`);
  }
  return ok ? ExitCode.OK : ExitCode.USAGE;
}

async function withFiles(loaded: LoadedConfig, check: boolean): Promise<LoadedConfig> {
  const { config, folder, locate } = loaded;
  const missing = check && config !== undefined ? await checkFiles(config, folder, locate) : [];
  if (missing.length === 0) return loaded;
  return { ...loaded, config: undefined, problems: inOrder([...loaded.problems, ...missing]) };
}

/** `config print`. */
export async function configPrint(options: { config?: string; json?: boolean }): Promise<ExitCode> {
  const { config } = await requireConfig({ file: options.config, environment: process.env });
  if (options.json === true) writeJson(usedConfig(config));
  else writeOut(printConfig(config, process.env));
  return ExitCode.OK;
}

/** `config schema`. */
export async function configSchema(): Promise<ExitCode> {
  writeOut(jsonSchemaText());
  return ExitCode.OK;
}

/** `config init`. */
export async function configInit(kind: SampleKind): Promise<ExitCode> {
  writeOut(sampleConfig(kind));
  return ExitCode.OK;
}

function summary(problems: readonly Problem[]): string {
  if (problems.length === 0) return 'good';
  return `usable, ${problems.length} warning${problems.length === 1 ? '' : 's'}`;
}

function plain({ severity, source, key, message }: Problem): Record<string, unknown> {
  const { kind: _, ...place } = source;
  return { severity, ...place, key, message };
}
