/** `privacy-edge analytics rounds`: common strings, found by one task after the other. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { AnalyticsError } from '@privacy-edge/analytics';
import {
  createCollector,
  formatCollectorKey,
  generateCollectorKey,
  type PrefixRoundResult,
  runPrefixRounds,
} from '@privacy-edge/analytics/collector';
import type { CommonStringsResult, PrefixState } from '@privacy-edge/analytics/statistics';
import { formatTask, type HpkeKey, type NoiseDocument, type StatisticOf } from '@privacy-edge/analytics/task';
import { intervalEnd } from '@privacy-edge/dap';
import { makePrivateFolder, writeFileAtomic, writeSecretFile } from '@privacy-edge/node';
import { z } from 'zod';
import { CliError } from '../cli-error.ts';
import { DURATION_PATTERN, parseDuration } from '../config/units.ts';
import { ExitCode } from '../exit-code.ts';
import { readLocal } from '../fetch/options.ts';
import { printable, writeJson, writeNote, writeOut } from '../output.ts';
import { type CollectorAccess, readCollector, readCollectorKey } from './collector-access.ts';
import type { Description } from './description.ts';
import { type NetworkOptions, openWay, type Way } from './network.ts';
import { type DescriptionOptions, describedTask, makeTask } from './new-task.ts';
import { stringsTable } from './result-table.ts';
import { documentOf } from './task-file.ts';
import { FILE_NAMES, type PublishOptions, textOf, writeTaskFolder, writing } from './task-folder.ts';
import { MAX_TIMER_MS, waitOf } from './waiting.ts';
import { noiseWords, timeText } from './words.ts';

/** Options of the command. */
export interface RoundsOptions extends NetworkOptions, DescriptionOptions, PublishOptions {
  readonly roundTime?: string;
  /** How long aggregators may take until they know a new task. */
  readonly wait: string;
  readonly top: string;
  readonly json?: boolean;
}

const STATE_FILE = 'state.json';
const KEY_FILE = 'collector-key.json';
const CURRENT_FILE = 'current.json';

/** Runs rounds until no prefix is left to follow; goes on where an earlier run has stopped. */
export async function prefixRounds(folder: string, options: RoundsOptions): Promise<ExitCode> {
  const { statistic = options.parameter && 'prefix-round' } = options;
  const description = await describedTask({ ...options, ...(statistic !== undefined && { statistic }) });
  const { plan } = planned(description);
  const roundMs = roundTimeOf(description, options.roundTime);
  const way = await openWay(options);
  await writing(() => makePrivateFolder(folder));
  const search = new Search(folder, description, roundMs, await keyOf(folder), way, options);
  const state = await readState(folder);
  try {
    const { result } = await runPrefixRounds(
      plan,
      {
        createRound: (statistic) => search.createRound(statistic),
        collect: (round) => search.collect(round),
        save: (state) => writing(() => writeSecretFile(join(folder, STATE_FILE), textOf(state))),
      },
      { state },
    );
    if (options.json === true) writeJson(result);
    else writeOut(printed(description, result, Number(options.top)));
    return ExitCode.OK;
  } catch (cause) {
    throw way.explain(cause);
  }
}

class Search {
  readonly #folder: string;
  readonly #description: Description;
  readonly #roundMs: number | undefined;
  readonly #key: HpkeKey;
  readonly #way: Way;
  readonly #publish: PublishOptions;
  readonly #waitMs: number;

  constructor(
    folder: string,
    description: Description,
    roundMs: number | undefined,
    key: HpkeKey,
    way: Way,
    options: RoundsOptions,
  ) {
    this.#folder = folder;
    this.#description = description;
    this.#roundMs = roundMs;
    this.#key = key;
    this.#way = way;
    this.#publish = options;
    this.#waitMs = waitOf(options.wait);
  }

