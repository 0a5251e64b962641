import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { openSqliteStore, SqlError, type SqlErrorCode } from '../src/index.ts';
import { type Operation, query, queryEach } from '../src/operation.ts';
import { MIGRATIONS } from '../src/schema.ts';
import { SqliteDatabase } from '../src/sqlite-database.ts';
import { id, newReport, taskRow } from './stores.ts';

const folder = mkdtempSync(join(tmpdir(), 'privacy-edge-sqlite-'));
after(() => rmSync(folder, { recursive: true }));
let files = 0;
const newPath = (): string => join(folder, `${++files}.db`);
const { taskId } = taskRow(1).task;

function withCode(code: SqlErrorCode): (error: unknown) => boolean {
  return (error) => error instanceof SqlError && error.code === code;
}

function open(path = newPath(), busyTimeoutMs = 50): SqliteDatabase {
  const database = new SqliteDatabase({ path, busyTimeoutMs });
  database.migrate(MIGRATIONS);
  return database;
}

function* putKey(configId: number, state = 'active'): Operation<number> {
  yield* query(
    'INSERT INTO hpke_keys (config_id, hpke_config, private_key, state, since) VALUES (:id, :none, :none, :state, 0)',
    { id: configId, none: new Uint8Array(3000), state },
  );
  return configId;
}

function keys(database: SqliteDatabase): unknown {
  const [outcome] = database.transact([() => query('SELECT config_id FROM hpke_keys ORDER BY config_id')]);
  assert.ok(outcome?.ok);
  return (outcome.value as { config_id: number }[]).map((row) => row.config_id);
}

test('SqliteDatabase.transact() rolls one operation back and commits the others', () => {
  const database = open();
  const outcomes = database.transact([
    () => putKey(1),
    function* () {
      yield* putKey(2);
      return yield* putKey(1);
    },
    () => putKey(3),
  ]);
  assert.deepEqual(
    outcomes.map((outcome) => (outcome.ok ? outcome.value : outcome.error.code)),
    [1, 'REFUSED', 3],
  );
  assert.deepEqual(keys(database), [1, 3]);
  database.close();
});

test('SqliteDatabase.transact() fails the whole batch with FULL when no space is left, and goes on afterwards', () => {
  const database = open();
  database.transact([() => putKey(1)]);
  const [pages] = database.transact([() => query('PRAGMA page_count')]);
  assert.ok(pages?.ok);
  const [{ page_count: count }] = pages.value as [{ page_count: number }];
  database.transact([() => query(`PRAGMA max_page_count = ${count + 1}`)]);
  const many = Array.from({ length: 8 }, (_, n) => () => putKey(10 + n));
  const codes = database.transact(many).map((outcome) => (outcome.ok ? 'ok' : outcome.error.code));
  assert.ok(codes.every((code) => code === 'FULL') || codes.includes('FULL'));
  const stored = (keys(database) as number[]).filter((key) => key >= 10);
  assert.equal(stored.length, codes.filter((code) => code === 'ok').length);
  database.transact([() => query('PRAGMA max_page_count = 100000')]);
  assert.deepEqual(database.transact([() => putKey(99)]), [{ ok: true, value: 99 }]);
  database.close();
});

test('SqliteDatabase.transact() says READONLY when nothing may be written', () => {
  const database = open();
  database.transact([() => query('PRAGMA query_only = ON')]);
  const [outcome] = database.transact([() => putKey(1)]);
  assert.equal(outcome?.ok === false && outcome.error.code, 'READONLY');
  database.close();
});

test('SqliteDatabase.transact() says BUSY when another process keeps the file', () => {
  const path = newPath();
  const database = open(path);
  const other = new DatabaseSync(path);
  other.exec('BEGIN IMMEDIATE');
  const [outcome] = database.transact([() => putKey(1)]);
  assert.equal(outcome?.ok === false && outcome.error.code, 'BUSY');
  other.exec('ROLLBACK');
  assert.deepEqual(database.transact([() => putKey(1)]), [{ ok: true, value: 1 }]);
  other.close();
  database.close();
});

test('SqliteDatabase.transact() refuses a statement without its parameter, and no other', () => {
  const database = open();
  const [first, second] = database.transact([
    () => query('SELECT :missing AS x'),
    () => queryEach('SELECT batch.n FROM @rows(n integer) ORDER BY 1', [{ n: 1 }, { n: 2 }]),
  ]);
  assert.equal(first?.ok === false && first.error.code, 'REFUSED');
  assert.deepEqual(
    second?.ok === true && second.value,
    [{ n: 1 }, { n: 2 }].map((row) => Object.assign(Object.create(null), row)),
  );
  database.close();
});

