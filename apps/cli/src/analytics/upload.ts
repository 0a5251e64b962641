/** `privacy-edge analytics upload`: values of people from a file, as reports. */
import { stat } from 'node:fs/promises';
import { AnalyticsError, createReporter, type PrivateTask, type Reporter, type ValueOf } from '@privacy-edge/analytics';
import { CliError, messageOf } from '../cli-error.ts';
import { ExitCode } from '../exit-code.ts';
import { printable, writeJson, writeNote, writeOut } from '../output.ts';
import { dateOf } from './description.ts';
import { type NetworkOptions, openWay, type Way } from './network.ts';
import { ProgressBar, rateText } from './progress-bar.ts';
import { type InputFormat, type Row, rowsOfArguments, rowsOfFile } from './rows.ts';
import { readTaskFile, taskIdOf } from './task-file.ts';

/** Options of the command. */
export interface UploadOptions extends NetworkOptions {
  readonly task: string;
  readonly input?: string;
  readonly inputFormat?: InputFormat;
  readonly column?: readonly string[];
  readonly startLine?: string;
  readonly time?: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** Rows that are reported at once. */
const BATCH_ROWS = 2000;

/** Lines that are named one by one; all of them are counted, and in the JSON document. */
const MAX_NAMED_LINES = 20;

/** Reports all values that can be measured; says which could not. */
export async function upload(values: readonly string[], options: UploadOptions): Promise<ExitCode> {
  const { task } = await readTaskFile(options.task);
  const way = await openWay(options);
  const run = new UploadRun(task, way, options);
  try {
    await run.all(values);
  } finally {
    run.close();
  }
  return run.summarise();
}

/** A value that was not reported. */
interface Refusal {
  readonly line: number;
  readonly reason: string;
}

class UploadRun {
  readonly #task: PrivateTask;
  readonly #options: UploadOptions;
  readonly #way: Way;
  readonly #reporter: Reporter<PrivateTask['statistic']>;
  readonly #time: Date | undefined;
  readonly #firstLine: number;
  readonly #bar = new ProgressBar('reports');
  readonly #invalid: Refusal[] = [];
  readonly #refused: Refusal[] = [];
  #accepted = 0;
  /** Bytes that were read, and how many there are, where that is known. */
  #bytesRead = 0;
  #bytes: number | undefined;
  #waiting: Row[] = [];

  constructor(task: PrivateTask, way: Way, options: UploadOptions) {
    this.#task = task;
    this.#way = way;
    this.#options = options;
    this.#reporter = createReporter(task, { fetch: way.fetch, timeoutMs: way.timeoutMs });
    this.#time = options.time === undefined ? undefined : dateOf(options.time);
    this.#firstLine = lineOf(options.startLine);
  }

