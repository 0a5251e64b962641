/** Reading a deployment's configuration: file, environment, schema, cross checks; in this order. */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { CliError, type ErrorPlace, systemCode } from '../cli-error.ts';
import { checkDeployment } from './checks.ts';
import { type ConfigDocument, parseConfigDocument } from './document.ts';
import { applyOverrides, type Environment, type Override, readOverrides } from './environment.ts';
import { formatProblem, type KeyPath, type Problem } from './problem.ts';
import { deploymentSchema } from './schema.ts';
import { type DeploymentConfig, SECTION_NAMES, type SectionName } from './types.ts';
import { type Locate, validate } from './validate.ts';

/** File that is read when none is named. */
const DEFAULT_CONFIG_FILE = 'privacy-edge.yaml';

/** What reading a configuration gave. */
export interface LoadedConfig {
  /** Name of the file, as messages show it. */
  readonly file: string;
  /** Folder that relative file names start from. */
  readonly folder: string;
  /** Undefined when there are errors. */
  readonly config: DeploymentConfig | undefined;
  readonly problems: readonly Problem[];
  /** Finds the place of a key in the file or the environment. */
  readonly locate: Locate;
}

/** Where to read from. */
export interface LoadOptions {
  /** File named on the command line; undefined takes PRIVACY_EDGE_CONFIG, then `privacy-edge.yaml`. */
  readonly file: string | undefined;
  readonly environment: Environment;
  /**
   * Sections that matter to the caller: the environment is read and keys are compared for these only, since a process of
   * another role does not have their secrets. Default: all.
   */
  readonly sections?: readonly SectionName[];
}

/**
 * Reads and checks a configuration; says everything that is wrong, not only the first thing.
 *
 * @throws {@link CliError} `USAGE` when the file cannot be read at all
 */
export async function loadConfig(options: LoadOptions): Promise<LoadedConfig> {
  const file = options.file ?? options.environment['PRIVACY_EDGE_CONFIG'] ?? DEFAULT_CONFIG_FILE;
  return interpretConfig(file === '-' ? '<standard input>' : file, await readText(file), options);
}

/** {@link loadConfig} for text that is already at hand. */
export function interpretConfig(
  file: string,
  yaml: string,
  options: Pick<LoadOptions, 'environment' | 'sections'>,
): LoadedConfig {
  const folder = dirname(resolve(file));
  const document = parseConfigDocument(file, yaml);
  if (document.problems.length > 0)
    return { file, folder, config: undefined, problems: document.problems, locate: locator(document, []) };
  const sections = options.sections ?? SECTION_NAMES;
  const overrides = readOverrides(options.environment, deploymentSchema, sections);
  const locate = locator(document, overrides.values);
  const result = validate(deploymentSchema, applyOverrides(document.value, overrides.values), locate);
  const problems = [...overrides.problems];
  if (!result.ok)
    return { file, folder, config: undefined, problems: inOrder([...problems, ...result.problems]), locate };
  problems.push(...checkDeployment(result.value, { environment: options.environment, sections, locate }));
  const broken = problems.some((problem) => problem.severity === 'error');
  return { file, folder, config: broken ? undefined : result.value, problems: inOrder(problems), locate };
}

/**
 * Reads a configuration that has to be right.
 *
 * @throws {@link CliError} `USAGE` naming every problem
 */
export async function requireConfig(
  options: LoadOptions,
): Promise<LoadedConfig & { readonly config: DeploymentConfig }> {
  const loaded = await loadConfig(options);
  if (loaded.config !== undefined) return { ...loaded, config: loaded.config };
  const errors = loaded.problems.filter((problem) => problem.severity === 'error');
  throw new CliError('USAGE', {
    place: placeOf(errors[0]),
    what: `Cannot use the configuration ${loaded.file}`,
    why: `it has ${errors.length} error${errors.length === 1 ? '' : 's'}`,
    fix: `correct this and try again:\n${errors.map((problem) => `  ${formatProblem(problem)}`).join('\n')}`,
  });
}

/** Where to look first. */
function placeOf(problem: Problem | undefined): ErrorPlace {
  if (problem === undefined) return {};
  const { source, key } = problem;
  const entry = key === '' ? {} : { entry: key };
  return source.kind === 'file' ? { path: source.file, line: source.line, ...entry } : entry;
}

/** The environment first, then the file from top to bottom. */
export function inOrder(problems: readonly Problem[]): readonly Problem[] {
  const place = ({ source }: Problem): number => (source.kind === 'file' ? source.line * 1e6 + source.column : 0);
  return problems.toSorted((a, b) => place(a) - place(b));
}

async function readText(file: string): Promise<string> {
  try {
    return file === '-' ? await text(process.stdin) : await readFile(file, 'utf8');
  } catch (cause) {
    throw new CliError(
      'USAGE',
      {
        place: { path: file },
        what: `Cannot read the configuration ${file}`,
        why: systemCode(cause) === 'ENOENT' ? 'there is no such file' : `the system says ${systemCode(cause) ?? 'no'}`,
        fix: 'make one with "privacy-edge config init", or name another with --config',
      },
      { cause },
    );
  }
}

function locator(document: ConfigDocument, overrides: readonly Override[]): Locate {
  return (path: KeyPath, what) => {
    // The most specific variable that covers the path is the one that set the value.
    const covering = overrides.findLast((one) => one.path.every((part, i) => part === path[i]));
    if (covering !== undefined) return { kind: 'environment', variable: covering.variable };
    return what === 'key' ? document.locateKey(path) : document.locate(path);
  };
}
