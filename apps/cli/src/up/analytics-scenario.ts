/** What people and the collector do in the demonstration, and the facts that come of it. */
import { randomInt } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createReporter } from '@privacy-edge/analytics';
import { createCollector, type ResultOf } from '@privacy-edge/analytics/collector';
import type { CommonStringsResult, HistogramResult } from '@privacy-edge/analytics/statistics';
import type { Statistic, ValueOf } from '@privacy-edge/analytics/task';
import { type Report, UploadRequest } from '@privacy-edge/dap';
import { CliError } from '../cli-error.ts';
import { createOuterFetch, type OuterFetch } from '../fetch/outer-fetch.ts';
import type { AggregatorParty, AnalyticsDeployment } from './analytics-deployment.ts';
import { type DemoTask, HEIGHTS } from './analytics-tasks.ts';
import { type Athlete, SPORTS } from './athletes.ts';
import { countBetween, countTexts, fitLine, type Line } from './clear-statistics.ts';
import type { Fact, Holdings } from './knowledge.ts';
import type { TraceEntry } from './recorder.ts';

/** Who takes part, besides people. */
export type AnalyticsParty = AggregatorParty | 'collector';

/** A number of each kind: from the aggregators, and from the values themselves. */
export interface Compared {
  readonly label: string;
  readonly private: number;
  readonly clear: number;
}

/** All results. */
export interface AnalyticsResult {
  readonly people: number;
  readonly histogram: readonly Compared[];
  readonly words: readonly Compared[];
  readonly regression: readonly Compared[];
  readonly facts: readonly Fact<AnalyticsParty>[];
  /** What the collector got hold of. */
  readonly collector: Holdings;
}

/** Milliseconds for all collections. */
const TIMEOUT_MS = 60_000;
const HOUR_MS = 3_600_000;

/**
 * Reports what is known of every person for all three tasks, and collects the results.
 *
 * @throws {@link CliError} `FAILED` when a report is refused
 */
