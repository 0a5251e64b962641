/** `privacy-edge analytics task show` and `task list`. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { formatTask } from '@privacy-edge/analytics/task';
import { CliError, systemCode } from '../cli-error.ts';
import { formatDuration } from '../config/units.ts';
import { ExitCode } from '../exit-code.ts';
import { printable, writeJson, writeNote, writeOut } from '../output.ts';
import { columns } from '../table.ts';
import { reportBytes } from './report-size.ts';
import { type Party, readIfTask, readTaskFile, type TaskFile, taskIdOf } from './task-file.ts';
import { type CoordinateNoise, expectedNoise } from './task-noise.ts';
import { noiseWords, numberText, statisticWords } from './words.ts';

/** Prints everything about a task but its secrets. */
export async function showTask(file: string, options: { readonly json?: boolean }): Promise<ExitCode> {
  const read = await readTaskFile(file);
  const noise = expectedNoise(read.task);
  const bytes = await reportBytes(read.task);
  if (options.json === true) {
    writeJson({ party: read.party, secrets: read.secrets, reportBytes: bytes, noise, task: formatTask(read.task) });
  } else writeOut(printedTask(read, bytes, noise));
  return ExitCode.OK;
}

function printedTask(read: TaskFile, bytes: number, noise: readonly CoordinateNoise[]): string {
  const { parameters, protocol, collector, statistic } = formatTask(read.task);
  const { batchMode, taskInterval, maxCollections, vdaf } = parameters;
  const { kind, ...numbers } = vdaf;
  const rows: [string, string][] = [
    ['title', read.task.title],
    ['task', taskIdOf(read.task)],
    ['measures', `${statistic.kind}: ${statisticWords(read.task.statistic)}`],
    ['leader', parameters.leader],
    ['helper', parameters.helper],
    ['protocol', protocol],
    ['vdaf', `${String(kind)} ${JSON.stringify(numbers)}`],
    ['report', `${bytes} bytes`],
    ['minimum batch', `${parameters.minBatchSize} reports`],
    ['batches', batchMode === 'time-interval' ? 'intervals of time, as the collector asks' : 'chosen by the leader'],
    ['time precision', formatDuration(1000 * parameters.timePrecisionSeconds)],
    ['open', taskInterval === undefined ? 'always' : `${taskInterval.from} to ${taskInterval.to}`],
    ['collections', `${maxCollections ?? 1} of each batch`],
    ['noise', parameters.noise === undefined ? 'none: results are exact' : noiseWords(parameters.noise)],
    ...noise.map(({ of, deviation, halfWidth }): [string, string] => [
      '',
      `\u00b1 ${numberText(halfWidth, 4)} (95 %), deviation ${numberText(deviation, 4)}, in ${of}`,
    ]),
    ...meanNoiseRows(read.task, parameters.minBatchSize, noise),
    ['collector key', `${collector.hpke.id}, public part ${collector.hpke.publicKey.slice(0, 16)}\u2026`],
    ['file of', read.party],
    ...secretRows(read.secrets),
  ];
  return columns(rows.map(([label, value]) => [label, printable(value)]));
}

/** What the noise of a sum means for its mean, in the worst case. */
function meanNoiseRows(
  { statistic }: TaskFile['task'],
  reports: number,
  noise: readonly CoordinateNoise[],
): [string, string][] {
  if (statistic.kind !== 'mean') return [];
  const unit = statistic.unit === undefined ? '' : ` ${statistic.unit}`;
  return noise.map(({ halfWidth }) => {
    const width = numberText((halfWidth * statistic.step) / reports, 3);
    return ['', `\u00b1 ${width}${unit} (95 %) in the mean of ${reports} reports, less in that of more`];
  });
}

function secretRows(secrets: readonly string[]): [string, string][] {
  if (secrets.length === 0) return [['secrets', 'none']];
  return secrets.map((secret, i) => [i === 0 ? 'secrets' : '', secret]);
}

/** A task with all files that there are of it. */
interface Listed {
  readonly taskId: string;
  readonly title: string;
  readonly statistic: string;
  readonly minBatchSize: number;
  readonly noise: string;
  readonly parties: Party[];
  readonly files: string[];
}

/** Lists the tasks in a folder and in the folders directly below it. */
export async function listTasks(folder: string, options: { readonly json?: boolean }): Promise<ExitCode> {
  const tasks = new Map<string, Listed>();
  let unusable = 0;
  for (const file of await filesBelow(folder)) {
    try {
      const read = await readIfTask(file);
      if (read !== undefined) add(tasks, read);
    } catch (error) {
      if (!(error instanceof CliError)) throw error;
      unusable++;
      writeNote(`privacy-edge: ${error.message}\n`);
    }
  }
  if (options.json === true) writeJson([...tasks.values()]);
  else writeOut(printedList([...tasks.values()]));
  return unusable === 0 ? ExitCode.OK : ExitCode.FAILED;
}

function add(tasks: Map<string, Listed>, { file, party, task }: TaskFile): void {
  const taskId = taskIdOf(task);
  const { parameters } = formatTask(task);
  const { noise } = parameters;
  const listed = tasks.get(taskId) ?? {
    taskId,
    title: task.title,
    statistic: task.statistic.kind,
    minBatchSize: parameters.minBatchSize,
    noise: noise === undefined ? 'none' : noise.mechanism,
    parties: [],
    files: [],
  };
  tasks.set(taskId, listed);
  listed.parties.push(party);
  listed.files.push(file);
}

function printedList(tasks: readonly Listed[]): string {
  if (tasks.length === 0) return 'No tasks.\n';
  const head = ['task', 'statistic', 'minimum', 'noise', 'files of', 'title'];
  const rows = tasks.map((task) => [
    task.taskId,
    task.statistic,
    String(task.minBatchSize),
    task.noise,
    task.parties.join(', '),
    printable(task.title),
  ]);
  return columns([head, ...rows]);
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await namesIn(folder);
  const below = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name));
  const files = (parent: string, found: Awaited<ReturnType<typeof namesIn>>): string[] =>
    found
      .filter((entry) => entry.isFile() && /^[^.].*\.(?:json|ya?ml)$/.test(entry.name))
      .map(({ name }) => join(parent, name));
  const all = files(folder, entries);
  for (const child of below) all.push(...files(child, await namesIn(child)));
  return all.sort();
}

async function namesIn(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (cause) {
    const code = systemCode(cause);
    const why = code === 'ENOENT' ? 'there is no such folder' : `the system says ${code ?? 'no'}`;
    throw new CliError('USAGE', { what: `Cannot list ${folder}`, why }, { cause });
  }
}
