/** The table of who saw what, for people. */
import { styled } from '../output.ts';
import { columns } from '../table.ts';
import type { Row } from './knowledge.ts';

/** The table. */
export function knowledgeTable<P extends string>(rows: readonly Row<P>[], parties: readonly P[]): string {
  const head = ['who saw what', ...parties].map((title) => styled('bold', title));
  const body = rows.map((row) => [row.fact.label, ...parties.map((party) => cell(row, party))]);
  return columns([head, ...body], '  ');
}

function cell<P extends string>(row: Row<P>, party: P): string {
  const seen = row.seen[party];
  if (row.wrong.includes(party)) return styled('red', seen ? 'LEAK' : 'MISSING');
  return seen ? styled('green', 'yes') : styled('dim', 'no');
}