  async all(values: readonly string[]): Promise<void> {
    for await (const row of await this.#rows(values)) {
      if (row.line < this.#firstLine) continue;
      const reason = row.problem ?? (await this.#problemOf(row.value));
      if (reason !== undefined) this.#note(this.#invalid, row, reason);
      else this.#waiting.push(row);
      if (this.#waiting.length >= BATCH_ROWS) await this.#send();
    }
    if (this.#waiting.length > 0) await this.#send();
    this.#bar.clear();
  }

  close(): void {
    this.#bar.clear();
    this.#reporter.close();
  }

  summarise(): ExitCode {
    const [invalid, refused, accepted] = [this.#invalid, this.#refused, this.#accepted];
    const { seconds } = this.#bar;
    const isDry = this.#options.dryRun === true;
    if (this.#options.json === true) {
      writeJson({ taskId: taskIdOf(this.#task), dryRun: isDry, accepted, invalid, refused, seconds });
    } else {
      writeNote(hidden(invalid.length + refused.length));
      const rate = isDry ? '' : `, ${seconds.toFixed(1)} s, ${rateText(accepted, seconds)}`;
      writeOut(`${accepted} ${isDry ? 'can be reported' : 'accepted'}${rate}\n`);
      if (invalid.length > 0) writeOut(`${invalid.length} not measured: not what the task measures\n`);
      if (refused.length > 0) writeOut(`${refused.length} refused by the leader\n`);
    }
    return invalid.length + refused.length === 0 ? ExitCode.OK : ExitCode.FAILED;
  }

  async #rows(values: readonly string[]): Promise<Iterable<Row> | AsyncIterable<Row>> {
    const { input, inputFormat, column: columns = [] } = this.#options;
    const { statistic } = this.#task;
    if (input === undefined) {
      if (values.length > 0 && columns.length === 0) return rowsOfArguments(statistic, values);
      const why = values.length > 0 ? 'values of the command line have no columns' : 'there are no values';
      throw new CliError('USAGE', { what: 'Cannot upload', why, fix: 'name values, or a file with --input' });
    }
    if (values.length > 0) {
      throw new CliError('USAGE', { what: 'Cannot upload', why: 'there are values and --input', fix: 'leave one out' });
    }
    this.#bytes = input === '-' ? undefined : (await stat(input).catch(() => undefined))?.size;
    const format = inputFormat ?? (/\.(?:jsonl|ndjson|json)$/i.test(input) ? 'jsonl' : 'csv');
    const onBytes = (count: number): void => {
      this.#bytesRead += count;
    };
    return rowsOfFile(statistic, { file: input, format, columns, onBytes });
  }

  /**
   * Why a value cannot be measured. One that cannot would keep all others of its batch from being reported, so each is
   * measured by itself: with a signal that is aborted, a reporter does that and nothing else.
   */
  async #problemOf(value: unknown): Promise<string | undefined> {
    try {
      await this.#reporter.reportMany([value as ValueOf<PrivateTask['statistic']>], { signal: MEASURE_ONLY });
    } catch (error) {
      if (error instanceof AnalyticsError && error.code === 'VALUE_INVALID') return error.message;
    }
    return undefined;
  }

  async #send(): Promise<void> {
    const rows = this.#waiting;
    this.#waiting = [];
    if (this.#options.dryRun === true) {
      this.#accepted += rows.length;
      return;
    }
    const values = rows.map(({ value }) => value as ValueOf<PrivateTask['statistic']>);
    const share = (done: number): number | undefined =>
      this.#bytes === undefined ? undefined : (this.#bytesRead / this.#bytes) * (done / rows.length);
    let done = 0;
    const onProgress = (count: number): void => {
      done = count;
      this.#bar.show(this.#accepted + count, share(count));
    };
    try {
      const sent = await this.#reporter.reportMany(values, { time: this.#time, onProgress });
      this.#accepted += sent.accepted;
      for (const { index, reportError } of sent.refused) {
        const row = rows[index];
        if (row !== undefined) this.#note(this.#refused, row, `refused by the leader: ${reportError}`);
      }
    } catch (cause) {
      throw this.#stopped(cause, done, rows[done]?.line);
    }
  }

  #note(list: Refusal[], { line, text }: Row, reason: string): void {
    list.push({ line, reason });
    if (this.#options.json === true || this.#invalid.length + this.#refused.length > MAX_NAMED_LINES) return;
    this.#bar.clear();
    const shown = this.#options.verbose === true ? `: ${printable(text)}` : '';
    writeNote(`line ${line}: ${reason}${shown}\n`);
  }

  /** What is reported stays reported: says where to go on. */
  #stopped(cause: unknown, done: number, line: number | undefined): unknown {
    const error = this.#way.explain(cause);
    const isBeginning = this.#accepted + done === 0;
    const isFile = this.#options.input !== undefined;
    if (!(error instanceof CliError) || line === undefined || !isFile || isBeginning) return error;
    // What could not be done is said here.
    const why = `${messageOf(error).replace(/^Cannot [^;]*; /, '')}; everything before line ${line} is done`;
    const fix = `go on with --start-line ${line}; some of the lines that follow it may have arrived already`;
    return new CliError(error.code, { what: 'Cannot upload the rest', why, fix }, { cause });
  }
}

/** Never sends. */
const MEASURE_ONLY: AbortSignal = AbortSignal.abort();

function hidden(count: number): string {
  return count > MAX_NAMED_LINES ? `and ${count - MAX_NAMED_LINES} more; --json names all lines\n` : '';
}

function lineOf(text: string | undefined): number {
  const line = Number(text ?? 1);
  if (Number.isSafeInteger(line) && line > 0) return line;
  throw new CliError('USAGE', { what: `Cannot use --start-line ${text}`, why: 'it is no line number' });
}
