/** Plain text tables. */
import { stripVTControlCharacters } from 'node:util';

/** Columns that `text` takes on a terminal, styles not counted. */
function displayWidth(text: string): number {
  return Array.from(stripVTControlCharacters(text)).length;
}

/**
 * Lines up cells in columns two spaces apart.
 *
 * @param rows - every row with its cells; the last cell of a row is never padded
 * @param indent - put before every line
 */
export function columns(rows: readonly (readonly string[])[], indent = ''): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) {
      if (i < row.length - 1) widths[i] = Math.max(widths[i] ?? 0, displayWidth(cell));
    }
  }
  const line = (row: readonly string[]): string =>
    row.map((cell, i) => (i === row.length - 1 ? cell : pad(cell, widths[i] ?? 0))).join('  ');
  return rows.map((row) => `${indent}${line(row)}\n`).join('');
}

/** `text` filled with spaces on the right. */
function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - displayWidth(text)));
}
