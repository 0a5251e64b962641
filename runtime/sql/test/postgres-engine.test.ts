import assert from 'node:assert/strict';
import { after, before, type TestContext, test } from 'node:test';
import { type PostgresServer, startPostgres } from '@privacy-edge/testing/postgres-server';
import { openPostgresStore, SqlError, type SqlErrorCode } from '../src/index.ts';
import { type Operation, query } from '../src/operation.ts';
import { openPostgresEngine } from '../src/postgres-engine.ts';
import { MIGRATIONS } from '../src/schema.ts';
import { id, newReport, taskRow } from './stores.ts';

const { taskId } = taskRow(1).task;
let server: PostgresServer | undefined;
before(async () => {
  server = await startPostgres();
});
after(() => server?.stop());

function onServer(title: string, run: (server: PostgresServer, t: TestContext) => Promise<void>): void {
  test(title, async (t) => {
    if (server === undefined) t.skip('there is no PostgreSQL');
    else await run(server, t);
  });
}

function withCode(code: SqlErrorCode): (error: unknown) => boolean {
  return (error) => error instanceof SqlError && error.code === code;
}

onServer('openPostgresStore() migrates an empty database once, whoever comes first', async (pg) => {
  const url = await pg.database();
  const stores = await Promise.all([1, 2, 3, 4].map(() => openPostgresStore(url)));
  const versions = MIGRATIONS.map((_, at) => ({ version: `${at + 1}` }));
  assert.deepEqual(await pg.query(url, 'SELECT version FROM schema_version ORDER BY version'), versions);
  await stores[0]!.putTask(taskRow(1));
  assert.deepEqual(await stores[3]!.readTask(taskId), taskRow(1));
  await Promise.all(stores.map((store) => store.close()));
  await assert.rejects(stores[0]!.readTask(taskId), withCode('CLOSED'));
});

onServer('openPostgresStore() refuses a newer schema, and a database that forgets', async (pg) => {
  const newer = await pg.database();
  await (await openPostgresStore(newer)).close();
  await pg.query(newer, 'INSERT INTO schema_version (version) VALUES (99)');
  await assert.rejects(openPostgresStore(newer), withCode('SCHEMA'));
  const forgetful = await pg.database();
  const name = new URL(forgetful.replace('@/', '@host/')).pathname.slice(1);
  await pg.query(forgetful, `ALTER DATABASE ${name} SET synchronous_commit = off`);
  await assert.rejects(openPostgresStore(forgetful), withCode('SCHEMA'));
});

onServer('openPostgresStore() says READONLY, UNAVAILABLE, and nothing of the password', async (pg) => {
  const url = await pg.database();
  const name = new URL(url.replace('@/', '@host/')).pathname.slice(1);
  const store = await openPostgresStore(url);
  await store.putTask(taskRow(1));
  await store.close();
  await pg.query(url, `ALTER DATABASE ${name} SET default_transaction_read_only = on`);
  const readOnly = await openPostgresStore(url).catch((error: unknown) => error);
  assert.ok(withCode('READONLY')(readOnly));
  await assert.rejects(openPostgresStore(url.replace(name, 'absent')), withCode('UNAVAILABLE'));
  const nowhere = openPostgresStore('postgres://user:hunter2@127.0.0.1:1/x', { connectTimeoutMs: 500 });
  await assert.rejects(nowhere, (error) => withCode('UNAVAILABLE')(error) && !String(error).includes('hunter2'));
});

const CONFLICT = "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = 'serialization_failure'; END $$";

onServer('PostgresEngine.call() repeats what conflicted, a bounded number of times, and nothing else', async (pg) => {
  let conflicts = 0;
  let runs = 0;
  function* work(): Operation<number> {
    runs += 1;
    yield* query("INSERT INTO task_counters (task_key, name, shard, value) VALUES (1, 'x', :runs, 1)", { runs });
    if (conflicts-- > 0) yield* query(CONFLICT);
    return runs;
  }
  function* fault(): Operation<void> {
    runs += 1;
    yield* query('SELECT absent FROM tasks');
  }
  const operations = { work, fault };
  const url = await pg.database();
  const engine = await openPostgresEngine(url, { operations, reading: new Set(), keys: [] });
  conflicts = 2;
  assert.equal(await engine.call('work'), 3);
  assert.deepEqual(await pg.query(url, 'SELECT shard FROM task_counters'), [{ shard: '3' }]);
  conflicts = 1000;
  await assert.rejects(engine.call('work'), withCode('BUSY'));
  assert.equal(runs, 3 + 6);
  runs = 0;
  await assert.rejects(engine.call('fault'), withCode('REFUSED'));
  assert.equal(runs, 1);
  await engine.close();
});

onServer('PostgresEngine.call() gives up a statement that takes too long, and waiting for a connection', async (pg) => {
  function* slow(): Operation<unknown> {
    return yield* query('SELECT pg_sleep(30)');
  }
  const options = { operations: { slow }, reading: new Set<string>(), keys: [], statementTimeoutMs: 1000 };
  const limits = { connectTimeoutMs: 300, maxConnections: 1 };
  const engine = await openPostgresEngine(await pg.database(), { ...options, ...limits });
  const slowly = assert.rejects(engine.call('slow'), withCode('BUSY'));
  await assert.rejects(engine.call('slow'), { code: 'BUSY', message: /connection/ });
  await slowly;
  await engine.close();
});

onServer('a store outlives the loss of all its connections, and nothing that was acknowledged is lost', async (pg) => {
  const url = await pg.database();
  const store = await openPostgresStore(url);
  await store.putTask(taskRow(1));
  const acknowledged: number[] = [];
  let isWanted = true;
  let losses = 0;
  const upload = async (from: number): Promise<void> => {
    for (let n = from; isWanted; n += 8) {
      try {
        await store.putReports(taskId, [newReport(n)], new Date(n), true, {});
        acknowledged.push(n);
      } catch (error) {
        assert.ok(withCode('UNAVAILABLE')(error), String(error));
        losses += 1;
      }
    }
  };
  const uploads = Array.from({ length: 8 }, (_, from) => upload(from));
  while (losses < 3) {
    await pg.query(
      url,
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'privacy-edge' AND datname = current_database()",
    );
  }
  isWanted = false;
  await Promise.all(uploads);
  const rows = await store.readReports(
    taskId,
    acknowledged.map((n) => id(n)),
  );
  assert.equal(rows.filter((row) => row === undefined).length, 0);
  assert.deepEqual(await store.putReports(taskId, [newReport(1_000_000)], new Date(1), true, {}), ['stored']);
  await store.close();
});
