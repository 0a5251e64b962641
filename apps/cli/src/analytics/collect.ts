/** `privacy-edge analytics collect`: a batch becomes a result. */
import { extname } from 'node:path';
import {
  type BatchQuery,
  type Collected,
  type CollectorEvent,
  createCollector,
} from '@privacy-edge/analytics/collector';
import { writeSecretFile } from '@privacy-edge/node';
import { CliError } from '../cli-error.ts';
import { ExitCode } from '../exit-code.ts';
import { writeNote, writeOut } from '../output.ts';
import { withProgress } from '../progress.ts';
import { type CollectorAccess, readCollector } from './collector-access.ts';
import { dateOf } from './description.ts';
import { type NetworkOptions, openWay } from './network.ts';
import { resultCsv } from './result-csv.ts';
import { requirePlot, resultPlot } from './result-plot.ts';
import { type AnyResult, resultTable } from './result-table.ts';
import { taskIdOf } from './task-file.ts';
import { textOf, writing } from './task-folder.ts';
import { patienceOf } from './waiting.ts';

/** How a result is written. */
export const RESULT_FORMATS = ['table', 'csv', 'json', 'svg'] as const;

/** One of {@link RESULT_FORMATS}. */
export type ResultFormat = (typeof RESULT_FORMATS)[number];

/** Options of the command. */
export interface CollectCommandOptions extends NetworkOptions {
  readonly task: string;
  readonly key?: string;
  readonly from?: string;
  readonly to?: string;
  readonly next?: boolean;
  /** A duration, or true for as long as it takes. */
  readonly wait: string | true;
  readonly format?: ResultFormat;
  readonly output?: string;
  readonly top: string;
  readonly confidence: string;
  readonly dependent?: 'refuse' | 'drop';
  readonly repair?: 'ridge' | 'clip';
}

/** Collects a batch and prints the result. */
export async function collectResult(options: CollectCommandOptions): Promise<ExitCode> {
  const access = await readCollector(options.task, options.key);
  const query = queryOf(options);
  const format = formatOf(options);
  if (format === 'svg') requirePlot(access.task.statistic.kind);
  const patience = patienceOf(options.wait);
  const settings = { top: numberOf('--top', options.top), confidence: numberOf('--confidence', options.confidence) };
  const way = await openWay(options);
  const collector = createCollector(access.task, {
    key: access.key,
    token: access.collectorToken,
    fetch: way.fetch,
    timeoutMs: way.timeoutMs,
    fit: { confidence: settings.confidence, dependent: options.dependent, repair: options.repair },
    onEvent: (event) => {
      patience.onEvent(event);
      onEvent(event, options.verbose === true);
    },
  });
  // With batches of the leader's choice, the batch is gone for good afterwards.
  const keep = (collected: Collected<AnyResult>): Promise<void> =>
    write(render(access, collected, format, settings.top), options.output);
  try {
    const { signal } = patience;
    await withProgress('Waiting for the leader', () => collector.collect(query, { signal, keep }));
    return ExitCode.OK;
  } catch (cause) {
    throw way.explain(cause);
  } finally {
    patience.end();
  }
}

function onEvent(event: CollectorEvent, verbose: boolean): void {
  if (event.type === 'round') {
    const prefixes = event.followed === 1 ? 'prefix' : 'prefixes';
    writeNote(`* level ${event.round} of ${event.rounds}: ${event.followed} common ${prefixes}\n`);
  } else if (event.type === 'kept') {
    writeNote('* the leader could not be told to forget the job; --next leads to the same batch once more\n');
  } else if (verbose) {
    const words =
      event.type === 'created' ? 'the leader has the job' : `not ready, next question in ${event.pauseMs} ms`;
    writeNote(`* ${words}\n`);
  }
}

function queryOf({ from, to, next }: CollectCommandOptions): BatchQuery {
  if (next === true && from === undefined && to === undefined) return 'next';
  if (next !== true && from !== undefined && to !== undefined) return { from: dateOf(from), to: dateOf(to) };
  const why = 'a batch is an interval with --from and --to, or --next where the leader chooses it';
  throw new CliError('USAGE', { what: 'Cannot collect', why });
}

function formatOf({ format, output }: CollectCommandOptions): ResultFormat {
  const ending = extname(output ?? '').slice(1);
  return format ?? RESULT_FORMATS.find((one) => one === ending) ?? 'table';
}

function numberOf(option: string, text: string): number {
  const number = Number(text);
  const isUsable = option === '--confidence' ? number > 0 && number < 1 : Number.isSafeInteger(number) && number > 0;
  if (isUsable) return number;
  const why = option === '--confidence' ? 'it is not between 0 and 1' : 'it is no number above 0';
  throw new CliError('USAGE', { what: `Cannot use ${option} ${text}`, why });
}

function render({ task }: CollectorAccess, collected: Collected<AnyResult>, format: ResultFormat, top: number): string {
  const { title, statistic } = task;
  switch (format) {
    case 'table':
      return resultTable(collected, { title, statistic, top, width: Math.min(process.stdout.columns ?? 80, 120) });
    case 'csv':
      return resultCsv(collected.result);
    case 'json':
      return textOf({ taskId: taskIdOf(task), title, ...collected });
    case 'svg':
      return resultPlot(collected.result, title);
  }
}

async function write(text: string, file: string | undefined): Promise<void> {
  if (file === undefined || file === '-') writeOut(text);
  // What people do in sum is for whoever asked.
  else await writing(() => writeSecretFile(file, text));
}
