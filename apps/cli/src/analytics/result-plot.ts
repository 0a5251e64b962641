/** Results as SVG images. */
import type { StatisticKind } from '@privacy-edge/analytics';
import { plotCoefficients, plotCounts } from '@privacy-edge/analytics/statistics';
import { CliError } from '../cli-error.ts';
import type { AnyResult } from './result-table.ts';

/** Single numbers are no picture. */
const WITHOUT_PLOT: readonly StatisticKind[] = ['count', 'mean', 'prefix-round'];

/**
 * Refuses to plot what cannot be plotted, before anything is collected for it.
 *
 * @throws {@link CliError} `USAGE`
 */
export function requirePlot(kind: StatisticKind): void {
  if (!WITHOUT_PLOT.includes(kind)) return;
  const fix = 'take --format table, csv or json';
  throw new CliError('USAGE', { what: `Cannot draw a ${kind}`, why: 'there is one number only', fix });
}

/**
 * A result as an SVG image.
 *
 * @param title - above the chart
 * @throws {@link CliError} `FAILED` for a regression without a fit
 */
export function resultPlot(result: AnyResult, title: string): string {
  switch (result.kind) {
    case 'histogram':
    case 'flags':
    case 'common-strings':
      return plotCounts(result, { title: `${title}: ${result.reports} reports` });
    case 'linear-regression':
      if (result.status === 'fitted') return plotCoefficients(result);
      throw new CliError('FAILED', { what: 'Cannot draw the regression', why: `there is no fit: ${result.reason}` });
    case 'count':
    case 'mean':
    case 'prefix-round':
      throw new TypeError('What cannot be plotted is refused before it is collected');
  }
}
