/** Rows of values from a file, standard input or the command line, as they arrive. */
import { createReadStream } from 'node:fs';
import type { Statistic } from '@privacy-edge/analytics';
import { CliError, systemCode } from '../cli-error.ts';
import { CsvReader, type CsvRecord } from './csv.ts';
import { type FieldsReader, fieldsReader, memberReader, valueOfText } from './values.ts';

/** One row. */
export interface Row {
  /** In the file, from 1; the place on a command line. */
  readonly line: number;
  /** As it stands there: never shown unless somebody asks. */
  readonly text: string;
  /** What to report, if it can be read; whether it can be measured is for the task. */
  readonly value?: unknown;
  /** Why it cannot be read. */
  readonly problem?: string;
}

/** How a file is written. */
export type InputFormat = 'csv' | 'jsonl';

/** Where rows come from. */
export interface RowSource {
  /** `-` is standard input. */
  readonly file: string;
  readonly format: InputFormat;
  readonly columns: readonly string[];
  /** Told about the bytes that were read. */
  readonly onBytes: (count: number) => void;
}

/** Values on the command line. */
export function* rowsOfArguments(statistic: Statistic, values: readonly string[]): Iterable<Row> {
  for (const [i, text] of values.entries()) yield { line: i + 1, text, value: valueOfText(statistic, text) };
}

/**
 * Rows of a file.
 *
 * @throws {@link CliError} `USAGE` when it cannot be read or has other columns, `FAILED` when it is no UTF-8
 */
export function rowsOfFile(statistic: Statistic, source: RowSource): AsyncIterable<Row> {
  return source.format === 'csv' ? csvRows(statistic, source) : jsonRows(statistic, source);
}

async function* csvRows(statistic: Statistic, source: RowSource): AsyncIterable<Row> {
  const reader = new CsvReader();
  let header: { readonly length: number; readonly read: FieldsReader } | undefined;
  for await (const piece of piecesOf(source)) {
    for (const record of piece === undefined ? reader.end() : reader.push(piece)) {
      if (header === undefined) header = headerOf(statistic, source, record);
      else yield csvRow(record, header);
    }
  }
}

function headerOf(
  statistic: Statistic,
  { file, columns }: RowSource,
  { fields, problem }: CsvRecord,
): { readonly length: number; readonly read: FieldsReader } {
  if (problem !== undefined) throw new CliError('USAGE', { what: `Cannot read the header of ${file}`, why: problem });
  return { length: fields.length, read: fieldsReader(statistic, fields, columns) };
}

function csvRow(record: CsvRecord, header: { readonly length: number; readonly read: FieldsReader }): Row {
  const { line, fields } = record;
  const text = fields.join(',');
  const problem =
    record.problem ??
    (fields.length === header.length ? undefined : `it has ${fields.length} fields, the header ${header.length}`);
  return problem === undefined ? { line, text, value: header.read(fields) } : { line, text, problem };
}

async function* jsonRows(statistic: Statistic, source: RowSource): AsyncIterable<Row> {
  const read = memberReader(statistic, source.columns);
  let line = 0;
  let rest = '';
  for await (const piece of piecesOf(source)) {
    const lines = `${rest}${piece ?? '\n'}`.split('\n');
    rest = lines.pop() ?? '';
    for (const text of lines) {
      line++;
      if (text.trim() !== '') yield jsonRow(line, text, read);
    }
  }
}

function jsonRow(line: number, text: string, read: (value: unknown) => unknown): Row {
  try {
    return { line, text, value: read(JSON.parse(text)) };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { line, text, problem: 'it is no JSON' };
  }
}

/** Text in pieces, and undefined at the end. */
async function* piecesOf({ file, onBytes }: RowSource): AsyncIterable<string | undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    for await (const bytes of file === '-' ? process.stdin : createReadStream(file)) {
      onBytes((bytes as Uint8Array).length);
      yield decoder.decode(bytes as Uint8Array, { stream: true });
    }
    yield decoder.decode();
    yield undefined;
  } catch (cause) {
    const code = systemCode(cause);
    if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') {
      throw new CliError('FAILED', { what: `Cannot read ${file}`, why: 'it is not UTF-8' }, { cause });
    }
    if (code === undefined || cause instanceof CliError) throw cause;
    const why = code === 'ENOENT' ? 'there is no such file' : `the system says ${code}`;
    throw new CliError('USAGE', { what: `Cannot read ${file}`, why }, { cause });
  }
}
