/** Results as text for terminals. */
import type { Statistic } from '@privacy-edge/analytics';
import type { Collected, CountResult, PrefixRoundResult, ResultOf } from '@privacy-edge/analytics/collector';
import {
  type CommonStringsResult,
  type FlagsResult,
  type HistogramResult,
  type MeanResult,
  quantilesOf,
} from '@privacy-edge/analytics/statistics';
import { printable } from '../output.ts';
import { columns } from '../table.ts';
import { regressionTable } from './regression-table.ts';
import { noiseWords, numberText, percentText, timeText } from './words.ts';

/** Any result. */
export type AnyResult = ResultOf<Statistic>;

/** What a table needs to know besides the result. */
export interface TableOptions {
  readonly title: string;
  readonly statistic: Statistic;
  /** Most strings, bars and flags that are listed. */
  readonly top: number;
  /** Columns of the terminal. */
  readonly width: number;
}

/** A result with what there is to know about it. */
export function resultTable(collected: Collected<AnyResult>, options: TableOptions): string {
  const { reports, interval, noise } = collected;
  const head = `${printable(options.title)}\n${reports} reports from ${timeText(interval.from)} to ${timeText(interval.to)}\n`;
  return `${head}\n${bodyOf(collected.result, options)}\n${noiseStatement(noise)}`;
}

function bodyOf(result: AnyResult, options: TableOptions): string {
  switch (result.kind) {
    case 'count':
      return countTable(result);
    case 'mean':
      return meanTable(result, options.statistic);
    case 'histogram':
      return histogramTable(result, options);
    case 'flags':
      return flagsTable(result, options);
    case 'common-strings':
      return stringsTable(result, options);
    case 'prefix-round':
      return roundTable(result, options);
    case 'linear-regression':
      return regressionTable(result);
  }
}

function noiseStatement(noise: Collected<AnyResult>['noise']): string {
  if (noise === null) return 'No noise: the numbers are those of exactly these reports.\n';
  const widest = noise.halfWidths.reduce((most, width) => Math.max(most, width), 0);
  const times =
    noise.collections === 1 ? '' : ` The batch was collected ${noise.collections} times, each at this price.`;
  return `Noise: ${noiseWords(noise)}. Each aggregator adds its own; both together move a count by up to ${numberText(widest, 3)} in 95 of 100 cases.${times}\n`;
}

function countTable({ count, reports, share, standardError, noiseHalfWidth }: CountResult): string {
  return columns([
    ['yes', `${numberText(count)} of ${reports}${withNoise(noiseHalfWidth)}`],
    ['share', `${percentText(share)}${standardError === null ? '' : `, standard error ${percentText(standardError)}`}`],
  ]);
}

function meanTable(result: MeanResult, statistic: Statistic): string {
  const unit = statistic.kind === 'mean' && statistic.unit !== undefined ? ` ${printable(statistic.unit)}` : '';
  const { interval } = result;
  const rows = [
    ['mean', `${numberText(result.mean)}${unit}${withNoise(result.noiseHalfWidth)}`],
    ['sum', `${numberText(result.sum, 12)}${unit}`],
    ['standard error', `${numberText(result.standardErrorAtMost, 4)}${unit} at most: a sum does not tell the spread`],
  ];
  if (interval !== null) {
    const [low, high] = interval.map((end) => numberText(end));
    rows.push(['95 % interval', `${low} to ${high}${unit}, for a larger population, noise included`]);
  }
  return columns(rows);
}

function histogramTable(result: HistogramResult, options: TableOptions): string {
  const isLine = result.bars.every((bar) => bar.range !== undefined);
  // A number line with a part missing is misread.
  const shown = isLine ? result.bars : result.bars.slice(0, options.top);
  const table = barTable(shown, options);
  const quantiles = isLine ? quantilesOf(result, [0.25, 0.5, 0.75]) : [];
  const words = quantiles.map(({ probability, value, range: [low, high] }) => {
    const name = probability === 0.5 ? 'median' : `${100 * probability} % below`;
    return [name, value === null ? `${numberText(low)} to ${numberText(high)}` : `about ${numberText(value, 4)}`];
  });
  return `${table}${words.length === 0 ? '' : `\n${columns(words)}`}${leftOut(result.bars.length - shown.length)}`;
}

function flagsTable({ flags }: FlagsResult, options: TableOptions): string {
  const shown = flags.slice(0, options.top);
  return (
    barTable(
      shown.map((flag) => ({ ...flag, label: flag.name })),
      options,
    ) + leftOut(flags.length - shown.length)
  );
}

/** Strings with counts and bars. */
export function stringsTable(
  { strings, other }: CommonStringsResult,
  options: Pick<TableOptions, 'top' | 'width'>,
): string {
  const shown = strings.slice(0, options.top);
  const bars = shown.map((item) => ({ ...item, label: `${item.text}${item.truncated ? '\u2026' : ''}` }));
  const table = shown.length === 0 ? 'No string is common enough.\n' : barTable(bars, options);
  const rest = other === null ? '' : `\nall others: ${numberText(other)}\n`;
  return `${table}${rest}${leftOut(strings.length - shown.length)}`;
}

function roundTable({ next }: PrefixRoundResult, options: TableOptions): string {
  const [done] = next.history;
  const rows = [
    ['buckets', numberText(done?.buckets ?? 0)],
    ['threshold', numberText(done?.threshold ?? 0, 4)],
    ['prefixes to follow', `${next.prefixes.length}${done?.cut ? `, ${done.cut} more were common enough` : ''}`],
  ];
  const found = next.found.slice(0, options.top).map((item) => ({ ...item, label: item.text }));
  return `${columns(rows)}${found.length === 0 ? '' : `\n${barTable(found, options)}`}`;
}

interface Bar {
  readonly label: string;
  readonly count: number;
  readonly share: number | null;
  readonly noiseHalfWidth: number;
}

const EIGHTHS = ['', '\u258f', '\u258e', '\u258d', '\u258c', '\u258b', '\u258a', '\u2589'];

/** Labels, counts and bars; a bar begins at zero, and what is below zero has none. */
function barTable(bars: readonly Bar[], { width }: Pick<TableOptions, 'width'>): string {
  const most = Math.max(0, ...bars.map((bar) => bar.count));
  const cells = bars.map((bar) => [
    printable(bar.label),
    `${numberText(bar.count)}${withNoise(bar.noiseHalfWidth)}`,
    percentText(bar.share),
  ]);
  const taken = [0, 1, 2].map((i) => Math.max(0, ...cells.map((row) => Array.from(row[i] ?? '').length)) + 2);
  const room = Math.max(10, width - taken.reduce((sum, cell) => sum + cell, 0));
  return columns(cells.map((row, i) => [...row, barText(bars[i]?.count ?? 0, most, room)]));
}

function barText(count: number, most: number, room: number): string {
  if (!(count > 0 && most > 0)) return '';
  const eighths = Math.round((8 * room * count) / most);
  return '\u2588'.repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? '');
}

function withNoise(halfWidth: number | null): string {
  return halfWidth === null || halfWidth === 0 ? '' : ` \u00b1 ${numberText(halfWidth, 3)}`;
}

function leftOut(count: number): string {
  return count > 0 ? `and ${count} more; raise --top, or take --format csv\n` : '';
}
