/** Private measurement in the demonstration: results beside those in the clear, and who saw what. */
import { styled } from '../output.ts';
import { withProgress } from '../progress.ts';
import { columns } from '../table.ts';
import type { AnalyticsDeployment } from './analytics-deployment.ts';
import {
  type AnalyticsParty,
  type AnalyticsResult,
  type Compared,
  isSame,
  playAnalytics,
} from './analytics-scenario.ts';
import { type Athlete, DATA_SET } from './athletes.ts';
import { compareKnowledge, type Row } from './knowledge.ts';
import { knowledgeTable } from './knowledge-table.ts';

/** What was shown. */
export interface ShownAnalytics {
  readonly result: AnalyticsResult;
  readonly rows: readonly Row<AnalyticsParty>[];
}

const PARTIES: readonly AnalyticsParty[] = ['leader', 'helper', 'collector'];
/** Most common strings that are shown. */
const SHOWN_WORDS = 5;

/** Reports, collects and compares. */
export async function showAnalytics(
  deployment: AnalyticsDeployment,
  people: readonly Athlete[],
): Promise<ShownAnalytics> {
  const result = await withProgress('Reporting and collecting', () => playAnalytics(deployment, people));
  const holdings = await withProgress('Looking at what each party got hold of', async () => ({
    leader: await deployment.holdings('leader'),
    helper: await deployment.holdings('helper'),
    collector: result.collector,
  }));
  return { result, rows: compareKnowledge(result.facts, holdings) };
}

/** Whether everything is as it must be. */
export function isAnalyticsGood({ result, rows }: ShownAnalytics): boolean {
  return isSame(result) && rows.every((row) => row.wrong.length === 0);
}

/** The document. */
export function analyticsAsJson(shown: ShownAnalytics): Record<string, unknown> {
  const { result, rows } = shown;
  return {
    ok: isAnalyticsGood(shown),
    dataSet: DATA_SET,
    reports: 3 * result.people,
    histogram: result.histogram,
    mostCommonStrings: result.words,
    linearRegression: result.regression,
    knowledge: rows.map(({ fact, seen, wrong }) => ({ fact: fact.label, ...seen, ok: wrong.length === 0 })),
  };
}

/** For people. */
export function analyticsText(shown: ShownAnalytics): string {
  const { people, histogram, words, regression } = shown.result;
  const mark = isSame(shown.result) ? styled('green', '✓') : styled('red', '✗');
  const verdict = isAnalyticsGood(shown)
    ? 'No aggregator could tell what anybody reported (looked in received bytes, logs, metrics, databases).\n'
    : `${styled('red', 'A number or a cell is not what it must be.')}\n`;
  return [
    `${mark} ${3 * people} reports of ${people} athletes, measured privately: people → leader ⇄ helper → collector\n`,
    `  data: ${DATA_SET}\n`,
    '\n',
    block('height, m', histogram, String),
    '\n',
    block('most common sports', words.slice(0, SHOWN_WORDS), String),
    '\n',
    block('weight by height', regression, (value) => value.toFixed(6)),
    '\n',
    knowledgeTable(shown.rows, PARTIES),
    '\n',
    verdict,
  ].join('');
}

function block(title: string, numbers: readonly Compared[], format: (value: number) => string): string {
  const head = [title, 'private', 'in the clear'].map((text) => styled('bold', text));
  const rows = numbers.map((one) => [one.label, format(one.private), format(one.clear)]);
  return columns([head, ...rows], '  ');
}
