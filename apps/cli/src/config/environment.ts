/**
 * Overriding a configuration by environment variables: `PRIVACY_EDGE_`, the path in upper case, words separated by
 * underscores. Lists and groups are written as YAML or JSON. Secrets that no file may hold in clear have variables too.
 */
import { parse, YAMLParseError } from 'yaml';
import type { z } from 'zod';
import { nearest } from '../nearest.ts';
import type { KeyPath, Problem } from './problem.ts';
import { schemaAt, shapeOf } from './schema-walk.ts';
import type { SectionName } from './types.ts';

/** Variables that hold secrets: they are no keys, and are never printed. */
export const SECRET_VARIABLES = {
  gatewaySeed: 'PRIVACY_EDGE_GATEWAY_SEED',
  gatewayRedisUrl: 'PRIVACY_EDGE_GATEWAY_REDIS_URL',
  analyticsLeaderSecret: 'PRIVACY_EDGE_ANALYTICS_LEADER_SECRET',
  analyticsLeaderPostgresUrl: 'PRIVACY_EDGE_ANALYTICS_LEADER_POSTGRES_URL',
  analyticsHelperSecret: 'PRIVACY_EDGE_ANALYTICS_HELPER_SECRET',
  analyticsHelperPostgresUrl: 'PRIVACY_EDGE_ANALYTICS_HELPER_POSTGRES_URL',
} as const;

/** Variables of the process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** One value that the environment sets. */
export interface Override {
  readonly variable: string;
  readonly path: readonly string[];
  readonly value: unknown;
}

/** What the environment says. */
export interface Overrides {
  readonly values: readonly Override[];
  readonly problems: readonly Problem[];
}

/** The variable for a path: `['gateway', 'keysPath']` is `PRIVACY_EDGE_GATEWAY_KEYS_PATH`. */
function variableFor(path: KeyPath): string {
  const words = path.map((part) =>
    String(part)
      .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
      .toUpperCase(),
  );
  return ['PRIVACY_EDGE', ...words].join('_');
}

/**
 * Reads every variable that starts with the name of one of the sections.
 *
 * @param environment - variables of the process
 * @param schema - of the whole file
 * @param sections - sections to look at; variables of other sections are left alone
 */
export function readOverrides(
  environment: Environment,
  schema: z.core.$ZodType,
  sections: readonly SectionName[],
): Overrides {
  const known = new Map<string, readonly string[]>();
  for (const section of sections) collect(schema, [section], known);
  const secrets = new Set<string>(Object.values(SECRET_VARIABLES));
  const values: Override[] = [];
  const problems: Problem[] = [];
  for (const variable of Object.keys(environment).sort()) {
    const text = environment[variable];
    if (text === undefined || secrets.has(variable)) continue;
    if (!sections.some((section) => variable.startsWith(`${variableFor([section])}_`))) continue;
    const path = known.get(variable);
    if (path === undefined) problems.push(unknownVariable(variable, [...known.keys(), ...secrets]));
    else add(variable, path, text, schema, values, problems);
  }
  // A group is set before the keys inside of it, so that both may be given.
  values.sort((a, b) => a.path.length - b.path.length);
  return { values, problems };
}

function collect(schema: z.core.$ZodType, path: readonly string[], into: Map<string, readonly string[]>): void {
  const shape = shapeOf(schemaAt(schema, path) ?? schema);
  if (path.length > 1) into.set(variableFor(path), path);
  for (const key of Object.keys(shape ?? {})) collect(schema, [...path, key], into);
}

function unknownVariable(variable: string, known: readonly string[]): Problem {
  const guess = nearest(variable, known);
  const hint = guess === undefined ? 'run "privacy-edge config schema" for all keys' : `did you mean ${guess}?`;
  const source = { kind: 'environment', variable } as const;
  return { severity: 'error', source, key: '', message: `no key belongs to this variable; ${hint}` };
}

function add(
  variable: string,
  path: readonly string[],
  text: string,
  schema: z.core.$ZodType,
  values: Override[],
  problems: Problem[],
): void {
  try {
    values.push({ variable, path, value: readValue(text, schemaAt(schema, path)) });
  } catch (error) {
    if (!(error instanceof YAMLParseError)) throw error;
    const source = { kind: 'environment', variable } as const;
    problems.push({ severity: 'error', source, key: path.join('.'), message: 'expected a YAML or JSON value' });
  }
}

/** `8443` is a number and `[a, b]` a list, but where text is expected, `8443` stays text. */
function readValue(text: string, schema: z.core.$ZodType | undefined): unknown {
  if (schema !== undefined && isText(schema)) return text;
  return parse(text);
}

function isText(schema: z.core.$ZodType): boolean {
  const type = (schema as z.core.$ZodTypes)._zod.def;
  if (type.type === 'optional' || type.type === 'default' || type.type === 'prefault') return isText(type.innerType);
  return type.type === 'string' || type.type === 'enum';
}

/** `base` with the overrides put in; nothing of `base` is changed. */
export function applyOverrides(base: unknown, overrides: readonly Override[]): unknown {
  const root: unknown = structuredClone(base ?? {});
  for (const { path, value } of overrides) {
    let at: unknown = root;
    for (const key of path.slice(0, -1)) at = descend(at, key);
    const last = path.at(-1);
    if (last !== undefined && isRecord(at)) at[last] = value;
  }
  return root;
}

function descend(at: unknown, key: string): unknown {
  if (!isRecord(at)) return undefined;
  if (at[key] === undefined || at[key] === null) at[key] = {};
  return at[key];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
