/** Reading a zod schema: which keys exist, and what is expected where. */
import type { z } from 'zod';
import type { KeyPath } from './problem.ts';
import { expectationOf } from './values.ts';

type AnySchema = z.core.$ZodType;

/** The schema inside of optional, default and prefault. */
function unwrap(schema: AnySchema): AnySchema {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if (def.type === 'optional' || def.type === 'default' || def.type === 'prefault') return unwrap(def.innerType);
  return schema;
}

/** Keys of an object schema with their schemas; undefined when it is no object. */
export function shapeOf(schema: AnySchema): Readonly<Record<string, AnySchema>> | undefined {
  const { def } = (unwrap(schema) as z.core.$ZodTypes)._zod;
  return def.type === 'object' ? def.shape : undefined;
}

/** The schema at a path; undefined when there is none. */
export function schemaAt(schema: AnySchema, path: KeyPath): AnySchema | undefined {
  let at: AnySchema | undefined = schema;
  for (const part of path) {
    if (at === undefined) return undefined;
    const { def }: { def: z.core.$ZodTypes['_zod']['def'] } = (unwrap(at) as z.core.$ZodTypes)._zod;
    if (def.type === 'object') at = Object.hasOwn(def.shape, part) ? def.shape[part] : undefined;
    else if (def.type === 'array' && typeof part === 'number') at = def.element;
    else return undefined;
  }
  return at;
}

/** What is expected at a path, in words. */
export function expectedAt(schema: AnySchema, path: KeyPath): string {
  const found = schemaAt(schema, path);
  if (found === undefined) return 'nothing';
  const inner = unwrap(found);
  const words = expectationOf(inner);
  if (words !== undefined) return words;
  const { def } = (inner as z.core.$ZodTypes)._zod;
  if (def.type === 'object') return `a group of keys (${Object.keys(def.shape).join(', ')})`;
  if (def.type === 'array') return 'a list';
  if (def.type === 'literal') return `one of ${def.values.map(String).join(', ')}`;
  return `a ${def.type}`;
}
