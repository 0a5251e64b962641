/** Invariant: whatever is done, PostgreSQL answers like the model. */
import { after, before, test } from 'node:test';
import { Secret } from '@privacy-edge/bytes';
import { type PostgresServer, startPostgres } from '@privacy-edge/testing/postgres-server';
import fc from 'fast-check';
import { openPostgresStore } from '../src/index.ts';
import { compare, steps } from './model.ts';
import { fill } from './stores.ts';

const numRuns = Number(process.env['PRIVACY_EDGE_FUZZ_RUNS'] ?? 12);
let server: PostgresServer | undefined;

before(async () => {
  server = await startPostgres();
});
after(() => server?.stop());

for (const isChosen of [false, true]) {
  test(`PostgresStore answers like the model, ${isChosen ? 'leader-selected' : 'time-interval'}`, async (t) => {
    if (server === undefined) return t.skip('there is no PostgreSQL');
    const store = await openPostgresStore(
      await server.database(),
      isChosen ? { columnKeys: [new Secret(fill(1, 32))] } : {},
    );
    let task = 0;
    try {
      await fc.assert(
        fc.asyncProperty(steps, (list) => compare(store, list, ++task, isChosen)),
        { numRuns, endOnFailure: true },
      );
    } finally {
      await store.close();
    }
  });
}
