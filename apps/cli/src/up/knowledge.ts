/** Who saw what: facts in rows, parties in columns, filled from what each party's process really got hold of. */
import { Haystack } from '../prove/search.ts';
import type { TraceEntry } from './recorder.ts';

/** Processes of the demonstration. */
export type Party = 'relay' | 'gateway' | 'target';

/** In the order of the path. */
export const PARTIES: readonly Party[] = ['relay', 'gateway', 'target'];

/** Something that somebody may know. */
export interface Fact<P extends string = Party> {
  readonly label: string;
  /** Who may know it. Who may also has to: a table that nobody fills proves nothing. */
  readonly known: readonly P[];
  /** Distinctive text or bytes, or the length of a body. */
  readonly sign: { readonly text: string } | { readonly bytes: Uint8Array } | { readonly bodyBytes: number };
}

/** One row of the table. */
export interface Row<P extends string = Party> {
  readonly fact: Fact<P>;
  readonly seen: Readonly<Record<P, boolean>>;
  readonly wrong: readonly P[];
}

/** Everything that a party got hold of. */
export interface Holdings {
  /** From its trace. */
  readonly entries: readonly TraceEntry[];
  /** What it wrote or shows: log lines, metrics. */
  readonly writings: string;
}

/**
 * Fills the table.
 *
 * @param holdings - of every party, in the order of the columns
 */
export function compareKnowledge<P extends string>(
  facts: readonly Fact<P>[],
  holdings: Readonly<Record<P, Holdings>>,
): readonly Row<P>[] {
  const parties = Object.keys(holdings) as P[];
  const everything = new Map(parties.map((party) => [party, gather(holdings[party])]));
  return facts.map((fact) => {
    const { sign } = fact;
    const sees = (party: P): boolean => {
      if ('bodyBytes' in sign) return bodyLengths(holdings[party]).includes(sign.bodyBytes);
      const haystack = everything.get(party);
      return ('text' in sign ? haystack?.holds(sign.text) : haystack?.bytes.includes(sign.bytes)) ?? false;
    };
    const seen = Object.fromEntries(parties.map((party) => [party, sees(party)])) as Record<P, boolean>;
    return { fact, seen, wrong: parties.filter((party) => seen[party] !== fact.known.includes(party)) };
  });
}

/** Reads a trace file. */
export function parseTrace(text: string): readonly TraceEntry[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as TraceEntry);
}

/** Pieces of one body that came one after the other stand together, so that a value cut in two is still found. */
function gather({ entries, writings }: Holdings): Haystack {
  const parts: Uint8Array[] = [];
  let before = '';
  for (const entry of entries) {
    if (entry.what !== before) parts.push(Buffer.from('\n'));
    before = entry.what;
    parts.push(entry.kind === 'text' ? Buffer.from(`${entry.text}\n`) : Buffer.from(entry.base64, 'base64'));
  }
  return new Haystack(Buffer.concat([...parts, Buffer.from(writings)]));
}

function bodyLengths({ entries }: Holdings): readonly number[] {
  return entries.flatMap((entry) => (entry.kind === 'bytes' ? [Buffer.from(entry.base64, 'base64').length] : []));
}
