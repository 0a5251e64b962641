/** Who saw what: facts in rows, parties in columns, filled from what each party's process really got hold of. */
import { Haystack } from '../prove/search.ts';
import type { TraceEntry } from './recorder.ts';

/** Processes of the demonstration. */
export type Party = 'relay' | 'gateway' | 'target';

/** In the order of the path. */
export const PARTIES: readonly Party[] = ['relay', 'gateway', 'target'];

/** Something that somebody may know. */
export interface Fact {
  readonly label: string;
  /** Who may know it. Who may also has to: a row that nobody fills proves nothing. */
  readonly known: readonly Party[];
  /** Distinctive text, or the length of a body. */
  readonly sign: { readonly text: string } | { readonly bodyBytes: number };
}

/** One row of the table. */
export interface Row {
  readonly fact: Fact;
  readonly seen: Readonly<Record<Party, boolean>>;
  readonly wrong: readonly Party[];
}

/** Everything that a party got hold of. */
export interface Holdings {
  /** From its trace. */
  readonly entries: readonly TraceEntry[];
  /** What it wrote or shows: log lines, metrics. */
  readonly writings: string;
}

/** Fills the table. */
export function compareKnowledge(facts: readonly Fact[], holdings: Readonly<Record<Party, Holdings>>): readonly Row[] {
  const everything = {
    relay: gather(holdings.relay),
    gateway: gather(holdings.gateway),
    target: gather(holdings.target),
  };
  return facts.map((fact) => {
    const sees = (party: Party): boolean =>
      'text' in fact.sign
        ? everything[party].holds(fact.sign.text)
        : bodyLengths(holdings[party]).includes(fact.sign.bodyBytes);
    const seen = { relay: sees('relay'), gateway: sees('gateway'), target: sees('target') };
    return { fact, seen, wrong: PARTIES.filter((party) => seen[party] !== fact.known.includes(party)) };
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
