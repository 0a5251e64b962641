import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Batcher } from '../src/batcher.ts';
import { compact } from '../src/compact.ts';
import { SqlError } from '../src/sql-error.ts';
import { translate } from '../src/sql-text.ts';

/** A batcher whose batches are carried out by hand. */
function manual(maxWeight: number): { batcher: Batcher<number, number>; batches: number[][]; open: (() => void)[] } {
  const batches: number[][] = [];
  const open: (() => void)[] = [];
  const batcher = new Batcher<number, number>({
    run: (items) => {
      batches.push([...items]);
      return new Promise((resolve) => open.push(() => resolve(items.map((item) => -item))));
    },
    weigh: (item) => item,
    maxWeight,
    concurrency: 1,
  });
  return { batcher, batches, open };
}

const turn = (): Promise<void> => new Promise((resume) => setImmediate(resume));

test('Batcher.add() starts a lone call at once and puts together what comes meanwhile, up to a weight', async () => {
  const { batcher, batches, open } = manual(10);
  const first = batcher.add(1);
  await turn();
  const others = [4, 5, 6, 20, 1].map((item) => batcher.add(item));
  await turn();
  assert.deepEqual(batches, [[1]]);
  for (let i = 0; i < 4; i++) {
    open[i]?.();
    await turn();
  }
  assert.deepEqual(batches, [[1], [4, 5], [6], [20], [1]]);
  open[4]?.();
  assert.equal(await first, -1);
  assert.deepEqual(await Promise.all(others), [-4, -5, -6, -20, -1]);
  await turn();
  assert.equal(batcher.isIdle, true);
});

test('Batcher.add() lets an item that is refused fail alone, and all when the database is gone', async () => {
  const code = { now: 'REFUSED' as 'REFUSED' | 'UNAVAILABLE' };
  const batcher = new Batcher<number, number>({
    run: async (items) => {
      if (items.includes(2)) throw new SqlError(code.now, 'Cannot');
      return [...items];
    },
    weigh: () => 1,
    maxWeight: 10,
    concurrency: 1,
  });
  const settle = async (): Promise<string[]> =>
    (await Promise.allSettled([1, 2, 3].map((item) => batcher.add(item)))).map(({ status }) => status);
  assert.deepEqual(await settle(), ['fulfilled', 'rejected', 'fulfilled']);
  code.now = 'UNAVAILABLE';
  assert.deepEqual(await settle(), ['rejected', 'rejected', 'rejected']);
});

test('compact() copies parts of larger memory, keeps the rest, and counts bytes', () => {
  const whole = new Uint8Array(4);
  const body = new Uint8Array(1000);
  const now = new Date(5);
  const { value, bytes } = compact({
    whole,
    part: [body.subarray(1, 3)],
    buffer: Buffer.from('ab'),
    now,
    n: 1,
    no: undefined,
  });
  assert.equal(value.whole, whole);
  assert.equal(value.part[0]?.buffer.byteLength, 2);
  assert.equal(value.buffer.buffer.byteLength, 2);
  assert.equal(value.now, now);
  assert.equal(bytes, 8);
});

test('translate() numbers parameters after the columns of the rows', () => {
  const sql =
    'UPDATE t SET x = batch.v FROM @rows(k bytes, v integer) WHERE k = batch.k AND u = :u @returning(batch.k)';
  assert.deepEqual(translate(sql, 'sqlite'), {
    text: 'UPDATE t SET x = ?2 WHERE k = ?1 AND u = ?3 ',
    columns: ['k', 'v'],
    names: ['u'],
    returns: ['k'],
  });
  assert.deepEqual(translate(sql, 'postgres'), {
    text: 'UPDATE t SET x = batch.v FROM unnest($1::BYTEA[], $2::BIGINT[]) AS batch(k, v) WHERE k = batch.k AND u = $3 RETURNING batch.k',
    columns: ['k', 'v'],
    names: ['u'],
    returns: undefined,
  });
  assert.equal(
    translate('INSERT INTO t (a) SELECT batch.a FROM @rows(a text) WHERE TRUE ON CONFLICT DO NOTHING', 'sqlite').text,
    'INSERT INTO t (a) VALUES (?1) ON CONFLICT DO NOTHING',
  );
  assert.equal(
    translate('DELETE FROM t WHERE k IN (SELECT k FROM @rows(k integer))', 'sqlite').text,
    'DELETE FROM t WHERE k IN (SELECT k FROM (SELECT ?1 AS k) AS batch)',
  );
});