  /** A task of its own, with files like any other; one that an earlier run has made is used again. */
  async createRound(statistic: StatisticOf<'prefix-round'>): Promise<CollectorAccess> {
    const folder = join(this.#folder, `round-${statistic.round + 1}`);
    const file = join(folder, FILE_NAMES.collector);
    if (!existsSync(file)) {
      const { title } = this.#description;
      const interval = this.#roundMs === undefined ? {} : { taskInterval: this.#interval(this.#roundMs) };
      const description = {
        ...this.#description,
        ...interval,
        title: `${title}, round ${statistic.round + 1}`,
        statistic: { ...statistic },
      };
      await writeTaskFolder(folder, await makeTask(description, this.#key.config), this.#key, this.#publish);
    }
    const access = await readCollector(file, undefined);
    const current = join(this.#folder, CURRENT_FILE);
    await writing(() => writeFileAtomic(current, textOf(formatTask(access.task))));
    writeNote(`* round ${statistic.round + 1}: clients need ${current}\n`);
    return access;
  }

  async collect({ task, key, collectorToken }: CollectorAccess): Promise<PrefixRoundResult> {
    const { configuration, extensions } = task.task;
    const { taskInterval } = extensions;
    const collector = createCollector(task, {
      key,
      token: collectorToken,
      fetch: this.#way.fetch,
      timeoutMs: this.#way.timeoutMs,
    });
    const dateOf = (units: number): Date => new Date(1000 * configuration.timePrecision * units);
    const query =
      taskInterval === undefined
        ? ('next' as const)
        : { from: dateOf(taskInterval.start), to: dateOf(intervalEnd(taskInterval)) };
    if (query !== 'next') await sleepUntil(query.to);
    const collected = await this.#whenTaken(() => collector.collect(query));
    // Every task of a search measures a round.
    const result = collected.result as PrefixRoundResult;
    const { prefixes, found } = result.next;
    writeNote(`* ${result.reports} reports: ${prefixes.length} prefixes to follow, ${found.length} strings found\n`);
    return result;
  }

  /** Aggregators look into their folders now and then: until they did, they do not know the task. */
  async #whenTaken<T>(collect: () => Promise<T>): Promise<T> {
    const endMs = Date.now() + this.#waitMs;
    for (;;) {
      try {
        return await collect();
      } catch (error) {
        const isEarly = error instanceof AnalyticsError && error.problem === 'UNRECOGNIZED_TASK';
        if (!isEarly || Date.now() >= endMs) throw error;
        await setTimeout(LOOK_MS);
      }
    }
  }

  /** Whole units of the time precision, from the one that is now: clients can begin at once. */
  #interval(roundMs: number): { from: string; to: string } {
    const unitMs = 1000 * (this.#description.timePrecisionSeconds ?? 3600);
    const from = Math.floor(Date.now() / unitMs) * unitMs;
    return { from: timeText(new Date(from)), to: timeText(new Date(from + roundMs)) };
  }
}

async function keyOf(folder: string): Promise<HpkeKey> {
  const file = join(folder, KEY_FILE);
  if (existsSync(file)) return readCollectorKey(file);
  const key = await generateCollectorKey();
  await writing(() => writeSecretFile(file, textOf(formatCollectorKey(key))));
  return key;
}

const planSchema = z.object({ kind: z.literal('prefix-round'), plan: z.object({}).loose() });

/** The plan of a description; whether it can be used is for the first round to say. */
function planned({ statistic }: Description): Pick<StatisticOf<'prefix-round'>, 'plan'> {
  if (planSchema.safeParse(statistic).success) return statistic as unknown as StatisticOf<'prefix-round'>;
  const fix = 'take --statistic prefix-round with -p plan=..., or poplar1 with task new';
  throw new CliError('USAGE', { what: 'Cannot run rounds', why: 'the statistic is no prefix-round', fix });
}

function roundTimeOf(description: Description, text: string | undefined): number | undefined {
  const isLeaderSelected = description.batchMode === 'leader-selected';
  if (text === undefined && isLeaderSelected) return undefined;
  const milliseconds = text !== undefined && DURATION_PATTERN.test(text) ? parseDuration(text) : Number.NaN;
  const units = milliseconds / 1000 / (description.timePrecisionSeconds ?? 3600);
  if (!isLeaderSelected && Number.isSafeInteger(units) && units > 0) return milliseconds;
  const why = isLeaderSelected
    ? 'a round ends when the leader has a batch'
    : 'a round takes whole units of the time precision, such as 1h';
  throw new CliError('USAGE', { what: `Cannot use --round-time ${text ?? ''}`.trimEnd(), why });
}

const stringSchema = z.strictObject({
  text: z.string(),
  count: z.number(),
  share: z.number().nullable(),
  noiseHalfWidth: z.number(),
  standardError: z.number().nullable(),
  truncated: z.boolean(),
});

const stateSchema = z.strictObject({
  round: z.int().min(0),
  prefixes: z.array(z.array(z.int().min(0))),
  found: z.array(stringSchema),
  history: z.array(
    z.strictObject({
      reports: z.number(),
      buckets: z.number(),
      threshold: z.number(),
      followed: z.number(),
      cut: z.number(),
    }),
  ),
});

async function readState(folder: string): Promise<PrefixState | undefined> {
  const file = join(folder, STATE_FILE);
  if (!existsSync(file)) return undefined;
  const read = stateSchema.safeParse(documentOf(file, await readLocal(file)));
  if (read.success) return read.data;
  throw new CliError('USAGE', {
    what: `Cannot use ${file}`,
    why: 'it is no state of a search',
    fix: 'name another folder',
  });
}

/** Pause between two questions whether a task is known. */
const LOOK_MS = 2000;

async function sleepUntil(date: Date): Promise<void> {
  writeNote(`* waiting for reports until ${timeText(date)}\n`);
  for (let left = date.getTime() - Date.now(); left > 0; left = date.getTime() - Date.now()) {
    await setTimeout(Math.min(left, MAX_TIMER_MS));
  }
}

function printed({ title, noise }: Description, result: CommonStringsResult, top: number): string {
  const words =
    noise === undefined
      ? 'No noise: the numbers are those of exactly these reports.'
      : `Noise: ${noiseWords({ ...noise, adjacency: noise.adjacency ?? 'substitution' } as NoiseDocument)}.`;
  return `${printable(title)}\n${result.reports} reports in all rounds; shares are of the round that a string was found in\n\n${stringsTable(result, { top, width: Math.min(process.stdout.columns ?? 80, 120) })}\n${words}\n`;
}
