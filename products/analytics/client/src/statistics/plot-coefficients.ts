/** Regressions as SVG text: there are no single observations to draw, so coefficients are drawn with their intervals. */
import type { FittedRegression } from './linear-fit.ts';
import type { PlotOptions } from './plot-bars.ts';
import { axisOf, document, element, FONT_SIZE, formatNumber, textAt, textWidth } from './svg.ts';

/** A coefficient in deviations, so that features with different units stand on one axis. */
interface Effect {
  readonly name: string;
  readonly value: number;
  readonly range: readonly [low: number, high: number] | null;
}

const MARGIN = 12;
const ROW = 26;
const DOT = '#3b6ea8';
const GRID = '#ddd';
const ZERO = '#222';

/**
 * A chart of the features' coefficients: by how many of its standard deviations the target changes with one standard
 * deviation of the feature, all others unchanged. Features that were left out or do not vary are not drawn, nor is the
 * intercept.
 *
 * @returns an SVG image
 */
export function plotCoefficients(fit: FittedRegression, options: PlotOptions = {}): string {
  const explained = fit.rSquared === null ? '' : `, R\u00b2 ${formatNumber(Number(fit.rSquared.toFixed(4)))}`;
  const { title = `What explains ${fit.target}: ${fit.reports} reports${explained}`, width = 720 } = options;
  const effects = effectsOf(fit);
  const heading = textAt(MARGIN, MARGIN + FONT_SIZE, title, 'start', width - 2 * MARGIN);
  if (effects.length === 0) return document(width, 3 * ROW, title, heading);
  const labels = Math.min(width / 3, Math.max(...effects.map(({ name }) => textWidth(name))) + MARGIN);
  const left = MARGIN + labels;
  const top = 2 * MARGIN + FONT_SIZE;
  const bottom = top + effects.length * ROW;
  const axis = axisOf(
    effects.flatMap(({ value, range }) => range ?? [value]),
    left,
    width - 3 * MARGIN,
  );
  const vertical = (value: number, stroke: string): string =>
    element('line', { x1: axis.at(value), y1: top, x2: axis.at(value), y2: bottom, stroke });
  const grid = axis.ticks.flatMap(({ value, label }) => [
    vertical(value, value === 0 ? ZERO : GRID),
    textAt(axis.at(value), bottom + FONT_SIZE + 4, label, 'middle'),
  ]);
  const drawn = effects.flatMap(({ name, value, range }, i) => {
    const y = top + (i + 0.5) * ROW;
    const bar =
      range === null
        ? []
        : [
            element('line', {
              x1: axis.at(range[0]),
              y1: y,
              x2: axis.at(range[1]),
              y2: y,
              stroke: DOT,
              'stroke-width': 2,
            }),
          ];
    const label = textAt(left - 6, y + FONT_SIZE / 3, name, 'end', labels);
    return [label, ...bar, element('circle', { cx: axis.at(value), cy: y, r: 4, fill: DOT })];
  });
  return document(width, bottom + ROW + MARGIN, title, heading, ...grid, ...drawn);
}

function effectsOf(fit: FittedRegression): Effect[] {
  const deviations = new Map(fit.summary.variables.map(({ name, deviation }) => [name, deviation]));
  const target = deviations.get(fit.target);
  return fit.coefficients.slice(1).flatMap(({ name, estimate, interval }) => {
    const deviation = deviations.get(name);
    if (estimate === null || !deviation || !target) return [];
    const factor = deviation / target;
    const range = interval === null ? null : ([interval[0] * factor, interval[1] * factor] as const);
    return [{ name, value: estimate * factor, range }];
  });
}
