/**
 * The module of a worker in which a reporter makes large reports.
 *
 * In a browser, Bun and Deno it serves by itself: give its URL to `new Worker`. On Node write a file that calls
 * `serveReports(parentPort)`.
 */
import { serveReports } from './serve-reports.ts';

export type { PortLike } from '../reporter/worker-like.ts';
export { serveReports } from './serve-reports.ts';

declare const DedicatedWorkerGlobalScope: (new () => object) | undefined;

if (typeof DedicatedWorkerGlobalScope === 'function' && globalThis instanceof DedicatedWorkerGlobalScope) {
  serveReports(globalThis as never);
}
