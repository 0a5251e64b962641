/**
 * What an aggregator lets an operator count. Every value comes from a small fixed set, so that no event can single out a
 * client or a report: there is no identifier, no time and no exact size in it. Counters of each task are in the store.
 */
import type { ProblemCode } from '@privacy-edge/dap';
import type { ReportErrorName } from './store-rows.ts';

/** What a request was about. */
export type ResourceName =
  | 'hpke_config'
  | 'reports'
  | 'aggregation_jobs'
  | 'collection_jobs'
  | 'aggregate_shares'
  | 'none';

/** What became of a request. */
export type RequestOutcome =
  | 'answered'
  /** The answer is to be asked for later. */
  | 'deferred'
  /** A CORS preflight was answered. */
  | 'preflight'
  /** Unknown task, or not allowed to ask: nobody can tell these apart. */
  | 'unauthorized'
  | 'not_found'
  | 'method'
  | 'media_type'
  | 'too_large'
  | 'timeout'
  | 'client_gone'
  /** A defect, or the store is out of reach. */
  | 'fault'
  | Lowercase<ProblemCode>;

/** Something that is done again and again, beside requests. */
export type StepName =
  | 'create_jobs'
  | 'drive_leader_job'
  | 'drive_helper_job'
  | 'drive_collection_job'
  | 'merge_buckets'
  | 'rotate_keys'
  | 'collect_garbage';

/** What became of one job, or one run, of a step. */
export type StepOutcome =
  /** It got on. */
  | 'progress'
  /** It is over, well. */
  | 'finished'
  /** It waits for something that will come. */
  | 'waiting'
  /** The helper did not answer, or said that it could not; to be tried again. */
  | 'peer_failed'
  /** It is over, not well. */
  | 'abandoned'
  /** Somebody else has taken it over. */
  | 'lost'
  /** A defect, or the store is out of reach. */
  | 'fault';

/** What happened. */
export type AggregatorEvent =
  | { readonly kind: 'request'; readonly resource: ResourceName; readonly outcome: RequestOutcome }
  | { readonly kind: 'step'; readonly step: StepName; readonly outcome: StepOutcome; readonly milliseconds: number }
  | {
      readonly kind: 'reports';
      readonly phase: 'upload' | 'aggregation';
      readonly result: 'accepted' | 'duplicate' | ReportErrorName;
      readonly count: number;
    };

/** Receives events; must not throw and must not block. */
export type ObserveAggregator = (event: AggregatorEvent) => void;
