/** `privacy-edge conformance`. */
import { stat } from 'node:fs/promises';
import { CliError } from '../cli-error.ts';
import { ExitCode } from '../exit-code.ts';
import { nearest } from '../nearest.ts';
import { styled, writeJson, writeOut } from '../output.ts';
import { withProgress } from '../progress.ts';
import { columns } from '../table.ts';
import { AREAS } from './kinds.ts';
import { type CaseResult, type FileResult, runVectors, type Totals, totalsOf } from './run.ts';

/** Options of the command. */
export interface ConformanceOptions {
  readonly vectors: string;
  readonly verbose?: boolean;
  readonly json?: boolean;
}

/** Runs the vectors of an area and prints what came out. */
export async function conformance(area: string, options: ConformanceOptions): Promise<ExitCode> {
  await checkArguments(area, options.vectors);
  const files = await withProgress('Running vectors', () => collectResults(area, options.vectors));
  const totals = totalsOf(files);
  const good = totals.failed === 0 && files.length > 0;
  if (options.json === true) writeJson(asJson(area, files, totals));
  else writeOut(report(files, totals, options.verbose === true));
  return good ? ExitCode.OK : ExitCode.FAILED;
}

async function collectResults(area: string, folder: string): Promise<readonly FileResult[]> {
  const files: FileResult[] = [];
  for await (const file of runVectors(area, folder)) files.push(file);
  return files;
}

async function checkArguments(area: string, folder: string): Promise<void> {
  if (!AREAS.includes(area)) {
    const guess = nearest(area, AREAS);
    throw new CliError('USAGE', {
      what: `Cannot check the area "${area}"`,
      why: `there are vector drivers for ${AREAS.join(', ')} only`,
      fix: guess === undefined ? 'name one of these' : `did you mean ${guess}?`,
    });
  }
  const found = await stat(folder).catch(() => undefined);
  if (found?.isDirectory() !== true)
    throw new CliError('USAGE', {
      what: `Cannot read vectors from ${folder}`,
      why: found === undefined ? 'there is no such folder' : 'it is no folder',
      fix: 'name the folder that holds the vector files with --vectors',
    });
}

function report(files: readonly FileResult[], totals: Totals, verbose: boolean): string {
  const lines: string[] = [];
  const rows = files.map((file) => {
    const failed = file.cases.filter((one) => one.verdict.kind === 'failed').length;
    const mark = failed === 0 ? styled('green', 'ok  ') : styled('red', 'FAIL');
    return [mark, file.path, file.title ?? '', `${file.cases.length - failed} of ${file.cases.length}`];
  });
  lines.push(columns(rows));
  const shown = files.flatMap((file) => file.cases).filter((one) => verbose || one.verdict.kind === 'failed');
  for (const one of shown) lines.push(`${caseLine(one)}\n`);
  if (files.length === 0) lines.push('There is no vector file in the folder, so nothing was checked.\n');
  if (totals.refused > 0)
    lines.push(`${totals.refused} passed by being refused as they should be: ${refusals(files)}\n`);
  for (const [rule, uses] of totals.divergences)
    lines.push(`Divergence "${rule.name}" used ${uses} times: ${rule.reason}; we ${rule.outcome}\n`);
  lines.push(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped\n`);
  return lines.join('');
}

function caseLine({ id, verdict }: CaseResult): string {
  switch (verdict.kind) {
    case 'failed':
      return `${styled('red', 'FAIL')}  ${id}: ${verdict.why}`;
    case 'refused':
      return `${styled('green', 'ok  ')}  ${id}: refused as it should be, ${verdict.what}`;
    case 'diverged':
      return `${styled('green', 'ok  ')}  ${id}: divergence ${verdict.rule.name}`;
    case 'same':
      return `${styled('green', 'ok  ')}  ${id}`;
  }
}

function refusals(files: readonly FileResult[]): string {
  const counts = new Map<string, number>();
  for (const { verdict } of files.flatMap((file) => file.cases))
    if (verdict.kind === 'refused') counts.set(verdict.what, (counts.get(verdict.what) ?? 0) + 1);
  return [...counts].map(([what, count]) => `${what} (${count})`).join(', ');
}

function asJson(area: string, files: readonly FileResult[], totals: Totals): unknown {
  const divergences = [...totals.divergences].map(([rule, uses]) => ({ ...rule, uses }));
  const failures = files
    .flatMap((file) => file.cases)
    .flatMap(({ id, verdict }) => (verdict.kind === 'failed' ? [{ id, why: verdict.why }] : []));
  const perFile = files.map((file) => ({ path: file.path, kind: file.title, cases: file.cases.length }));
  const { passed, failed, skipped, refused } = totals;
  return {
    area,
    ok: failed === 0 && files.length > 0,
    passed,
    failed,
    skipped,
    refused,
    divergences,
    files: perFile,
    failures,
  };
}
