/** Bar charts with error bars, as SVG text. */
import type { CommonStringsResult } from './common-strings.ts';
import type { FlagsResult } from './flags.ts';
import type { HistogramResult } from './histogram.ts';
import { type Axis, axisOf, document, element, FONT_SIZE, textAt, textWidth } from './svg.ts';

/** One bar of a chart. */
interface Bar {
  readonly label: string;
  readonly value: number;
  /** Half of the error bar; 0 for none. */
  readonly error: number;
}

/** Size and words of a chart. */
export interface PlotOptions {
  /** Above the chart; also read out by screen readers. Default depends on the result. */
  readonly title?: string | undefined;
  /** Pixels, default 720. */
  readonly width?: number | undefined;
  /** Most bars that are drawn; default 40. A histogram on a number line draws all of its buckets. */
  readonly maxBars?: number | undefined;
}

const BAR = '#3b6ea8';
const GRID = '#ddd';
const ERROR = '#222';
const MARGIN = 12;
const ROW = 22;
const HEIGHT = 360;

/**
 * A chart of counts. Error bars are the 95 % intervals of the noise: without noise there are none, since counts are
 * exact. A histogram on a number line is drawn as columns, everything else as rows.
 *
 * @returns an SVG image; texts that clients reported are escaped
 */
export function plotCounts(
  result: HistogramResult | FlagsResult | CommonStringsResult,
  options: PlotOptions = {},
): string {
  const { title = `Counts of ${result.reports} reports`, width = 720, maxBars = 40 } = options;
  const bars = barsOf(result);
  const columns = result.kind === 'histogram' && result.bars.every((bar) => bar.range !== undefined);
  if (bars.length === 0) return document(width, 3 * ROW, title, textAt(MARGIN, ROW, title, 'start', width));
  return columns ? columnChart(bars, title, width) : rowChart(bars.slice(0, maxBars), title, width);
}

function barsOf(result: HistogramResult | FlagsResult | CommonStringsResult): Bar[] {
  if (result.kind === 'histogram') {
    return result.bars.map(({ label, count, noiseHalfWidth }) => ({ label, value: count, error: noiseHalfWidth }));
  }
  if (result.kind === 'flags') {
    return result.flags.map(({ name, count, noiseHalfWidth }) => ({
      label: name,
      value: count,
      error: noiseHalfWidth,
    }));
  }
  return result.strings.map(({ text, count, noiseHalfWidth, truncated }) => ({
    label: truncated ? `${text}\u2026` : text,
    value: count,
    error: noiseHalfWidth,
  }));
}

function rowChart(bars: readonly Bar[], title: string, width: number): string {
  const labels = Math.min(width / 3, Math.max(...bars.map((bar) => textWidth(bar.label))) + MARGIN);
  const left = MARGIN + labels;
  const top = MARGIN + ROW;
  const bottom = top + bars.length * ROW;
  const axis = valueAxis(bars, left, width - 3 * MARGIN);
  const grid = axis.ticks.flatMap(({ value, label }) => [
    line(axis.at(value), top, axis.at(value), bottom, GRID),
    textAt(axis.at(value), bottom + FONT_SIZE + 4, label, 'middle'),
  ]);
  const drawn = bars.flatMap(({ label, value, error }, i) => {
    const y = top + i * ROW;
    const [from, to] = [axis.at(Math.min(0, value)), axis.at(Math.max(0, value))];
    const middle = y + ROW / 2;
    return [
      textAt(left - 6, middle + FONT_SIZE / 3, label, 'end', labels),
      element('rect', { x: from, y: y + 3, width: to - from, height: ROW - 6, fill: BAR }),
      ...(error > 0 ? [line(axis.at(value - error), middle, axis.at(value + error), middle, ERROR)] : []),
    ];
  });
  const zero = line(axis.at(0), top, axis.at(0), bottom, ERROR);
  return document(width, bottom + ROW + MARGIN, title, heading(title, width), ...grid, ...drawn, zero);
}

function columnChart(bars: readonly Bar[], title: string, width: number): string {
  const top = MARGIN + ROW;
  const bottom = HEIGHT - 2 * ROW;
  const axis = valueAxis(bars, bottom, top);
  const left = MARGIN + Math.max(...axis.ticks.map((tick) => textWidth(tick.label))) + 6;
  const step = (width - left - MARGIN) / bars.length;
  const grid = axis.ticks.flatMap(({ value, label }) => [
    line(left, axis.at(value), width - MARGIN, axis.at(value), GRID),
    textAt(left - 6, axis.at(value) + FONT_SIZE / 3, label, 'end'),
  ]);
  // Labels that would overlap are left out, evenly.
  const every = Math.ceil(Math.max(...bars.map((bar) => textWidth(bar.label) + MARGIN)) / step);
  const drawn = bars.flatMap(({ label, value, error }, i) => {
    const x = left + i * step;
    const [high, low] = [axis.at(Math.max(0, value)), axis.at(Math.min(0, value))];
    const middle = x + step / 2;
    return [
      element('rect', { x: x + step * 0.05, y: high, width: step * 0.9, height: low - high, fill: BAR }),
      ...(error > 0 ? [line(middle, axis.at(value - error), middle, axis.at(value + error), ERROR)] : []),
      ...(i % every === 0 ? [textAt(middle, bottom + FONT_SIZE + 6, label, 'middle')] : []),
    ];
  });
  const zero = line(left, axis.at(0), width - MARGIN, axis.at(0), ERROR);
  return document(width, HEIGHT, title, heading(title, width), ...grid, ...drawn, zero);
}

function valueAxis(bars: readonly Bar[], from: number, to: number): Axis {
  return axisOf(
    bars.flatMap(({ value, error }) => [value - error, value + error]),
    from,
    to,
  );
}

function heading(title: string, width: number): string {
  return textAt(MARGIN, MARGIN + FONT_SIZE, title, 'start', width - 2 * MARGIN);
}

function line(x1: number, y1: number, x2: number, y2: number, stroke: string): string {
  return element('line', { x1, y1, x2, y2, stroke });
}
