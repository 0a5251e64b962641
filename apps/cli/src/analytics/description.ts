/** What somebody who makes a task has to say: in a file, by options, or both. */
import type { DpParameters, PrivateTaskOptions, Statistic } from '@privacy-edge/analytics/task';
import { fromBase64Url } from '@privacy-edge/bytes';
import { type HpkeConfig, isConfigUsable } from '@privacy-edge/dap';
import { DpError, parseRational } from '@privacy-edge/dp';
import { z } from 'zod';
import { CliError } from '../cli-error.ts';
import { parseConfigDocument } from '../config/document.ts';
import { formatKey } from '../config/problem.ts';
import { expectedAt } from '../config/schema-walk.ts';
import { integer, oneOf, text } from '../config/values.ts';
import { readLocal } from '../fetch/options.ts';
import { documentOf } from './task-file.ts';

const budget = (): z.ZodType<string> =>
  z.union([text('a budget such as 1, 0.5 or 1/2'), z.number()]).transform(String) as z.ZodType<string>;

const interval = z.strictObject({
  /** ISO 8601. */
  from: text('a time such as 2026-05-01T00:00:00Z'),
  /** Not included. */
  to: text('a time such as 2026-06-01T00:00:00Z'),
});

const noise = z.strictObject({
  mechanism: oneOf('laplace', 'gaussian'),
  epsilon: budget().optional(),
  rho: budget().optional(),
  adjacency: oneOf('substitution', 'addition').optional(),
});

const descriptionSchema = z.strictObject({
  title: text('words that say what is measured'),
  statistic: z.record(z.string(), z.unknown()),
  leader: text('the URL of the leader'),
  helper: text('the URL of the helper'),
  timePrecisionSeconds: integer(1, Number.MAX_SAFE_INTEGER).optional(),
  minBatchSize: integer(1, Number.MAX_SAFE_INTEGER),
  batchMode: oneOf('time-interval', 'leader-selected').optional(),
  taskInterval: interval.optional(),
  noise: noise.optional(),
  protocol: oneOf('dap-18', 'dap-19').optional(),
});

/** Noise as somebody describes it. */
interface DescribedNoise {
  readonly mechanism: 'laplace' | 'gaussian';
  readonly epsilon?: string | undefined;
  readonly rho?: string | undefined;
  /** Default substitution. */
  readonly adjacency?: 'substitution' | 'addition' | undefined;
}

/** A description that was read. Its members have the names that they have in a task file. */
export interface Description {
  readonly title: string;
  readonly statistic: Readonly<Record<string, unknown>>;
  readonly leader: string;
  readonly helper: string;
  readonly timePrecisionSeconds?: number | undefined;
  readonly minBatchSize: number;
  readonly batchMode?: 'time-interval' | 'leader-selected' | undefined;
  readonly taskInterval?: { readonly from: string; readonly to: string } | undefined;
  readonly noise?: DescribedNoise | undefined;
  readonly protocol?: 'dap-18' | 'dap-19' | undefined;
}

/** Part of a description, as a file or the options give it. */
export type DescriptionPart = Readonly<Record<string, unknown>>;

/**
 * Reads a description file.
 *
 * @throws {@link CliError} `USAGE`
 */
export async function readDescription(file: string): Promise<DescriptionPart> {
  const { value, problems } = parseConfigDocument(file, new TextDecoder().decode(await readLocal(file)));
  const [problem] = problems;
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (problem === undefined && isObject) return value as DescriptionPart;
  const why = problem === undefined ? 'it is no object' : problem.message;
  throw new CliError('USAGE', { place: { path: file }, what: `Cannot use the description ${file}`, why });
}

/**
 * Checks a description that is complete.
 *
 * @throws {@link CliError} `USAGE` that names the member and what is expected there
 */
export function checkDescription(parts: DescriptionPart): Description {
  const result = descriptionSchema.safeParse(parts);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const path = issue?.path.filter((part) => typeof part !== 'symbol') ?? [];
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
  const isMissing = issue?.code === 'invalid_type' && issue.input === undefined && valueAt(parts, path) === undefined;
  const why = isMissing
    ? `${formatKey(path)} is missing: ${expectedAt(descriptionSchema, path)}`
    : unknown === undefined
      ? `${formatKey(path)} is not ${expectedAt(descriptionSchema, path)}`
      : `${formatKey([...path, unknown])} is unknown`;
  throw new CliError('USAGE', { what: 'Cannot make the task', why, fix: 'correct the description or the options' });
}

