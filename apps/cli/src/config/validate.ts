/** From plain values to a typed configuration, or to problems with places. */
import type { z } from 'zod';
import { nearest } from '../nearest.ts';
import { describeValue, formatKey, type KeyPath, type Problem } from './problem.ts';
import { expectedAt, schemaAt, shapeOf } from './schema-walk.ts';

/** Says where a path of the configuration was written. */
export type Locate = (path: KeyPath, what: 'value' | 'key') => Problem['source'];

/** A value, or what is wrong with it. */
export type Validated<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * Validates plain values.
 *
 * @param schema - what is expected
 * @param value - from YAML and the environment
 * @param locate - for the problems
 */
export function validate<T>(schema: z.ZodType<T>, value: unknown, locate: Locate): Validated<T> {
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return { ok: true, value: result.data };
  return { ok: false, problems: result.error.issues.flatMap((issue) => explain(schema, issue, value, locate)) };
}

function explain(schema: z.ZodType, issue: z.core.$ZodIssue, root: unknown, locate: Locate): Problem[] {
  const path = issue.path.filter((part) => typeof part !== 'symbol');
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(schema, [...path, key], locate));
  const found = valueAt(root, path);
  const missing = found === undefined;
  const expected = `expected ${expectedAt(schema, path)}`;
  const message = missing ? `missing; ${expected}` : `${expected}; found ${describeValue(found)}`;
  return [{ severity: 'error', source: locate(path, 'value'), key: formatKey(path), message }];
}

function unknownKey(schema: z.ZodType, path: KeyPath, locate: Locate): Problem {
  const parent = schemaAt(schema, path.slice(0, -1));
  const names = Object.keys((parent && shapeOf(parent)) ?? {});
  const guess = nearest(String(path.at(-1)), names);
  const message = `unknown key; ${guess === undefined ? `expected one of ${names.join(', ')}` : `did you mean ${guess}?`}`;
  return { severity: 'error', source: locate(path, 'key'), key: formatKey(path), message };
}

function valueAt(root: unknown, path: KeyPath): unknown {
  let at = root;
  for (const part of path) at = (at as Record<string | number, unknown> | null | undefined)?.[part];
  return at;
}
