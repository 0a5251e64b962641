/** Fields as they were received: names and values in turn, one character or one byte for each byte of the wire. */
import type { Dispatcher } from 'undici';

/** Names and values in turn; undici's type also allows an object, which it gives to nobody here. */
export type RawFields = NonNullable<Dispatcher.DispatchController['rawHeaders']> | null;

type FieldList = (readonly [name: string, value: string])[];

/** Raw fields as a list with lower-case names; order, repeats and bytes are kept. */
export function fieldList(raw: RawFields): FieldList {
  const fields: FieldList = [];
  if (!Array.isArray(raw)) return fields;
  for (let at = 0; at + 1 < raw.length; at += 2) fields.push([text(raw[at]).toLowerCase(), text(raw[at + 1])]);
  return fields;
}

/** Raw fields by name, as undici gives them for HTTP/1.1: a repeated name has a list. */
export function fieldsByName(raw: readonly string[]): Record<string, string | string[] | undefined> {
  const fields: Record<string, string | string[] | undefined> = Object.create(null);
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at] ?? '';
    const value = raw[at + 1] ?? '';
    const known = fields[name];
    if (known === undefined) fields[name] = value;
    else if (typeof known === 'string') fields[name] = [known, value];
    else known.push(value);
  }
  return fields;
}

function text(value: string | Buffer | undefined): string {
  return typeof value === 'string' ? value : (value?.toString('latin1') ?? '');
}
