/** Invariant: whatever is done, SQLite answers like the model. */
import { test } from 'node:test';
import { Secret } from '@privacy-edge/bytes';
import fc from 'fast-check';
import { openSqliteStore } from '../src/index.ts';
import { compare, steps } from './model.ts';
import { fill } from './stores.ts';

const numRuns = Number(process.env['PRIVACY_EDGE_FUZZ_RUNS'] ?? 60);

for (const isChosen of [false, true]) {
  test(`SqliteStore answers like the model, ${isChosen ? 'leader-selected' : 'time-interval'}`, async () => {
    const store = await openSqliteStore(':memory:', isChosen ? { columnKeys: [new Secret(fill(1, 32))] } : {});
    let task = 0;
    try {
      await fc.assert(
        fc.asyncProperty(steps, (list) => compare(store, list, ++task, isChosen)),
        { numRuns },
      );
    } finally {
      await store.close();
    }
  });
}