export async function playAnalytics(
  deployment: AnalyticsDeployment,
  people: readonly Athlete[],
): Promise<AnalyticsResult> {
  const { histogram, words, regression } = deployment.tasks;
  const address = `127.${randomInt(10, 250)}.${randomInt(10, 250)}.${randomInt(10, 250)}`;
  const extraRoots = [await readFile(deployment.rootPath, 'utf8')];
  const uploads: Uint8Array[] = [];
  const send = tapUploads(createOuterFetch({ extraRoots, localAddress: address }), uploads);
  const entries: TraceEntry[] = [];
  const ask = tapAnswers(createOuterFetch({ extraRoots }), entries);
  // One moment for all, so that no hour ends in between.
  const time = new Date();
  const report = async <S extends Statistic>({ task }: DemoTask<S>, values: readonly ValueOf<S>[]): Promise<void> => {
    const { refused } = await createReporter(task, { fetch: send }).reportMany(values, { time });
    if (refused.length > 0) throw failed(`${refused.length} reports were refused: ${refused[0]?.reportError}`);
  };
  const collect = async <S extends Statistic>({ task, secrets }: DemoTask<S>): Promise<ResultOf<S>> => {
    const options = { key: deployment.tasks.key, token: secrets.collectorToken, fetch: ask, pollMs: 200 };
    const from = new Date(Math.floor(time.getTime() / HOUR_MS) * HOUR_MS);
    const query = { from, to: new Date(from.getTime() + HOUR_MS) };
    const { result, reports } = await createCollector(task, options).collect(query, {
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (reports !== people.length) throw failed(`${reports} of ${people.length} reports were counted`);
    return result;
  };
  // Later ones are reported while the aggregators work on earlier ones.
  await report(
    histogram,
    people.map(({ height }) => height),
  );
  await report(
    words,
    people.map(({ sport }) => sport),
  );
  await report(
    regression,
    people.map(({ height, weight }) => ({ height, weight })),
  );
  const [bars, strings, fit] = await Promise.all([collect(histogram), collect(words), collect(regression)]);
  if (fit.status !== 'fitted') throw failed('the regression was refused');
  const counts = SPORTS.map((sport) => countOf(strings, sport));
  entries.push({ kind: 'bytes', what: 'sum', base64: Buffer.from(fieldElements([...counts, 0])).toString('base64') });
  const line = { intercept: fit.coefficients[0]?.estimate ?? 0, slope: fit.coefficients[1]?.estimate ?? 0 };
  return {
    people: people.length,
    histogram: compareBars(bars, people),
    words: compareWords(strings, people),
    regression: compareLines(line, fitLine(people)),
    facts: factsOf(address, uploads, people, counts),
    collector: { entries, writings: JSON.stringify([bars, strings, fit]) },
  };
}

/** Whether the private statistics are the clear ones. */
export function isSame({ histogram, words, regression }: AnalyticsResult): boolean {
  const exact = [...histogram, ...words].every((one) => one.private === one.clear);
  // Both are sums of the same numbers, in another order of roundings.
  return exact && regression.every((one) => Math.abs(one.private - one.clear) <= 1e-9 * Math.abs(one.clear));
}

function compareBars({ bars }: HistogramResult, people: readonly Athlete[]): readonly Compared[] {
  const clear = countBetween(
    people.map(({ height }) => height),
    HEIGHTS,
  );
  return bars.map(({ label, count }, i) => ({ label, private: count, clear: clear[i] ?? 0 }));
}

function compareWords({ strings }: CommonStringsResult, people: readonly Athlete[]): readonly Compared[] {
  const clear = new Map(countTexts(people.map(({ sport }) => sport)));
  return strings.map(({ text, count }) => ({ label: text, private: count, clear: clear.get(text) ?? 0 }));
}

function compareLines(found: Line, clear: Line): readonly Compared[] {
  return [
    { label: 'kg at 0 m', private: found.intercept, clear: clear.intercept },
    { label: 'kg for each m', private: found.slope, clear: clear.slope },
  ];
}

function countOf({ strings }: CommonStringsResult, sport: string): number {
  return strings.find(({ text }) => text === sport)?.count ?? 0;
}

/** What the table asks about. */
function factsOf(
  address: string,
  uploads: readonly Uint8Array[],
  people: readonly Athlete[],
  counts: readonly number[],
): readonly Fact<AnalyticsParty>[] {
  const [report] = uploads.flatMap((body): readonly Report[] => UploadRequest.decode(body));
  if (report === undefined) throw failed('nothing was reported');
  const { reportMetadata, leaderEncryptedInputShare, helperEncryptedInputShare } = report;
  const sport = SPORTS.indexOf(people[0]?.sport ?? '');
  const value = fieldElements([...SPORTS.map((_, i) => Number(i === sport)), 0]);
  const fact = (label: string, known: readonly AnalyticsParty[], bytes: Uint8Array): Fact<AnalyticsParty> => ({
    label,
    known,
    sign: { bytes },
  });
  return [
    // The helper is asked for its key, and never by whoever reports in the name of a report.
    { label: 'client address', known: ['leader', 'helper'], sign: { text: address } },
    fact('identifier of a report', ['leader', 'helper'], reportMetadata.reportId),
    fact("leader's share of a report, sealed", ['leader'], leaderEncryptedInputShare.payload),
    fact("helper's share of a report, sealed", ['leader', 'helper'], helperEncryptedInputShare.payload),
    fact('what one person reported', [], value),
    fact('the sum over all', ['collector'], fieldElements([...counts, 0])),
  ];
}

/** Numbers as elements of the field that Prio3Histogram sums in. VDAF §6.1.2 */
function fieldElements(numbers: readonly number[]): Uint8Array {
  const bytes = Buffer.alloc(numbers.length * FIELD_BYTES);
  for (const [i, number] of numbers.entries()) bytes.writeUInt32LE(number, i * FIELD_BYTES);
  return bytes;
}

const FIELD_BYTES = 16;

function tapUploads(send: OuterFetch, uploads: Uint8Array[]): OuterFetch {
  return (input, init) => {
    if (init.body instanceof Uint8Array) uploads.push(init.body);
    return send(input, init);
  };
}

function tapAnswers(send: OuterFetch, entries: TraceEntry[]): OuterFetch {
  return async (input, init) => {
    const answer = await send(input, init);
    const body = Buffer.from(await answer.arrayBuffer());
    entries.push({ kind: 'text', what: 'answer', text: JSON.stringify([answer.status, ...answer.headers]) });
    entries.push({ kind: 'bytes', what: 'answer body', base64: body.toString('base64') });
    return new Response(body.length === 0 ? null : body, { status: answer.status, headers: answer.headers });
  };
}

function failed(why: string): CliError {
  return new CliError('FAILED', { what: 'Cannot show private measurement', why });
}
