/** The module of a worker, as an application on Node writes it. */
import { parentPort } from 'node:worker_threads';
import { type PortLike, serveReports } from '../src/worker/index.ts';

serveReports(parentPort as PortLike);
