import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { concatBytes, Secret, utf8 } from '@privacy-edge/bytes';
import fc from 'fast-check';
import { openSqliteStore, SqlError } from '../src/index.ts';
import { secretColumns } from '../src/secret-columns.ts';
import { fill, id, NO_BYTES, taskRow } from './stores.ts';

const PLACE = utf8('tasks.verify_key');

function isUnknownKey(error: unknown): boolean {
  return error instanceof SqlError && error.code === 'KEY_UNKNOWN';
}

test('SecretColumns.open() reads a message of XAES-256-GCM that others have made', () => {
  const key = fill(1, 32);
  const columns = secretColumns([key]);
  const name = columns.seal(NO_BYTES, NO_BYTES).slice(1, 5);
  const nonce = utf8('ABCDEFGHIJKLMNOPQRSTUVWX');
  const sealed = Uint8Array.fromHex('ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271');
  const stored = concatBytes(Uint8Array.of(1), name, nonce, sealed);
  assert.deepEqual(columns.open(stored, NO_BYTES), utf8('XAES-256-GCM'));
});

test('SecretColumns.open() gives back what was sealed, by any key of the ring', () => {
  const old = secretColumns([fill(1, 32)]);
  const rotated = secretColumns([fill(2, 32), fill(1, 32)]);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (secret) => {
      assert.deepEqual(rotated.open(old.seal(secret, PLACE), PLACE), secret);
      assert.deepEqual(rotated.open(rotated.seal(secret, PLACE), PLACE), secret);
      assert.throws(() => old.open(rotated.seal(secret, PLACE), PLACE), isUnknownKey);
    }),
    { numRuns: 50 },
  );
});

test('SecretColumns.open() refuses another place, any changed byte, and what is too short', () => {
  const columns = secretColumns([fill(1, 32)]);
  const stored = columns.seal(fill(7, 20), PLACE);
  assert.throws(() => columns.open(stored, utf8('tasks.peer_authorization')), isUnknownKey);
  for (const at of stored.keys()) {
    if (at === 0) continue;
    const changed = stored.slice();
    changed[at] = (changed[at] ?? 0) ^ 1;
    assert.throws(() => columns.open(changed, PLACE), isUnknownKey);
    assert.throws(() => columns.open(stored.slice(0, at), PLACE), isUnknownKey);
  }
  assert.throws(() => columns.open(NO_BYTES, PLACE), isUnknownKey);
});

test('SecretColumns.seal() without keys stores the secret as it is', () => {
  const columns = secretColumns([]);
  assert.deepEqual(columns.seal(fill(7, 3), PLACE), Uint8Array.of(0, 7, 7, 7));
  assert.deepEqual(columns.open(Uint8Array.of(0, 7, 7, 7), PLACE), fill(7, 3));
  assert.deepEqual(secretColumns([fill(1, 32)]).open(Uint8Array.of(0, 7), PLACE), fill(7, 1));
});

test('secretColumns() takes keys of 32 bytes only', () => {
  assert.throws(() => secretColumns([fill(1, 16)]), RangeError);
});

test('a file with column keys holds no secret in clear, and opens after a rotation', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'privacy-edge-secrets-'));
  const path = join(folder, 'store.db');
  const [oldKey, newKey] = [new Secret(fill(0x11, 32)), new Secret(fill(0x12, 32))];
  const row = taskRow(1);
  const { taskId } = row.task;
  const share = fill(0xcc, 48);
  const bucket = id(9, 8);
  const part = {
    bucket,
    aggregationParameter: NO_BYTES,
    aggregateShare: share,
    reportCount: 1,
    checksum: fill(1, 32),
    interval: { start: 9, duration: 1 },
  };
  const hpkeKey = {
    configId: 7,
    config: fill(1, 41),
    privateKey: fill(0xbb, 32),
    state: 'active' as const,
    since: new Date(1),
  };
  const job = {
    taskId,
    jobId: id(1),
    aggregationParameter: NO_BYTES,
    batchId: undefined,
    step: 0,
    requestDigest: fill(1, 32),
    request: undefined,
    response: fill(2, 9),
    pending: fill(0xdd, 40),
    state: 'ready' as const,
  };
  const commit = {
    rememberedAs: NO_BYTES,
    reports: [{ reportId: id(1), time: 9, bucket, aggregated: 0, collected: 0 }],
    buckets: [part],
  };
  try {
    const first = await openSqliteStore(path, { columnKeys: [oldKey] });
    await first.putTask(row);
    await first.putHpkeKey(hpkeKey);
    const stepped = await first.commitHelperStep({ at: undefined, job, commit, counters: {}, now: new Date(1) });
    assert.equal(stepped, 'committed');
    const content = Buffer.concat(['', '-wal'].map((suffix) => readFileSync(path + suffix)));
    const secrets = [row.task.verifyKey, hpkeKey.privateKey, share, job.pending, utf8('qwertz-asdfgh'), fill(0x11, 32)];
    for (const secret of secrets) assert.equal(content.includes(Buffer.from(secret)), false);
    assert.equal(content.includes(Buffer.from(taskId)), true);
    await first.close();

    const rotated = await openSqliteStore(path, { columnKeys: [newKey, oldKey] });
    assert.deepEqual(await rotated.readTask(taskId), row);
    assert.deepEqual(await rotated.readHpkeKeys(), [hpkeKey]);
    assert.equal(await rotated.putTask(row), 'same');
    const keys = { first: bucket, last: bucket, times: { first: 9, last: 9 } };
    const facts = await rotated.readBatchFacts(taskId, keys, { rememberedAs: NO_BYTES, uploadedBefore: undefined });
    assert.deepEqual(facts.parts[0]?.aggregateShare, share);
    assert.deepEqual((await rotated.readHelperJob(taskId, id(1)))?.pending, job.pending);
    await rotated.close();

    const without = await openSqliteStore(path);
    await assert.rejects(without.readTask(taskId), isUnknownKey);
    assert.deepEqual(await without.readCounters(taskId), {});
    await without.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});
