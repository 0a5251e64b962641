/** Compares what was found with what was promised. */
import { PARTIES, type Party } from '../up/knowledge.ts';
import { type Expectation, FACTS, type FactName, PROMISE } from './promise.ts';
import type { Fact, Marks } from './scene.ts';
import type { Haystack } from './search.ts';

/** What a party has of a fact: all of its signs, some, or none. */
export type Found = 'all' | 'some' | 'none';

/** One party and one fact. */
export interface Cell {
  readonly expected: Expectation;
  readonly found: Found;
}

/** One row of the matrix. */
export interface Row {
  readonly fact: FactName;
  readonly cells: Readonly<Record<Party, Cell>>;
  /** What is not as it must be, in words. */
  readonly wrong: readonly string[];
}

/** What each party got hold of. */
export type Holdings = Readonly<Record<Party, Haystack>>;

/** Fills the matrix. A fact without signs is a gap: nobody looked for it. */
export function judgeFacts(facts: readonly Fact[], holdings: Holdings): readonly Row[] {
  return FACTS.map((fact) => {
    const signs = facts.filter((one) => one.fact === fact);
    const wrong: string[] = signs.length === 0 ? ['nothing was looked for'] : [];
    const judge = (party: Party): Cell => {
      const expected = PROMISE[fact][party];
      const held = signs.filter(({ sign }) => holds(holdings[party], sign));
      if (expected === 'unknown') wrong.push(...held.map(({ name }) => `${party} HAS ${name}`));
      if (expected === 'known')
        wrong.push(...signs.filter((one) => !held.includes(one)).map(({ name }) => `${party} lacks ${name}`));
      return { expected, found: held.length === 0 ? 'none' : held.length === signs.length ? 'all' : 'some' };
    };
    const [relay, gateway, target] = PARTIES.map(judge) as [Cell, Cell, Cell];
    return { fact, cells: { relay, gateway, target }, wrong };
  });
}

/** Refused and failed requests are in no row; anything of them that begins with a mark is found by it. */
export function judgeMarks({ outer, inner }: Marks, holdings: Holdings): readonly string[] {
  const wrong: string[] = [];
  const check = (party: Party, mark: string, allowed: boolean, what: string): void => {
    if (holdings[party].holds(mark) !== allowed) wrong.push(`${party} ${allowed ? 'lacks' : 'HAS'} ${what}`);
  };
  for (const party of PARTIES) {
    check(party, outer, party === 'relay', 'fields of the connection');
    check(party, inner, party !== 'relay', 'content of a request');
  }
  return wrong;
}

/** What is distinctive of a client and its requests. */
export interface Traces {
  readonly marks: Marks;
  readonly address: string;
  /** Of the client's connections. */
  readonly ports: readonly number[];
}

/** What of anybody is in something where nothing may be. */
export function judgeClean(haystack: Haystack, { marks, address, ports }: Traces, where: string): readonly string[] {
  const signs: readonly (readonly [string, string])[] = [
    ['fields of the connection', marks.outer],
    ['content of a request', marks.inner],
    ['the address of the client', address],
  ];
  const texts = signs.filter(([, sign]) => haystack.holds(sign)).map(([what]) => what);
  const found = ports.some((port) => haystack.holdsNumber(port)) ? [...texts, 'a port of the client'] : texts;
  return found.map((what) => `${where} HAS ${what}`);
}

function holds(haystack: Haystack, sign: Fact['sign']): boolean {
  if (typeof sign === 'number') return haystack.holdsNumber(sign);
  return typeof sign === 'string' ? haystack.holds(sign) : haystack.bytes.includes(sign);
}
