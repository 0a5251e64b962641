/** Counts what aggregators tell of themselves; every label has a closed set of values. */
import type {
  ObserveAggregator,
  ReportErrorName,
  RequestOutcome,
  ResourceName,
  StepName,
  StepOutcome,
} from '@privacy-edge/analytics-roles';
import type { CounterCell, HistogramCell, Metrics } from '@privacy-edge/node';

const RESOURCES = [
  'hpke_config',
  'reports',
  'aggregation_jobs',
  'collection_jobs',
  'aggregate_shares',
  'none',
] as const satisfies readonly ResourceName[];

const OUTCOMES = [
  'answered',
  'deferred',
  'preflight',
  'unauthorized',
  'not_found',
  'method',
  'media_type',
  'too_large',
  'timeout',
  'client_gone',
  'fault',
  'invalid_message',
  'unrecognized_task',
  'unrecognized_aggregation_job',
  'batch_invalid',
  'invalid_batch_size',
  'invalid_aggregation_parameter',
  'batch_mismatch',
  'step_mismatch',
  'batch_overlap',
  'unsupported_extension',
  'invalid_extension',
  'invalid_task',
] as const satisfies readonly RequestOutcome[];

const STEPS = [
  'create_jobs',
  'drive_leader_job',
  'drive_helper_job',
  'drive_collection_job',
  'merge_buckets',
  'rotate_keys',
  'collect_garbage',
] as const satisfies readonly StepName[];

const STEP_OUTCOMES = [
  'progress',
  'finished',
  'waiting',
  'peer_failed',
  'abandoned',
  'lost',
  'fault',
] as const satisfies readonly StepOutcome[];

const RESULTS = [
  'accepted',
  'duplicate',
  'batch_collected',
  'report_replayed',
  'report_dropped',
  'hpke_unknown_config_id',
  'hpke_decrypt_error',
  'vdaf_verify_error',
  'task_expired',
  'invalid_message',
  'report_too_early',
  'task_not_started',
  'outdated_config',
  'other',
] as const satisfies readonly ('accepted' | 'duplicate' | ReportErrorName)[];

const PHASES = ['upload', 'aggregation'] as const;

/** Fails to compile when the roles get a value that is not counted. */
interface Uncounted {
  readonly resource: Exclude<ResourceName, (typeof RESOURCES)[number]>;
  readonly outcome: Exclude<RequestOutcome, (typeof OUTCOMES)[number]>;
  readonly step: Exclude<StepName, (typeof STEPS)[number]>;
  readonly stepOutcome: Exclude<StepOutcome, (typeof STEP_OUTCOMES)[number]>;
  readonly result: Exclude<'accepted' | 'duplicate' | ReportErrorName, (typeof RESULTS)[number]>;
}
const complete: Uncounted[keyof Uncounted] extends never ? true : Uncounted = true;
void complete;

const STEP_SECONDS = [0.001, 0.005, 0.025, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60];

/**
 * Declares the metrics of an aggregator.
 *
 * @param inFlight - requests to helpers under way
 */
export function aggregatorMetrics(metrics: Metrics, inFlight: (() => number) | undefined): ObserveAggregator {
  const requests = metrics.counter({
    name: 'analytics_requests_total',
    help: 'Requests by resource and outcome',
    labels: { resource: RESOURCES, outcome: OUTCOMES },
  });
  const steps = metrics.counter({
    name: 'analytics_steps_total',
    help: 'Jobs and runs of what is done beside requests',
    labels: { step: STEPS, outcome: STEP_OUTCOMES },
  });
  const seconds = metrics.histogram(
    { name: 'analytics_step_seconds', help: 'Time that one of them took', labels: { step: STEPS } },
    STEP_SECONDS,
  );
  const reports = metrics.counter({
    name: 'analytics_reports_total',
    help: 'Reports by phase of their life, and what became of them there',
    labels: { phase: PHASES, result: RESULTS },
  });
  if (inFlight !== undefined)
    metrics.observedGauge('analytics_helper_requests_in_flight', 'Requests to helpers under way', inFlight);
  const cells = new Map<string, CounterCell | HistogramCell>();
  const keep = <Cell extends CounterCell | HistogramCell>(key: string, find: () => Cell): Cell => {
    const known = cells.get(key) ?? find();
    cells.set(key, known);
    return known as Cell;
  };
  return (event) => {
    if (event.kind === 'request') {
      const { resource, outcome } = event;
      keep(`request ${resource} ${outcome}`, () => requests.at({ resource, outcome })).add();
    } else if (event.kind === 'reports') {
      const { phase, result, count } = event;
      keep(`reports ${phase} ${result}`, () => reports.at({ phase, result })).add(count);
    } else {
      const { step, outcome, milliseconds } = event;
      keep(`step ${step} ${outcome}`, () => steps.at({ step, outcome })).add();
      keep(`seconds ${step}`, () => seconds.at({ step })).observe(milliseconds / 1000);
    }
  };
}