function valueAt(parts: DescriptionPart, path: readonly PropertyKey[]): unknown {
  let at: unknown = parts;
  for (const part of path) at = (at as Readonly<Record<PropertyKey, unknown>> | undefined)?.[part];
  return at;
}

/** The options of a task. */
export function taskOptions(description: Description, collectorConfig: HpkeConfig): PrivateTaskOptions<Statistic> {
  const { taskInterval, noise: described, statistic, ...rest } = description;
  return {
    ...rest,
    // Whatever it is: the task reads it as it reads documents from anywhere.
    statistic: statistic as unknown as Statistic,
    collectorConfig,
    taskInterval: taskInterval && { from: dateOf(taskInterval.from), to: dateOf(taskInterval.to) },
    noise: described && noiseOf(described),
  };
}

/**
 * A time as options and descriptions give it.
 *
 * @param text - ISO 8601 with its zone; a date alone begins at midnight UTC
 * @throws {@link CliError} `USAGE`
 */
export function dateOf(text: string): Date {
  const isComplete = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?$/.test(text);
  const date = new Date(text);
  if (isComplete && !Number.isNaN(date.getTime())) return date;
  const fix = 'write 2026-05-01T12:00:00Z, or 2026-05-01 for midnight UTC';
  throw new CliError('USAGE', {
    what: `Cannot use the time "${text}"`,
    why: 'it is no ISO 8601 time with a zone',
    fix,
  });
}

function noiseOf({ mechanism, epsilon, rho, adjacency = 'substitution' }: DescribedNoise): DpParameters {
  const isLaplace = mechanism === 'laplace';
  const name = isLaplace ? 'epsilon' : 'rho';
  const [given, other] = isLaplace ? [epsilon, rho] : [rho, epsilon];
  if (given === undefined || other !== undefined) {
    throw new CliError('USAGE', {
      what: 'Cannot make the noise',
      why: `${mechanism} noise takes ${name}, and nothing else`,
    });
  }
  try {
    const fraction = parseRational(given);
    const { numerator, denominator } = fraction;
    if (numerator <= 0n || numerator > MAX_PART || denominator > MAX_PART) throw budgetInvalid(name, given);
    return {
      mechanism: mechanism === 'laplace' ? { kind: 'laplace', epsilon: fraction } : { kind: 'gaussian', rho: fraction },
      adjacency,
    };
  } catch (cause) {
    if (!(cause instanceof DpError)) throw cause;
    throw budgetInvalid(name, given, cause);
  }
}

/** Both parts of a budget have 64 bits in a task. */
const MAX_PART = 2n ** 64n - 1n;

function budgetInvalid(name: string, given: string, cause?: unknown): CliError {
  const why = 'it is no number above 0 such as 1, 0.5 or 1/2';
  return new CliError('USAGE', { what: `Cannot use "${given}" as ${name}`, why }, { cause });
}

const hpkeSchema = z.object({
  id: z.int().min(0).max(255),
  kem: z.int(),
  kdf: z.int(),
  aead: z.int(),
  publicKey: z.string(),
});

/**
 * The public key of a collector, from the file that it gave away or from the one that it keeps.
 *
 * @throws {@link CliError} `USAGE`
 */
export async function readCollectorConfig(file: string): Promise<HpkeConfig> {
  const document = documentOf(file, await readLocal(file)) as { hpke?: unknown } | null;
  const read = hpkeSchema.safeParse(document?.hpke ?? document);
  const config = read.success ? configOf(read.data) : undefined;
  if (config !== undefined && isConfigUsable(config)) return config;
  const fix = 'make one with "privacy-edge analytics task key"';
  throw new CliError('USAGE', { what: `Cannot use ${file}`, why: 'it holds no public key of a collector', fix });
}

function configOf({ id, kem, kdf, aead, publicKey }: z.infer<typeof hpkeSchema>): HpkeConfig | undefined {
  try {
    return { id, kemId: kem, kdfId: kdf, aeadId: aead, publicKey: fromBase64Url(publicKey) };
  } catch {
    return undefined;
  }
}
