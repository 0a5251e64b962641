/**
 * The kinds of value a configuration is made of. Each knows in words what it expects, so that every error can say so in
 * the same way whatever was found instead.
 */
import { z } from 'zod';
import { DURATION_PATTERN, SIZE_PATTERN } from './units.ts';

/** What a schema expects, in words: "a TCP port, 0 to 65535". Schemas that are not here explain themselves. */
const expectations = z.registry<{ expected: string }>();

/** What `schema` expects in words, if it is one of the kinds of this file. */
export function expectationOf(schema: z.core.$ZodType): string | undefined {
  return expectations.get(schema)?.expected;
}

function expecting<S extends z.ZodType>(schema: S, expected: string): S {
  expectations.add(schema, { expected });
  return schema;
}

/** `30s`, `15m`, `12h`, `7d`. */
export function duration(): z.ZodString {
  return expecting(z.string().regex(DURATION_PATTERN), 'a duration with its unit, such as 500ms, 30s, 12h or 7d');
}

/** `512B`, `64KiB`, `4MiB`. */
export function size(): z.ZodString {
  return expecting(z.string().regex(SIZE_PATTERN), 'a size with its unit, such as 512B, 64KiB or 4MiB');
}

/** A TCP port; 0 lets the system choose. */
export function port(): z.ZodNumber {
  return expecting(z.int().min(0).max(65535), 'a TCP port, 0 to 65535');
}

/** Whole number in a range. */
export function integer(minimum: number, maximum: number): z.ZodNumber {
  return expecting(z.int().min(minimum).max(maximum), `a whole number, ${minimum} to ${maximum}`);
}

/** Number in a range. */
export function number(minimum: number, maximum: number): z.ZodNumber {
  return expecting(z.number().min(minimum).max(maximum), `a number, ${minimum} to ${maximum}`);
}

/** True or false. */
export function flag(): z.ZodBoolean {
  return expecting(z.boolean(), 'true or false');
}

/** Some text, `expected` says which. */
export function text(expected: string): z.ZodString {
  return expecting(z.string().min(1), expected);
}

/** Text of a certain form. */
export function pattern(form: RegExp, expected: string): z.ZodString {
  return expecting(z.string().regex(form), expected);
}

/** Name of a file; a relative one starts at the folder of the configuration file. */
export function file(): z.ZodString {
  return text('the name of a file');
}

/** One of a few words. */
export function oneOf<const W extends string>(...words: readonly W[]): z.ZodEnum<{ [K in W]: K }> {
  const schema = z.enum(words as readonly string[]) as unknown as z.ZodEnum<{ [K in W]: K }>;
  return expecting(schema, `one of ${words.join(', ')}`);
}

/** A list of at least `minimum` values, none twice. */
export function list<T>(of: z.ZodType<T>, minimum: number, expected: string): z.ZodArray<z.ZodType<T>> {
  return expecting(z.array(of).min(minimum), expected);
}

/** An absolute http or https URL without user name, password or fragment. */
export function url(): z.ZodString {
  return pattern(
    /^https?:\/\/[^\s/?#@]+(?:[/?][^\s#]*)?$/,
    'an http or https URL without user name, password or fragment',
  );
}

/** Path of a resource on this server. */
export function path(): z.ZodString {
  return pattern(/^\/[^\s?#]*$/, 'a path that starts with / and has no query');
}

/** Web origins, or `*` for all. */
export function origins(): z.ZodArray<z.ZodType<string>> {
  const origin = pattern(/^(?:\*|https?:\/\/[^\s/?#@]+)$/, 'an origin such as https://app.example, or * for all');
  return list(origin, 0, 'a list of origins such as [https://app.example]');
}
