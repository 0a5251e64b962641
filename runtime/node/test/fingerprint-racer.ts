/** A thread of the race in fingerprint-table.test.ts. */
import { parentPort, workerData } from 'node:worker_threads';
import { attachFingerprintTable, type FingerprintTableHandle } from '../src/index.ts';

const { handle, shared, values, wins, perRound } = workerData as {
  handle: FingerprintTableHandle;
  shared: SharedArrayBuffer;
  values: SharedArrayBuffer;
  wins: SharedArrayBuffer;
  perRound: number;
};
const time = new Int32Array(shared);
const all = new Uint8Array(values);
const won = new Int32Array(wins);
// Every look at the clock moves it, so that generations turn in the middle of the race.
const table = attachFingerprintTable(handle, () => Atomics.add(time, 0, 40));

parentPort?.on('message', (round: number) => {
  for (let index = 0; index < perRound; index++) {
    const value = all.slice(32 * index, 32 * index + 32);
    if (table.add(value) === 'fresh') Atomics.add(won, index, 1);
  }
  parentPort?.postMessage(round);
});
parentPort?.postMessage('ready');