test('SqliteDatabase.migrate() goes through missing migrations only, and all or none of them', () => {
  const path = newPath();
  const database = open(path);
  database.transact([() => putKey(1)]);
  const next = ['ALTER TABLE hpke_keys ADD COLUMN note @text'];
  assert.throws(() => database.migrate([...MIGRATIONS, next, ['CREATE TABLE broken (']]), withCode('REFUSED'));
  database.migrate([...MIGRATIONS, next]);
  database.migrate([...MIGRATIONS, next]);
  assert.deepEqual(keys(database), [1]);
  assert.throws(() => database.migrate(MIGRATIONS), withCode('SCHEMA'));
  database.close();
});

test('SqliteDatabase.migrate() takes what was remembered before there were claims for aggregated', () => {
  const database = new SqliteDatabase({ path: newPath(), busyTimeoutMs: 50 });
  database.migrate(MIGRATIONS.slice(0, 1));
  const remember = () =>
    query(
      `INSERT INTO aggregated_reports (task_key, report_id, position, agg_param, time) VALUES (1, :none, 0, :none, 9)
        RETURNING position`,
      { none: new Uint8Array(0) },
    );
  assert.equal(database.transact([remember])[0]?.ok, true);
  database.migrate(MIGRATIONS);
  const [outcome] = database.transact([() => query('SELECT is_claim FROM aggregated_reports')]);
  assert.ok(outcome?.ok);
  assert.deepEqual(JSON.stringify(outcome.value), '[{"is_claim":0}]');
  database.close();
});

test('openSqliteStore() makes a file that only its owner can read, and finds everything again', async () => {
  const path = newPath();
  const first = await openSqliteStore(path);
  await first.putTask(taskRow(1));
  await first.putReports(taskId, [newReport(1)], new Date(7), true, {});
  for (const suffix of ['', '-wal']) assert.equal(statSync(path + suffix).mode & 0o777, 0o600);
  await first.close();
  const second = await openSqliteStore(path);
  assert.deepEqual(await second.readTask(taskId), taskRow(1));
  assert.deepEqual((await second.readReports(taskId, [id(1)]))[0]?.report, newReport(1).report);
  await second.close();
});

test('openSqliteStore() refuses what is not its own', async () => {
  const text = newPath();
  writeFileSync(text, 'This is no database, but it is longer than a header of one would be. '.repeat(20));
  await assert.rejects(openSqliteStore(text), withCode('CORRUPT'));
  const foreign = newPath();
  const other = new DatabaseSync(foreign);
  other.exec('CREATE TABLE accounts (id INTEGER)');
  other.close();
  await assert.rejects(openSqliteStore(foreign), withCode('SCHEMA'));
  await assert.rejects(openSqliteStore(join(folder, 'absent', 'a.db')), withCode('UNAVAILABLE'));
  const newer = newPath();
  const database = open(newer);
  database.migrate([...MIGRATIONS, ['CREATE TABLE later (a @integer) @table']]);
  database.close();
  await assert.rejects(openSqliteStore(newer), withCode('SCHEMA'));
});

test('openSqliteStore() says READONLY for a file it may not write', async (t) => {
  if (process.getuid?.() === 0) return t.skip('root may write everything');
  const path = newPath();
  writeFileSync(path, '');
  chmodSync(path, 0o400);
  await assert.rejects(openSqliteStore(path), withCode('READONLY'));
});

test('SqlStore.close() finishes what was asked for and refuses the rest', async () => {
  const store = await openSqliteStore(newPath());
  await store.putTask(taskRow(1));
  const puts = Array.from({ length: 50 }, (_, n) => store.putReports(taskId, [newReport(n)], new Date(1), true, {}));
  const counters = Array.from({ length: 50 }, () => store.addCounters(taskId, { aggregated: 1 }));
  await new Promise((resume) => setImmediate(resume));
  const closed = store.close();
  await assert.rejects(store.readTask(taskId), withCode('CLOSED'));
  await closed;
  await Promise.all(counters);
  assert.deepEqual((await Promise.all(puts)).flat(), Array<string>(50).fill('stored'));
  await store.close();
});

test('openSqliteStore() refuses calls beyond those that may wait', async () => {
  const store = await openSqliteStore(':memory:', { maxWaiting: 3 });
  const calls = await Promise.allSettled(Array.from({ length: 8 }, () => store.readHpkeKeys()));
  assert.deepEqual(
    calls.map(({ status }) => status),
    [...Array<string>(3).fill('fulfilled'), ...Array<string>(5).fill('rejected')],
  );
  await store.close();
});
