/** A helper that transcripts are tried on: anything that answers requests. DAP §3. */
import type { Awaitable } from '@privacy-edge/bytes';
import type { AggregatorTask, HpkeConfig, HpkeKey, MessageName, RandomSource } from '@privacy-edge/dap';

/** What a helper is given before its first request. */
export interface HelperSetup {
  readonly task: AggregatorTask;
  readonly key: HpkeKey;
  /** The collector's. */
  readonly collectorConfig: HpkeConfig;
  /** The time that it is, for as long as the transcript is tried. */
  readonly now: Date;
  readonly random: RandomSource;
}

/** A request to the helper. */
export interface HelperRequest {
  readonly method: 'GET' | 'POST';
  /** Relative to the helper's endpoint. */
  readonly path: string;
  /** What is in the body; absent when there is none. */
  readonly message?: MessageName;
  readonly body: Uint8Array;
}

/** The helper's answer. */
export interface HelperResponse {
  readonly status: number;
  /** What is in the body, as its media type says. */
  readonly message: string | undefined;
  /** Where the created resource is, relative to the helper's endpoint. */
  readonly location: string | undefined;
  /** `type` of the problem document. */
  readonly problem: string | undefined;
  readonly body: Uint8Array;
}

/** A helper under test. */
export type Helper = (request: HelperRequest) => Awaitable<HelperResponse>;

/** Makes a helper for one task, does something with it, and ends it. */
export type WithHelper = (setup: HelperSetup, use: (helper: Helper) => Promise<void>) => Promise<void>;
