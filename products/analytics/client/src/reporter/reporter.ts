/** The client: from a person's value to an accepted report. DAP §4.4. */
import {
  DapError,
  type Extension,
  intervalEnd,
  REPORT_ERROR,
  REPORT_EXTENSION_ADMISSION,
  type ReportError,
  type ReportExtensions,
  reportErrorName,
  type Task,
  taskTime,
} from '@privacy-edge/dap';
import { AnalyticsError } from '../analytics-error.ts';
import { race } from '../race.ts';
import { invalidTask } from '../task/fields.ts';
import type { PrivateTask } from '../task/private-task.ts';
import type { Statistic, ValueOf } from '../task/statistic.ts';
import { KeyStore } from './key-store.ts';
import { type Measure, type Measurement, prepareMeasure } from './measure.ts';
import { type Admission, type ReporterOptions, type ReporterSettings, reporterSettings } from './options.ts';
import { type MadeReport, ReportPress, type SealingKeys } from './report-press.ts';
import { upload } from './upload.ts';
import type { ReportOrder } from './worker-like.ts';

/** Options of one report, or of many. */
export interface ReportOptions {
  /** When it was measured, where that was not now; only its multiple of the task's time precision is told. */
  readonly time?: Date | undefined;
  /** Ends the call; whether the report was taken is not known then. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of many reports. */
export interface ReportManyOptions extends ReportOptions {
  /** Called after each upload, with how many values are done; must not throw. */
  readonly onProgress?: ((done: number) => void) | undefined;
}

/** A value whose report the leader refused. */
export interface RefusedValue {
  /** Which value, from 0. */
  readonly index: number;
  /** A name of DAP §4.1 in lower case, such as `report_too_early`; `other` for one that is not registered. */
  readonly reportError: string;
}

/** What became of many values. */
export interface ReportManyResult {
  readonly accepted: number;
  readonly refused: readonly RefusedValue[];
}

/** Reports values for one task. */
export interface Reporter<S extends Statistic> {
  /**
   * Reports one value. Resolves when the leader has accepted the report.
   *
   * @throws {@link AnalyticsError} all codes but those of collectors; the reason of an aborted signal
   */
  report(value: ValueOf<S>, options?: ReportOptions): Promise<void>;
  /**
   * Reports values of many people, for instance from a file: several reports in one upload, which tells the leader that
   * they come from one place.
   *
   * All values are mapped before anything is sent, so one that cannot be measured keeps all from being reported. After
   * another failure, values up to the last `onProgress` are reported, and those after it may be.
   *
   * @throws {@link AnalyticsError} all codes but `REPORT_REFUSED` and those of collectors, with `index` where a value is
   *   at fault
   */
  reportMany(values: readonly ValueOf<S>[], options?: ReportManyOptions): Promise<ReportManyResult>;
  /** Forgets the keys of the aggregators. */
  invalidateKeys(): void;
  /** Ends the worker, if there is one. The reporter can be used again. */
  close(): void;
}

/**
 * Makes a reporter. Its requests are GET `hpke_config` of leader and helper, when keys are not known or stale, and POST of
 * reports to the leader; all of them go through `fetch`, without credentials and referrer.
 *
 * A report that the leader answers with `outdated_config` is made anew once, with newer keys. Lost answers and overloaded
 * servers lead to the same bytes being sent again, which counts once.
 *
 * @param task - from `parseTask`
 *
 * @example
 * const reporter = createReporter(taskOf(await parseTask(document), 'mean'));
 * await reporter.report(12.5);
 */
export function createReporter<S extends Statistic>(task: PrivateTask<S>, options: ReporterOptions = {}): Reporter<S> {
  return new TaskReporter(task, reporterSettings(options));
}

/** What became of one upload. */
interface Sent {
  /** For each report what is wrong with it, or undefined when the leader has it. */
  readonly errors: readonly (ReportError | undefined)[];
  /** The longest report. */
  readonly reportBytes: number;
}

class TaskReporter<S extends Statistic> implements Reporter<S> {
  readonly #task: Task;
  readonly #settings: ReporterSettings;
  readonly #measure: Measure<S>;
  readonly #keys: readonly [leader: KeyStore, helper: KeyStore];
  readonly #press: ReportPress;

  constructor({ task, statistic }: PrivateTask<S>, settings: ReporterSettings) {
    const { leaderAggregatorEndpoint, helperAggregatorEndpoint } = task.configuration;
    this.#task = task;
    this.#settings = settings;
    this.#measure = prepareMeasure(statistic);
    this.#keys = [
      new KeyStore('leader', leaderAggregatorEndpoint, settings),
      new KeyStore('helper', helperAggregatorEndpoint, settings),
    ];
    this.#press = new ReportPress(task, settings);
  }

  async report(value: ValueOf<S>, options: ReportOptions = {}): Promise<void> {
    const measurement = this.#measure(value);
    const { errors } = await this.#send([measurement], this.#timeOf(options), options.signal);
    const [error] = errors;
    if (error !== undefined) throw refused(error);
  }

