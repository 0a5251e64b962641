/** A statistic by options: `--statistic mean -p lo=0 -p hi=60 -p step=0.5`. */
import { parse, YAMLError } from 'yaml';
import { CliError } from '../cli-error.ts';
import { readLocal } from '../fetch/options.ts';

type Parameters = Readonly<Record<string, unknown>>;

/** Shorter ways to say what is the same in most tasks. */
const SHORTHANDS: Readonly<Record<string, (given: Parameters) => Parameters>> = {
  histogram: ({ boundaries, categories, outside = 'separate', other = true, ...rest }) => {
    if (boundaries !== undefined) return { ...rest, buckets: { kind: 'numbers', boundaries, outside } };
    return categories === undefined ? rest : { ...rest, buckets: { kind: 'categories', categories, other } };
  },
  'prefix-round': ({ round = 0, prefixes = [[]], ...rest }) => ({ ...rest, round, prefixes }),
};

/**
 * The statistic that the options describe; whether it is one is for the task to say.
 *
 * @param kind - of the statistic
 * @param parameters - `name=value` each; values are YAML, and `@FILE` is the list of the lines of a file
 * @throws {@link CliError} `USAGE`
 */
export async function statisticOf(kind: string, parameters: readonly string[]): Promise<Parameters> {
  const given: Record<string, unknown> = {};
  for (const parameter of parameters) {
    const at = parameter.indexOf('=');
    if (at < 1) throw unusable(parameter, 'it is not "name=value"');
    given[parameter.slice(0, at)] = await readValue(parameter, parameter.slice(at + 1));
  }
  return { kind, ...(SHORTHANDS[kind]?.(given) ?? given) };
}

async function readValue(parameter: string, text: string): Promise<unknown> {
  if (text.startsWith('@')) return linesOf(await readLocal(text.slice(1)));
  try {
    return parse(text) as unknown;
  } catch (cause) {
    if (!(cause instanceof YAMLError)) throw cause;
    throw unusable(parameter, 'its value is no YAML', cause);
  }
}

function linesOf(bytes: Uint8Array): string[] {
  const lines = new TextDecoder().decode(bytes).split(/\r?\n/);
  return lines.filter((line) => line !== '');
}

function unusable(parameter: string, why: string, cause?: unknown): CliError {
  const fix = 'write for instance -p lo=0, or -p "words=[yes, no]"';
  return new CliError('USAGE', { what: `Cannot use the parameter "${parameter}"`, why, fix }, { cause });
}
