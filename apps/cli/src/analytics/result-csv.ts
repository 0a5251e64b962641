/** Results as CSV: one row for each number that has a name. */
import type { CommonString } from '@privacy-edge/analytics/statistics';
import { csvLine } from './csv.ts';
import type { AnyResult } from './result-table.ts';

type Cell = string | number | null;

/** A result as CSV with a header. */
export function resultCsv(result: AnyResult): string {
  return rowsOf(result).map(csvLine).join('');
}

function rowsOf(result: AnyResult): readonly (readonly Cell[])[] {
  switch (result.kind) {
    case 'count': {
      const { count, reports, share, noiseHalfWidth, standardError } = result;
      return [
        ['count', 'reports', 'share', 'noise_half_width', 'standard_error'],
        [count, reports, share, noiseHalfWidth, standardError],
      ];
    }
    case 'mean': {
      const { mean, sum, reports, standardErrorAtMost, noiseHalfWidth, interval } = result;
      return [
        ['mean', 'sum', 'reports', 'standard_error_at_most', 'noise_half_width', 'interval_low', 'interval_high'],
        [mean, sum, reports, standardErrorAtMost, noiseHalfWidth, ...endsOf(interval)],
      ];
    }
    case 'histogram':
      return [
        ['label', 'low', 'high', ...COUNTS],
        ...result.bars.map((bar) => [bar.label, ...endsOf(bar.range), ...countCells(bar)]),
      ];
    case 'flags':
      return [['flag', ...COUNTS], ...result.flags.map((flag) => [flag.name, ...countCells(flag)])];
    case 'common-strings':
      return stringRows(result.strings);
    case 'prefix-round':
      return stringRows(result.next.found);
    case 'linear-regression':
      return [
        ['name', 'estimate', 'standard_error', 'noise_error', 't', 'p', 'interval_low', 'interval_high', 'inflation'],
        ...(result.status === 'refused' ? [] : result.coefficients).map((item) => [
          item.name,
          item.estimate,
          item.standardError,
          item.noiseError,
          item.t,
          item.pValue,
          ...endsOf(item.interval),
          item.inflation,
        ]),
      ];
  }
}

const COUNTS = ['count', 'share', 'noise_half_width', 'standard_error'];

function countCells(counted: Pick<CommonString, 'count' | 'share' | 'noiseHalfWidth' | 'standardError'>): Cell[] {
  return [counted.count, counted.share, counted.noiseHalfWidth, counted.standardError];
}

function stringRows(strings: readonly CommonString[]): (readonly Cell[])[] {
  return [['text', ...COUNTS], ...strings.map((item) => [item.text, ...countCells(item)])];
}

function endsOf(range: readonly [number | null, number | null] | null | undefined): [number | null, number | null] {
  return range == null ? [null, null] : [range[0], range[1]];
}
