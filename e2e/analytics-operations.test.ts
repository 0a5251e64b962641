/** Leader and helper as their operators run them. */
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { createReporter } from '@privacy-edge/analytics';
import { createCollector } from '@privacy-edge/analytics/collector';
import type { CountStatistic } from '@privacy-edge/analytics/task';
import { toBase64Url } from '@privacy-edge/bytes';
import { startPostgres } from '@privacy-edge/testing/postgres-server';
import { type AggregatorProcess, Aggregators, failToStart, type MadeTask } from './lib/aggregators.ts';
import { until } from './lib/until.ts';

const HOUR_MS = 3_600_000;
const time = new Date();
const from = new Date(Math.floor(time.getTime() / HOUR_MS) * HOUR_MS);
const batch = { from, to: new Date(from.getTime() + HOUR_MS) };

async function collected({ task, key, secrets }: MadeTask<CountStatistic>): Promise<readonly number[]> {
  const collector = createCollector(task, { key, token: secrets.collectorToken, pollMs: 50 });
  const { result, reports } = await collector.collect(batch, { signal: AbortSignal.timeout(60_000) });
  return [result.count, reports];
}

/** A folder that is gone after the tests. */
function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'privacy-edge-aggregators-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function logged(role: AggregatorProcess, event: string, times = 1): Promise<void> {
  const count = (): number => role.log().split(`"event":"${event}"`).length - 1;
  await until(() => count() >= times, event);
}

for (const processing of ['synchronous', 'asynchronous'] as const) {
  describe(`leader and ${processing} helper on SQLite`, { timeout: 120_000 }, () => {
    const folder = temporaryFolder();
    let pair: Aggregators;
    let leader: AggregatorProcess;
    let helper: AggregatorProcess;
    let first: MadeTask<CountStatistic>;
    after(() => pair.close());

    test('they start with a task, take reports and are collected from', async () => {
      pair = await Aggregators.open(folder, { helper: { processing, workers: processing === 'asynchronous' ? 2 : 1 } });
      first = await pair.addTask({ kind: 'count' });
      [leader, helper] = await Promise.all([pair.start('leader'), pair.start('helper')]);
      assert.equal(leader.ready['role'], 'leader');
      assert.equal(leader.ready['endpointUrl'], pair.urls.leader);
      const { refused } = await createReporter(first.task).reportMany([true, false, true, true], { time });
      assert.deepEqual(refused, []);
      assert.deepEqual(await collected(first), [3, 4]);
    });

    test('a document that is put into the folder is taken up on SIGHUP; one that is broken changes nothing', async () => {
      const second = await pair.addTask({ kind: 'count' });
      for (const role of [leader, helper]) role.signal('SIGHUP');
      await Promise.all([logged(leader, 'reloaded'), logged(helper, 'reloaded')]);
      await Promise.all([logged(leader, 'tasks_taken_up', 2), logged(helper, 'tasks_taken_up', 2)]);
      await createReporter(second.task).report(true, { time });
      assert.deepEqual(await collected(second), [1, 1]);
      const broken = join(folder, 'leader-tasks', 'broken.json');
      writeFileSync(broken, '{"format":"privacy-edge-task-leader","version":1}', { mode: 0o600 });
      leader.signal('SIGHUP');
      await logged(leader, 'reload_failed');
      rmSync(broken);
      await createReporter(first.task).report(true, { time: new Date(batch.to.getTime() - 2 * HOUR_MS) });
    });

    test('the admin listener shows readiness and metrics; privacy notices are served', async () => {
      const page = async (role: AggregatorProcess, name: string): Promise<string> => {
        const answer = await fetch(`${role.ready['adminUrl']}/${name}`);
        assert.equal(answer.status, 200);
        return answer.text();
      };
      assert.equal(await page(leader, 'readyz'), 'ready\n');
      assert.equal(await page(helper, 'readyz'), 'ready\n');
      assert.match(await page(leader, 'metrics'), /^analytics_reports_total\{phase="upload",result="accepted"\} 6$/m);
      // Threads of a helper are summed.
      assert.match(
        await page(helper, 'metrics'),
        /^analytics_reports_total\{phase="aggregation",result="accepted"\} [5-6]$/m,
      );
      for (const [role, name] of [
        [leader, 'leader'],
        [helper, 'helper'],
      ] as const) {
        const notice = (await (await fetch(role.ready['noticeUrl']!)).json()) as { role: string; neverSees: string[] };
        assert.equal(notice.role, name);
        assert.ok(notice.neverSees.includes('what anybody reported'));
      }
    });

    test('SIGKILL loses nothing that was acknowledged, also when columns get another key', async () => {
      const third = await pair.addTask({ kind: 'count' });
      for (const role of [leader, helper]) role.signal('SIGHUP');
      await Promise.all([logged(leader, 'tasks_taken_up', 3), logged(helper, 'tasks_taken_up', 3)]);
      await createReporter(third.task).reportMany([true, true, false], { time });
      await Promise.all([leader.end('SIGKILL'), helper.end('SIGKILL')]);
      writeFileSync(join(folder, 'columns.keys'), `${'ab'.repeat(32)}\n${'cd'.repeat(32)}\n`, { mode: 0o600 });
      const storage = { sqliteFile: 'leader.sqlite', columnKeysFile: 'columns.keys' };
      await pair.configure('leader', 'leader', { storage });
      [leader, helper] = await Promise.all([pair.start('leader'), pair.start('helper')]);
      assert.deepEqual(await collected(third), [2, 3]);
      assert.deepEqual(await collected(first), [3, 4], 'the result of before is still there');
    });

    test('SIGTERM drains; secrets are in no file in the clear, and in no log', async () => {
      assert.deepEqual(await Promise.all([leader.end('SIGTERM'), helper.end('SIGTERM')]), [0, 0]);
      const { verifyKey, aggregatorToken, collectorToken } = first.secrets;
      const secrets = [verifyKey.reveal(), Buffer.from(aggregatorToken.reveal()), Buffer.from(collectorToken.reveal())];
      for (const name of readdirSync(folder).filter((one) => one.includes('.sqlite'))) {
        const bytes = readFileSync(join(folder, name));
        for (const secret of secrets) assert.equal(bytes.includes(secret), false, name);
      }
      const logs = leader.log() + helper.log();
      assert.match(logs, /"event":"drained"/);
      for (const secret of secrets.slice(1)) assert.equal(logs.includes(secret.toString()), false);
    });
  });
}

