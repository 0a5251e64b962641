/** `privacy-edge analytics task new` and `task key`: tasks and keys are made. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { formatCollectorKey, generateCollectorKey } from '@privacy-edge/analytics/collector';
import {
  createPrivateTask,
  type HpkeConfig,
  type HpkeKey,
  type PrivateTask,
  systemRandom,
} from '@privacy-edge/analytics/task';
import { writeSecretFile } from '@privacy-edge/node';
import { CliError } from '../cli-error.ts';
import { DURATION_PATTERN, parseDuration } from '../config/units.ts';
import { ExitCode } from '../exit-code.ts';
import { writeJson, writeOut } from '../output.ts';
import { columns } from '../table.ts';
import {
  checkDescription,
  type Description,
  type DescriptionPart,
  readCollectorConfig,
  readDescription,
  taskOptions,
} from './description.ts';
import { explain } from './explanation.ts';
import { statisticOf } from './statistic-options.ts';
import { taskIdOf } from './task-file.ts';
import { FILE_NAMES, type PublishOptions, textOf, writeTaskFolder, writing } from './task-folder.ts';

/** Options that describe a task. */
export interface DescriptionOptions {
  readonly description?: string;
  readonly title?: string;
  readonly statistic?: string;
  readonly parameter?: readonly string[];
  readonly leader?: string;
  readonly helper?: string;
  readonly minBatch?: string;
  readonly timePrecision?: string;
  readonly batchMode?: string;
  readonly from?: string;
  readonly to?: string;
  readonly epsilon?: string;
  readonly rho?: string;
  readonly adjacency?: string;
}

/** Options of the command. */
export interface NewTaskOptions extends DescriptionOptions, PublishOptions {
  readonly collectorKey?: string;
  readonly json?: boolean;
}

/** Makes a task and writes its files. */
export async function newTask(folder: string, options: NewTaskOptions): Promise<ExitCode> {
  const description = await describedTask(options);
  const key = options.collectorKey === undefined ? await generateCollectorKey() : undefined;
  const config = key?.config ?? (await readCollectorConfig(options.collectorKey ?? ''));
  const task = await makeTask(description, config);
  await writeTaskFolder(folder, task, key, options);
  if (options.json === true) {
    const files = Object.fromEntries(Object.entries(FILE_NAMES).map(([party, name]) => [party, join(folder, name)]));
    writeJson({ taskId: taskIdOf(task), title: task.title, files });
  } else writeOut(adviceOf(folder, task, key, options));
  return ExitCode.OK;
}

/** Makes a key for collectors who keep their private key to themselves. */
export async function newCollectorKey(file: string, options: { readonly json?: boolean }): Promise<ExitCode> {
  if (existsSync(file)) {
    const fix = 'name another file; who loses a key cannot open results any more';
    throw new CliError('USAGE', { what: `Cannot write ${file}`, why: 'it is there already', fix });
  }
  const document = formatCollectorKey(await generateCollectorKey());
  await writing(() => writeSecretFile(file, textOf(document)));
  const publicPart = { hpke: document.hpke };
  if (options.json === true) writeJson(publicPart);
  else {
    writeOut(`The private key is in ${file}: keep it, and give it to nobody. Whoever makes the task gets this:\n\n`);
    writeJson(publicPart);
  }
  return ExitCode.OK;
}

/**
 * What the options, and the file that they name, say of a task. Options win.
 *
 * @throws {@link CliError} `USAGE`
 */
export async function describedTask(options: DescriptionOptions): Promise<Description> {
  const { description, statistic, parameter = [] } = options;
  const fromFile = description === undefined ? {} : await readDescription(description);
  if (statistic === undefined && parameter.length > 0) {
    throw new CliError('USAGE', { what: 'Cannot use --parameter', why: 'there is no --statistic' });
  }
  return checkDescription({
    ...fromFile,
    ...present({
      title: options.title,
      statistic: statistic && (await statisticOf(statistic, parameter)),
      leader: options.leader,
      helper: options.helper,
      minBatchSize: options.minBatch && Number(options.minBatch),
      timePrecisionSeconds: options.timePrecision && secondsOf(options.timePrecision),
      batchMode: options.batchMode,
      taskInterval: (options.from || options.to) && present({ from: options.from, to: options.to }),
      noise: noiseOptions(options),
    }),
  });
}

/**
 * Makes a task of a description.
 *
 * @throws {@link CliError} `USAGE`
 */
export async function makeTask(description: Description, collectorConfig: HpkeConfig): Promise<PrivateTask> {
  try {
    return await createPrivateTask(taskOptions(description, collectorConfig), systemRandom);
  } catch (cause) {
    throw explain(cause);
  }
}

function noiseOptions({ epsilon, rho, adjacency }: DescriptionOptions): DescriptionPart | undefined {
  if (epsilon === undefined && rho === undefined) return undefined;
  return present({ mechanism: epsilon === undefined ? 'gaussian' : 'laplace', epsilon, rho, adjacency });
}

function present(members: DescriptionPart): DescriptionPart {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

function secondsOf(text: string): number {
  const seconds = DURATION_PATTERN.test(text) ? parseDuration(text) / 1000 : Number.NaN;
  if (Number.isInteger(seconds) && seconds > 0) return seconds;
  const why = 'it is no duration of whole seconds such as 300s, 1h or 1d';
  throw new CliError('USAGE', { what: `Cannot use --time-precision ${text}`, why });
}

function adviceOf(folder: string, task: PrivateTask, key: HpkeKey | undefined, publish: PublishOptions): string {
  const { leaderAggregatorEndpoint: leader, helperAggregatorEndpoint: helper } = task.task.configuration;
  const own = key === undefined ? 'the private key is where it was made' : 'holds the only copy of the private key';
  const rows = [
    [FILE_NAMES.everybody, 'for everybody: apps, pages, the other parties; holds no secret'],
    [FILE_NAMES.leader, `for the operator of ${leader}; secret`],
    [FILE_NAMES.helper, `for the operator of ${helper}; secret`],
    [FILE_NAMES.collector, `for whoever gets the results; secret, ${own}`],
  ];
  const published = [
    ...(publish.publishHelper === undefined ? [] : [`The helper's file is in ${publish.publishHelper} too.\n`]),
    ...(publish.publishLeader === undefined ? [] : [`The leader's file is in ${publish.publishLeader} too.\n`]),
  ];
  return `The task "${task.title}" is in ${folder}:

${columns(rows, '  ')}
${published.join('')}Leader and helper must not be run by the same people: together they can read every report.
Each puts its file into the folder that its aggregator watches. Delete both here when they are handed over.

  privacy-edge analytics upload --task ${join(folder, FILE_NAMES.everybody)} VALUE
  privacy-edge analytics collect --task ${join(folder, FILE_NAMES.collector)} --help
`;
}
