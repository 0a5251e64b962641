/** Counters of a task, and the same numbers for the observer. */
import { type ReportError, reportErrorName } from '@privacy-edge/dap';
import type { ObserveAggregator } from './observation.ts';
import type { Counters, ReportErrorName } from './store-rows.ts';

/** Counts what became of reports in one phase. */
export class Tally {
  readonly #phase: 'upload' | 'aggregation';
  readonly #errors = new Map<ReportErrorName, number>();
  /** Reports that were accepted. */
  accepted = 0;
  /** Reports that were there before. */
  duplicates = 0;

  /** @param phase - of the life of a report */
  constructor(phase: 'upload' | 'aggregation') {
    this.#phase = phase;
  }

  /** One that was not taken. */
  reject(error: ReportError): void {
    // The names of the registered errors and `other` are exactly the type.
    const name = reportErrorName(error) as ReportErrorName;
    this.#errors.set(name, (this.#errors.get(name) ?? 0) + 1);
  }

  /** For the store; rejections only, because acceptance is counted where it is decided. */
  rejections(): Counters {
    return Object.fromEntries([...this.#errors].map(([name, count]) => [`${this.#phase}_${name}`, count]));
  }

  /** Tells the observer. */
  report(observe: ObserveAggregator): void {
    const phase = this.#phase;
    if (this.accepted > 0) observe({ kind: 'reports', phase, result: 'accepted', count: this.accepted });
    if (this.duplicates > 0) observe({ kind: 'reports', phase, result: 'duplicate', count: this.duplicates });
    for (const [result, count] of this.#errors) observe({ kind: 'reports', phase, result, count });
  }
}