  async reportMany(values: readonly ValueOf<S>[], options: ReportManyOptions = {}): Promise<ReportManyResult> {
    const measurements = values.map((value, index) => this.#measureAt(value, index));
    const timeMs = this.#timeOf(options);
    const errors: (ReportError | undefined)[] = [];
    let atOnce = 1;
    while (errors.length < measurements.length) {
      const next = measurements.slice(errors.length, errors.length + atOnce);
      const sent = await this.#send(next, timeMs, options.signal);
      errors.push(...sent.errors);
      options.onProgress?.(errors.length);
      // All reports of a task have the same length, but for what admits them.
      atOnce = Math.max(1, Math.floor(this.#settings.maxUploadBytes / sent.reportBytes));
    }
    const refusals = errors.flatMap((error, index) =>
      error === undefined ? [] : [{ index, reportError: reportErrorName(error) }],
    );
    return { accepted: errors.length - refusals.length, refused: refusals };
  }

  invalidateKeys(): void {
    for (const store of this.#keys) store.invalidate();
  }

  close(): void {
    this.#press.close();
  }

  #measureAt(value: ValueOf<S>, index: number): Measurement {
    try {
      return this.#measure(value);
    } catch (error) {
      if (!(error instanceof AnalyticsError)) throw error;
      throw new AnalyticsError(error.code, error.message, { index });
    }
  }

  /** DAP §4.2.3: outside of its interval a task takes no reports, so none is made. */
  #timeOf({ time }: ReportOptions): number {
    const date = time ?? new Date(this.#settings.network.now());
    const { taskInterval } = this.#task.extensions;
    if (taskInterval !== undefined) {
      const units = taskTime(this.#task, date);
      if (units < taskInterval.start) throw refused(REPORT_ERROR.TASK_NOT_STARTED);
      if (units >= intervalEnd(taskInterval)) throw refused(REPORT_ERROR.TASK_EXPIRED);
    }
    return date.getTime();
  }

  /** Uploads, and once more with fresh reports for those that were sealed to outdated keys. DAP §4.4.2.2. */
  async #send(measurements: readonly Measurement[], timeMs: number, signal: AbortSignal | undefined): Promise<Sent> {
    signal?.throwIfAborted();
    const { network, onEvent } = this.#settings;
    const keys = await this.#currentKeys(signal);
    const reports = await untilAborted(this.#make(keys, measurements, timeMs), signal);
    const reportBytes = Math.max(...reports.map(({ encoded }) => encoded.length));
    const errors = await upload(network, this.#task, reports, signal);
    const outdated = [...errors.keys()].filter((i) => errors[i] === REPORT_ERROR.OUTDATED_CONFIG);
    if (outdated.length === 0) return { errors, reportBytes };
    // Which of the two aggregators has new keys is not told.
    this.#keys[0].invalidate(keys.leader);
    this.#keys[1].invalidate(keys.helper);
    onEvent({ type: 'outdated', reports: outdated.length });
    const again = outdated.flatMap((i) => measurements.slice(i, i + 1));
    const newer = await this.#currentKeys(signal);
    const fresh = await untilAborted(this.#make(newer, again, timeMs), signal);
    const retried = await upload(network, this.#task, fresh, signal);
    for (const [at, i] of outdated.entries()) errors[i] = retried[at];
    return { errors, reportBytes };
  }

  async #currentKeys(signal: AbortSignal | undefined): Promise<SealingKeys> {
    const work = Promise.all([this.#keys[0].get(), this.#keys[1].get()]);
    const [leader, helper] = await untilAborted(work, signal);
    return { leader, helper };
  }

  async #make(keys: SealingKeys, measurements: readonly Measurement[], timeMs: number): Promise<MadeReport[]> {
    const orders: ReportOrder[] = [];
    for (const measurement of measurements) {
      orders.push({ measurement, timeMs, extensions: extensionsOf(await this.#settings.admission?.()) });
    }
    try {
      return await this.#press.make(keys, orders);
    } catch (cause) {
      if (!(cause instanceof DapError)) throw cause;
      if (cause.code === 'TASK_UNSUPPORTED') throw invalidTask('configuration', 'is not supported', cause);
      throw new AnalyticsError('KEYS_UNUSABLE', 'Cannot use keys of the aggregators: one is no public key', { cause });
    }
  }
}

function extensionsOf(admission: Admission | undefined): ReportExtensions {
  const list = (extensionData: Uint8Array | undefined): Extension[] =>
    extensionData === undefined ? [] : [{ extensionType: REPORT_EXTENSION_ADMISSION, extensionData }];
  if (admission === undefined) return {};
  if ('public' in admission) return { public: list(admission.public) };
  return { leader: list(admission.leader), helper: list(admission.helper) };
}

function refused(error: ReportError): AnalyticsError {
  const reportError = reportErrorName(error);
  return new AnalyticsError('REPORT_REFUSED', `Cannot report value: the report is refused as ${reportError}`, {
    reportError,
  });
}

/** Waits no longer than the caller wants. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  return signal === undefined ? work : race(work, signal);
}