test('a database that is away is answered 503, shown by readyz, and used again when it is back', {
  timeout: 120_000,
}, async (t) => {
  const server = await startPostgres();
  if (server === undefined) return t.skip('no PostgreSQL on this machine');
  const url = await server.database();
  // Stands between, because a server that has stopped is gone for good.
  const name = new URL(url.replace('postgres://postgres@/', 'postgres://postgres@localhost/'));
  const socket = join(name.searchParams.get('host') ?? '', '.s.PGSQL.5432');
  const wire = await openWire(socket);
  const pair = await Aggregators.open(temporaryFolder(), {
    storage: {
      leader: { postgresUrl: `postgres://postgres@127.0.0.1:${wire.port}${name.pathname}` },
      helper: { sqliteFile: 'helper.sqlite' },
    },
  });
  try {
    const { task } = await pair.addTask({ kind: 'count' });
    const [leader] = await Promise.all([pair.start('leader'), pair.start('helper')]);
    const isReady = async (): Promise<boolean> => (await fetch(`${leader.ready['adminUrl']}/readyz`)).ok;
    await createReporter(task).report(true, { time });
    assert.equal(await isReady(), true);
    wire.cut();
    await until(async () => !(await isReady()), 'readyz');
    const answer = await fetch(`${pair.urls.leader}/tasks/${toBase64Url(task.task.taskId)}/reports`, {
      method: 'POST',
    });
    assert.deepEqual([answer.status, answer.headers.get('retry-after')], [503, '2']);
    wire.mend();
    await until(isReady, 'readyz');
    await createReporter(task).report(true, { time });
    assert.equal(await leader.end('SIGTERM'), 0);
    assert.match(leader.log(), /"event":"database_away"[\s\S]*"event":"database_back"/);
  } finally {
    await pair.close();
    wire.close();
    await server.stop();
  }
});

/** A TCP port before a unix socket. */
async function openWire(path: string): Promise<{ port: number; cut(): void; mend(): void; close(): void }> {
  const sockets = new Set<Socket>();
  let isCut = false;
  const server = createServer((from) => {
    if (isCut) return void from.destroy();
    const to = connect(path);
    for (const [one, other] of [
      [from, to],
      [to, from],
    ] as const) {
      sockets.add(one);
      one.on('error', () => other.destroy()).on('close', () => sockets.delete(one));
    }
    from.pipe(to).pipe(from);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const cut = (): void => {
    isCut = true;
    for (const socket of sockets) socket.destroy();
  };
  const mend = (): void => {
    isCut = false;
  };
  return { port: address.port, cut, mend, close: () => void server.close(cut) };
}

test('what cannot work is said when it starts, without a secret', { timeout: 60_000 }, async () => {
  const folder = temporaryFolder();
  const pair = await Aggregators.open(folder);
  const { secrets } = await pair.addTask({ kind: 'count' });
  const config = join(folder, 'leader.yaml');
  const run = (): ReturnType<typeof failToStart> => failToStart('leader', config);
  const document = join(folder, 'leader-tasks', '1.json');

  chmodSync(document, 0o644);
  const exposed = await run();
  assert.equal(exposed.code, 2);
  assert.match(exposed.err, /^privacy-edge: Cannot use the secret file .*1\.json; others may read it/);
  chmodSync(document, 0o600);

  const good = readFileSync(document, 'utf8');
  writeFileSync(document, good.replace(/"verifyKey":"[^"]{4}/, '"verifyKey":"'));
  const wrong = await run();
  assert.equal(wrong.code, 2);
  assert.match(wrong.err, /Cannot use the task in .*1\.json; Cannot use task: leader\.verifyKey /);
  assert.equal(wrong.err.includes(secrets.collectorToken.reveal()), false);

  writeFileSync(document, readFileSync(join(folder, 'helper-tasks', '1.json')));
  const other = await run();
  assert.match(other.err, /Cannot use task: format is not one of privacy-edge-task-leader/);
  writeFileSync(document, good);

  writeFileSync(
    join(folder, 'leader.sqlite'),
    'this is no database, but a text that is long enough to be taken for one',
  );
  const foreign = await run();
  assert.equal(foreign.code, 2);
  assert.match(foreign.err, /^privacy-edge: Cannot serve the leader; /);
  assert.equal(readFileSync(join(folder, 'leader.sqlite'), 'utf8').startsWith('this is no database'), true);

  rmSync(join(folder, 'leader-tasks'), { recursive: true });
  const missing = await run();
  assert.match(missing.err, /Cannot read the tasks in .*leader-tasks; there is no such folder/);
  const nothing = await failToStart('helper', config);
  assert.match(nothing.err, /Cannot serve the helper; .* has no analyticsHelper section; add one; .*--for helper/);
});
