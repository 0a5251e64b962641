/**
 * Metrics with closed label sets: every label and every value it can take is written where the metric is declared, so a
 * label can hold neither an address nor anything else a peer chose. Counting is an addition on a plain field; prom-client
 * formats, merges and adds the process metrics.
 */
import {
  AggregatorRegistry,
  collectDefaultMetrics,
  type Metric,
  type MetricObjectWithValues,
  type MetricValue,
  Registry,
} from 'prom-client';
import { RuntimeError } from './error.ts';

/** Labels and the values each may take. */
export type LabelSets = Readonly<Record<string, readonly string[]>>;

/** One value for every label. */
export type LabelsOf<Labels extends LabelSets> = { readonly [Name in keyof Labels]: Labels[Name][number] };

/** A number that only grows. */
export interface CounterCell {
  add(count?: number): void;
}

/** A number that goes up and down. */
export interface GaugeCell {
  set(value: number): void;
}

/** Counts observations by size. */
export interface HistogramCell {
  observe(value: number): void;
}

/** A family of cells, one for each combination of labels; look the cell up once and keep it. */
export interface Family<Labels extends LabelSets, Cell> {
  /** @throws RuntimeError `METRIC_INVALID` for a value outside of the declared set */
  at(labels: LabelsOf<Labels>): Cell;
}

/** What every metric declares. `help` is one line. */
export interface MetricDeclaration<Labels extends LabelSets> {
  /** Prometheus name, with unit: `gateway_requests_total`, `relay_bytes_total`. */
  readonly name: string;
  readonly help: string;
  readonly labels: Labels;
}

/** Values of all metrics of one thread, for another thread to merge. */
export type MetricsSnapshot = readonly MetricObjectWithValues<MetricValue<string>>[];

/** The metrics of one thread. */
export interface Metrics {
  counter<const Labels extends LabelSets>(declaration: MetricDeclaration<Labels>): Family<Labels, CounterCell>;
  gauge<const Labels extends LabelSets>(declaration: MetricDeclaration<Labels>): Family<Labels, GaugeCell>;
  /** Reads a value when metrics are collected. */
  observedGauge(name: string, help: string, read: () => number): void;
  /** @param buckets - upper bounds, ascending, without infinity */
  histogram<const Labels extends LabelSets>(
    declaration: MetricDeclaration<Labels>,
    buckets: readonly number[],
  ): Family<Labels, HistogramCell>;
  /** All values, structured-cloneable. */
  snapshot(): Promise<MetricsSnapshot>;
  /** Prometheus text; with snapshots of other threads added in, counters summed. */
  text(others?: readonly MetricsSnapshot[]): Promise<string>;
  /** Value of the Content-Type field for {@link Metrics.text}. */
  readonly contentType: string;
}

/** How to start. */
export interface MetricsOptions {
  /** Process metrics (CPU, memory, event loop); once a process, so false in worker threads. Default true. */
  readonly processMetrics?: boolean;
}

/** Makes an empty set of metrics. */
export function createMetrics(options: MetricsOptions = {}): Metrics {
  const registry = new Registry();
  if (options.processMetrics ?? true) collectDefaultMetrics({ register: registry });
  const register = (name: string, help: string, type: string, values: () => MetricValue<string>[]): void => {
    if (!/^[a-z][a-z0-9_]*$/.test(name) || registry.getSingleMetric(name) !== undefined) {
      throw new RuntimeError('METRIC_INVALID', `Cannot declare metric ${name}: bad name, or declared already`);
    }
    const get = (): Promise<unknown> => Promise.resolve({ name, help, type, aggregator: 'sum', values: values() });
    registry.registerMetric({ name, help, type, get, reset: () => undefined } as unknown as Metric);
  };
  const snapshot = async (): Promise<MetricsSnapshot> => registry.getMetricsAsJSON();

  return {
    contentType: Registry.PROMETHEUS_CONTENT_TYPE,
    counter: ({ name, help, labels }) => {
      const cells = cellsOf(name, labels, () => new NumberCell());
      register(name, help, 'counter', () => cells.all.map(([where, cell]) => ({ labels: where, value: cell.value })));
      return cells;
    },
    gauge: ({ name, help, labels }) => {
      const cells = cellsOf(name, labels, () => new NumberCell());
      register(name, help, 'gauge', () => cells.all.map(([where, cell]) => ({ labels: where, value: cell.value })));
      return cells;
    },
    observedGauge: (name, help, read) => {
      register(name, help, 'gauge', () => [{ labels: {}, value: read() }]);
    },
    histogram: ({ name, help, labels }, buckets) => {
      const cells = cellsOf(name, labels, () => new BucketCell(buckets));
      register(name, help, 'histogram', () => cells.all.flatMap(([where, cell]) => cell.values(name, where)));
      return cells;
    },
    snapshot,
    text: async (others = []) => {
      if (others.length === 0) return registry.metrics();
      const all = [await snapshot(), ...others] as Parameters<typeof AggregatorRegistry.aggregate>[0];
      return AggregatorRegistry.aggregate(all).metrics();
    },
  };
}

class NumberCell implements CounterCell, GaugeCell {
  value = 0;
  add(count = 1): void {
    this.value += count;
  }
  set(value: number): void {
    this.value = value;
  }
}

class BucketCell implements HistogramCell {
  readonly #bounds: readonly number[];
  readonly #counts: Float64Array;
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    let at = 0;
    while (at < this.#bounds.length && value > (this.#bounds[at] ?? 0)) at++;
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#sum += value;
  }

  values(name: string, labels: Record<string, string>): (MetricValue<string> & { metricName: string })[] {
    let total = 0;
    const values = [...this.#counts].map((count, at) => {
      total += count;
      return {
        metricName: `${name}_bucket`,
        labels: { le: String(this.#bounds[at] ?? '+Inf'), ...labels },
        value: total,
      };
    });
    return [
      ...values,
      { metricName: `${name}_sum`, labels, value: this.#sum },
      { metricName: `${name}_count`, labels, value: total },
    ];
  }
}

interface Cells<Labels extends LabelSets, Cell> extends Family<Labels, Cell> {
  readonly all: readonly (readonly [Record<string, string>, Cell])[];
}

/** All combinations exist from the start, so a rate can be computed from the first event on. */
function cellsOf<Labels extends LabelSets, Cell>(name: string, labels: Labels, make: () => Cell): Cells<Labels, Cell> {
  let combinations: Record<string, string>[] = [{}];
  for (const [label, values] of Object.entries(labels)) {
    combinations = combinations.flatMap((before) => values.map((value) => ({ ...before, [label]: value })));
  }
  if (combinations.length > 512)
    throw new RuntimeError('METRIC_INVALID', `Cannot declare metric ${name}: too many labels`);
  const names = Object.keys(labels);
  const all = combinations.map((where) => [where, make()] as const);
  const find = finder(names, all);
  return {
    all,
    at: (where) => {
      const cell = find(where);
      if (cell === undefined) throw new RuntimeError('METRIC_INVALID', `Metric ${name} has no such label value`);
      return cell;
    },
  };
}

/** One map for each label, inside each other: no string is built to count an event. */
function finder<Cell>(
  names: readonly string[],
  all: readonly (readonly [Record<string, string>, Cell])[],
): (where: Readonly<Record<string, string>>) => Cell | undefined {
  const [name, ...rest] = names;
  if (name === undefined) return () => all[0]?.[1];
  const branches = new Map(
    [...Map.groupBy(all, ([where]) => where[name])].map(([value, some]) => [value, finder(rest, some)]),
  );
  return (where) => branches.get(where[name])?.(where);
}
