/** The two shapes that workers have, and what is said to them. */
import type { HpkeConfig, ReportExtensions, VersionTag } from '@privacy-edge/dap';
import type { Measurement } from './measure.ts';

interface WebPort {
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: 'error' | 'messageerror', listener: (event: unknown) => void): void;
}

interface NodePort {
  on(type: 'message' | 'error' | 'messageerror' | 'exit', listener: (value: unknown) => void): unknown;
}

/** One end of a channel: what `onMessage` and `postMessage` need. */
export type PortLike = (WebPort | NodePort) & {
  postMessage(message: unknown, transfer?: readonly ArrayBuffer[]): void;
};

/** A `Worker` of the web, of Bun or Deno, or of `node:worker_threads`. */
export type WorkerLike = PortLike & {
  terminate(): unknown;
  /** Node: whether the worker keeps the process alive. */
  ref?(): unknown;
  unref?(): unknown;
};

/** Asks for reports. Secret: it holds measurements. */
export interface ReportsRequest {
  readonly id: number;
  readonly taskId: Uint8Array;
  readonly version: VersionTag;
  /** Encoded TaskConfiguration. */
  readonly configuration: Uint8Array;
  readonly leader: HpkeConfig;
  readonly helper: HpkeConfig;
  readonly orders: readonly ReportOrder[];
}

/** What one report is made of. */
export interface ReportOrder {
  readonly measurement: Measurement;
  /** Milliseconds since the epoch. */
  readonly timeMs: number;
  readonly extensions: ReportExtensions;
}

/** Encoded reports in the order of the request, or that it failed; why is found out by trying again in the other thread. */
export type ReportsReply =
  | { readonly id: number; readonly reports: readonly Uint8Array[] }
  | { readonly id: number; readonly failed: true };

/** Listens to what comes through a channel. */
export function onMessage(port: PortLike, listener: (message: unknown) => void): void {
  if ('on' in port) port.on('message', listener);
  else port.addEventListener('message', (event) => listener(event.data));
}

/** Listens to the end of a channel, but for the one that its owner brings about. */
export function onFailure(port: PortLike, listener: () => void): void {
  if ('on' in port) {
    for (const type of ['error', 'messageerror', 'exit'] as const) port.on(type, listener);
  } else {
    for (const type of ['error', 'messageerror'] as const) port.addEventListener(type, listener);
  }
}
