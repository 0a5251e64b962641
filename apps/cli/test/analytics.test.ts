import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { generateCollectorKey } from '@privacy-edge/analytics/collector';
import { serve } from '@privacy-edge/node';
import { createNetwork } from '@privacy-edge/testing';
import { type DescriptionOptions, describedTask, makeTask } from '../src/analytics/new-task.ts';
import { writeTaskFolder } from '../src/analytics/task-folder.ts';
import { Parties } from './analytics-parties.ts';
import { type CliResult, runCli, temporaryFolder } from './run-cli.ts';

const parties = await Parties.start();
const folder = temporaryFolder();
const from = new Date(Math.floor(Date.now() / 86_400_000) * 86_400_000);
const INTERVAL = ['--from', from.toISOString(), '--to', new Date(from.getTime() + 3 * 86_400_000).toISOString()];

/** Makes a task and gives it to the aggregators. */
async function taskNew(
  name: string,
  statistic: string,
  parameter: readonly string[],
  more: DescriptionOptions = {},
): Promise<string> {
  const at = join(folder, name);
  const { leaderUrl: leader, helperUrl: helper } = parties;
  const described = { title: `Task ${name}`, statistic, parameter, leader, helper, minBatch: '2', ...more };
  const key = await generateCollectorKey();
  await writeTaskFolder(at, await makeTask(await describedTask(described), key.config), key, {});
  await parties.take(at);
  return at;
}

function upload(at: string, args: readonly string[], input?: string): Promise<CliResult> {
  const more = input === undefined ? {} : { input };
  return runCli(['analytics', 'upload', '--task', join(at, 'task.json'), ...args], more);
}

function collect(at: string, args: readonly string[] = []): Promise<CliResult> {
  return runCli(['analytics', 'collect', '--task', join(at, 'collector.json'), ...INTERVAL, ...args]);
}

async function collected(at: string): Promise<{ readonly reports: number; readonly result: Record<string, unknown> }> {
  const { code, out, err } = await collect(at, ['--format', 'json']);
  assert.equal(code, 0, err);
  return JSON.parse(out) as { reports: number; result: Record<string, unknown> };
}

test('a mean goes from CSV to a table, and bad lines are named without their values', async () => {
  const at = await taskNew('mean', 'mean', ['lo=0', 'hi=60', 'step=0.5', 'unit=min', 'outside=refuse']);
  const csv = 'who,minutes\r\na,10\r\nb,secret word\r\n"c, d",20\r\ne,99\r\nf\r\ng,30\r\n';
  const { code, out, err } = await upload(at, ['-i', '-', '--column', 'minutes'], csv);
  assert.equal(code, 1);
  assert.match(out, /^3 accepted, \d+\.\d s, \d+\/s\n3 not measured: not what the task measures\n$/);
  assert.match(
    err,
    /^line 3: Cannot measure value: it is no number\nline 5: .* outside of its scale\nline 6: it has 1 fields, the header 2\n$/,
  );
  assert.doesNotMatch(out + err, /secret|99/);
  const { result, reports } = await collected(at);
  assert.deepEqual([reports, result['mean'], result['sum']], [3, 20, 60]);
  const table = await collect(at);
  assert.equal(table.code, 0, 'the same query finds the same job');
  assert.match(table.out, /^Task mean\n3 reports from \S+ to \S+\n\nmean +20 min\n/);
  assert.match(table.out, /No noise/);
});

test('upload --verbose shows the values of bad lines, --dry-run reports nothing', async () => {
  const at = await taskNew('dry', 'count', []);
  const { code, out, err } = await upload(at, ['--dry-run', '--verbose', 'yes', 'no', 'per\u001bhaps']);
  assert.equal(code, 1);
  assert.equal(out, '2 can be reported\n1 not measured: not what the task measures\n');
  assert.equal(err, 'line 3: Cannot measure value: it is no boolean: per\\x1bhaps\n');
  const { code: refused, err: why } = await collect(at, ['--wait', '0']);
  assert.equal(refused, 1);
  assert.match(why, /Cannot collect yet; the leader is not ready; run the same command again/);
});

test('upload --json names every line, from JSON lines and from a given line on', async () => {
  const at = await taskNew('json', 'histogram', ['categories=[red, green]']);
  const lines = '{"colour":"red"}\n{"colour":"green"}\n{"colour":7}\nno json\n\n{"colour":"blue"}\n';
  const args = ['-i', '-', '--input-format', 'jsonl', '--column', 'colour', '--start-line', '2', '--json'];
  const { code, out, err } = await upload(at, args, lines);
  assert.deepEqual([code, err], [1, '']);
  const { accepted, invalid, refused } = JSON.parse(out) as { accepted: number; invalid: unknown; refused: unknown };
  assert.deepEqual([accepted, refused], [2, []]);
  assert.deepEqual(invalid, [
    { line: 3, reason: 'Cannot measure value: it is no string' },
    { line: 4, reason: 'it is no JSON' },
  ]);
  const { code: done, out: csv } = await collect(at, ['--format', 'csv']);
  assert.equal(done, 0);
  assert.deepEqual(
    csv
      .split('\r\n')
      .slice(0, 4)
      .map((line) => line.split(',').slice(0, 4)),
    [
      ['label', 'low', 'high', 'count'],
      ['red', '', '', '0'],
      ['green', '', '', '1'],
      ['(other)', '', '', '1'],
    ],
  );
});

test('a histogram is drawn in the terminal and as SVG', async () => {
  const at = await taskNew('bars', 'histogram', ['boundaries=[0, 10, 20]', 'outside=clip']);
  assert.equal((await upload(at, ['1', '2', '3', '15'])).code, 0);
  const { out } = await collect(at);
  assert.match(out, /0 to 10 {3}3 {2}75\.0 % {2}\u2588{20,}\n10 to 20 {2}1 {2}25\.0 % {2}\u2588+/);
  assert.match(out, /median +about 6\.667/);
  const file = join(folder, 'bars.svg');
  const { code, out: nothing } = await collect(at, ['--output', file]);
  assert.deepEqual([code, nothing], [0, '']);
  assert.match(readFileSync(file, 'utf8'), /^<svg [^>]*>/);
  assert.equal(statSync(file).mode & 0o777, 0o600);
});

test('a regression prints what any textbook would', async () => {
  const parameters = ['features=[{name: x, lo: 0, hi: 100, step: 1}]', 'target={name: y, lo: 0, hi: 1000, step: 1}'];
  const at = await taskNew('line', 'linear-regression', parameters);
  const points = [
    [1, 5],
    [2, 8],
    [3, 9],
    [4, 12],
    [10, 25],
  ];
  const csv = ['x,result', ...points.map((point) => point.join(','))].join('\n');
  assert.equal((await upload(at, ['-i', '-', '--column', 'y=result'], csv)).code, 0);
  const { out } = await collect(at);
  // Least squares of these five points by hand: slope 110/50, intercept 11.8 - 4 * 2.2.
  assert.match(out, /\ny +estimate +std\. error +t +p +95 % interval +VIF\n\(intercept\) +3 /);
  assert.match(out, /\nx +2\.2 /);
  assert.match(out, /\nR\u00b2 +0\.99\d+, adjusted/);
  assert.match(out, /\ncorrelation +x +y\nx +1\.000\ny +0\.99\d +1\.000\n/);
});

test('flags come from columns or lists, and noise is stated', async () => {
  const at = await taskNew('flags', 'flags', ['names=[a, b]'], { epsilon: '1/2' });
  assert.equal((await upload(at, ['a', 'a,b', ''])).code, 0);
  assert.equal((await upload(at, ['-i', '-'], 'b,a\nyes,0\n1,no\n')).code, 0);
  const { code, out } = await collect(at);
  assert.equal(code, 0);
  assert.match(out, /Noise: discrete Laplace, epsilon 1\/2, of each aggregator and for each collection/);
  assert.match(out, /\na +-?\d+ \u00b1 \d+/);
});

test('Poplar1 descends level by level to strings that nobody knew', async () => {
  const parameters = ['maxBytes=2', 'bitsPerRound=8', 'minCount=2', 'maxPrefixes=16'];
  const at = await taskNew('words', 'poplar1', parameters);
  assert.equal((await upload(at, ['hi', 'hi', 'ho', 'hi', 'yo', 'yo'])).code, 0);
  const { code, out, err } = await collect(at);
  assert.equal(code, 0, err);
  assert.equal(err.match(/^\* level \d of 3: \d common prefix(?:es)?$/gm)?.length, 3);
  assert.match(out, /\nhi +3 +50\.0 % .*\nyo +2 +33\.3 % .*\n\nall others: 1\n/);
});

test('batches of the leader are collected with --next, and only with it', async () => {
  const at = await taskNew('next', 'count', [], { batchMode: 'leader-selected' });
  assert.equal((await upload(at, ['1', '1'])).code, 0);
  const refused = await collect(at);
  assert.equal(refused.code, 2);
  assert.match(refused.err, /Cannot collect; batches of the task are chosen by the leader/);
  const { code, out } = await runCli(['analytics', 'collect', '--task', join(at, 'collector.json'), '--next']);
  assert.equal(code, 0);
  assert.match(out, /\nyes +2 of 2\nshare +100\.0 %/);
});

test('rounds make one task after the other and go on where they stopped', async () => {
  const at = join(folder, 'rounds');
  const [leader, helper] = [join(folder, 'leader-tasks'), join(folder, 'helper-tasks')];
  const plan = '{alphabet: {kind: characters, characters: ab}, maxLength: 2, minCount: 2, maxPrefixes: 4}';
  const args = [
    'analytics',
    'rounds',
    at,
    '--title',
    'Letters',
    '--statistic',
    'prefix-round',
    '-p',
    `plan=${plan}`,
    '--leader',
    parties.leaderUrl,
    '--helper',
    parties.helperUrl,
    '--min-batch',
    '4',
    '--batch-mode',
    'leader-selected',
    '--publish-leader',
    leader,
    '--publish-helper',
    helper,
    '--wait',
    '0',
  ];
  // Nobody watches the folders yet: the leader refuses the task of the first round.
  const stopped = await runCli(args);
  assert.equal(stopped.code, 1);
  assert.match(stopped.err, /round 1: clients need .*current\.json/);
  let code: number | null = 1;
  let last: CliResult = stopped;
  for (let round = 1; code !== 0 && round < 6; round++) {
    assert.equal(readdirSync(leader).length, round);
    await parties.take(join(at, `round-${round}`));
    const sent = await runCli(['analytics', 'upload', '--task', join(at, 'current.json'), 'ab', 'ab', 'ba', 'ab']);
    assert.equal(sent.code, 0, sent.err);
    last = await runCli(args);
    code = last.code;
  }
  assert.equal(code, 0, last.err);
  assert.match(last.out, /^Letters\n/);
  assert.match(last.out, /\nab\u2026 +3 /);
  assert.doesNotMatch(last.out, /\nba /);
  assert.ok(existsSync(join(at, 'state.json')));
});

test('upload --relay reaches both aggregators through a relay and a gateway', async () => {
  const at = await taskNew('relayed', 'count', []);
  const network = await createNetwork({
    application: (request) => fetch(request),
    targets: [parties.leaderUrl, parties.helperUrl],
  });
  const relay = await serve(
    async (request) => {
      const body = (await request.body.read(2 ** 20)) as Uint8Array<ArrayBuffer>;
      const headers = { 'content-type': request.header('content-type') ?? '' };
      const answer = await network.fetch(network.relay, { method: request.method, headers, body });
      return { status: answer.status, fields: [...answer.headers], body: new Uint8Array(await answer.arrayBuffer()) };
    },
    { log: () => undefined },
  );
  after(() => relay.close(0));
  const keys = join(folder, 'keys.ohttp-keys');
  writeFileSync(keys, network.keys);
  const { code, out, err } = await upload(at, ['--relay', relay.url, '--keys', keys, 'yes', 'no']);
  assert.deepEqual([code, err], [0, '']);
  assert.match(out, /^2 accepted/);
  const targets = network.seen.target.filter((line) => /^(?:GET|POST) /.test(line));
  assert.deepEqual(
    targets.slice(0, 2).sort(),
    [`GET ${parties.helperUrl}/hpke_config`, `GET ${parties.leaderUrl}/hpke_config`].sort(),
  );
  assert.ok(targets.slice(2).every((line) => /^POST .*\/reports$/.test(line)));
  assert.equal(network.seen.relay.join('\n').includes('reports'), false);
  const refused = await upload(at, ['--relay', 'http://127.0.0.1:9', '--keys', keys, 'yes']);
  assert.equal(refused.code, 3);
  assert.match(refused.err, /Cannot fetch through the relay; .*ECONNREFUSED.*; check --relay/);
});

test('task new keeps secrets to their owner and writes over nothing', async () => {
  const at = join(folder, 'secrets');
  const args = ['--title', 'Secrets', '--statistic', 'mean', '-p', 'lo=0', '-p', 'hi=1', '-p', 'step=1'];
  const urls = ['--leader', parties.leaderUrl, '--helper', parties.helperUrl, '--min-batch', '2'];
  const made = await runCli(['analytics', 'task', 'new', at, ...args, ...urls]);
  assert.deepEqual([made.code, made.err], [0, '']);
  assert.match(made.out, /leader\.json +for the operator of http:.*; secret\n/);
  for (const name of ['leader.json', 'helper.json', 'collector.json']) {
    assert.equal(statSync(join(at, name)).mode & 0o777, 0o600);
  }
  const again = await runCli(['analytics', 'task', 'new', at, ...args, ...urls]);
  assert.equal(again.code, 2);
  assert.match(again.err, /the folder has a task already/);
  assert.doesNotMatch(readFileSync(join(at, 'task.json'), 'utf8'), /verifyKey|Token|privateKey/);
  chmodSync(join(at, 'collector.json'), 0o644);
  const exposed = await collect(at);
  assert.equal(exposed.code, 2);
  assert.match(exposed.err, /others may read it.*chmod 600/);
});

test('task show tells which secrets a file holds and shows none of them', async () => {
  const at = await taskNew('show', 'count', [], { rho: '0.125', adjacency: 'addition' });
  const document = JSON.parse(readFileSync(join(at, 'leader.json'), 'utf8')) as { leader: Record<string, string> };
  const { code, out } = await runCli(['analytics', 'task', 'show', join(at, 'leader.json')]);
  assert.equal(code, 0);
  for (const secret of Object.values(document.leader)) assert.equal(out.includes(secret), false);
  assert.match(out, /secrets +verification key/);
  assert.match(out, /report +\d+ bytes/);
  assert.match(out, /discrete Gaussian, rho 1\/8 \(zCDP\).*one report more or less/);
  const json = await runCli(['analytics', 'task', 'show', join(at, 'task.json'), '--json']);
  const shown = JSON.parse(json.out) as { noise: { deviation: number }[]; secrets: string[]; reportBytes: number };
  assert.deepEqual(shown.secrets, []);
  // Two aggregators, each with a variance of 1 / (2 rho).
  assert.ok(Math.abs(shown.noise[0]!.deviation - Math.sqrt(2 * 4)) < 0.01);
});

test('task list shows each task once, and fails for one that cannot be used', async () => {
  const at = join(folder, 'listed');
  mkdirSync(at);
  for (const name of ['one', 'two']) await taskNew(join('listed', name), 'count', [], { title: name });
  const { code, out } = await runCli(['analytics', 'task', 'list', at]);
  assert.equal(code, 0);
  assert.equal(out.trimEnd().split('\n').length, 3);
  assert.match(out, /collector, helper, leader, everybody +one\n/);
  const broken = readFileSync(join(at, 'one', 'task.json'), 'utf8').replace('"title": "one"', '"title": "other"');
  writeFileSync(join(at, 'broken.json'), broken);
  const failed = await runCli(['analytics', 'task', 'list', at]);
  assert.equal(failed.code, 1);
  assert.match(failed.err, /broken\.json; parameters\.taskInfo is not the fingerprint of title and statistic\n$/);
});

test('a collector can keep the private key', async () => {
  const [keyFile, publicFile, at] = [join(folder, 'key.json'), join(folder, 'public.json'), join(folder, 'kept')];
  const key = await runCli(['analytics', 'task', 'key', keyFile, '--json']);
  assert.equal(key.code, 0);
  writeFileSync(publicFile, key.out);
  assert.equal((await runCli(['analytics', 'task', 'key', keyFile])).code, 2, 'a key is not overwritten');
  const made = await runCli([
    'analytics',
    'task',
    'new',
    at,
    '--title',
    'Kept',
    '--statistic',
    'count',
    '--min-batch',
    '2',
    '--leader',
    parties.leaderUrl,
    '--helper',
    parties.helperUrl,
    '--collector-key',
    publicFile,
  ]);
  assert.equal(made.code, 0, made.err);
  assert.match(made.out, /the private key is where it was made/);
  await parties.take(at);
  assert.doesNotMatch(readFileSync(join(at, 'collector.json'), 'utf8'), /privateKey/);
  await upload(at, ['1', '1']);
  assert.match((await collect(at)).err, /does not hold the private key; name the key file with --key/);
  assert.equal((await collect(at, ['--key', keyFile])).code, 0);
});

const MISTAKES: readonly [args: string[], error: RegExp][] = [
  [['task', 'new', 'x', '--title', 'T'], /statistic is missing/],
  [['task', 'new', 'x', '-p', 'lo=1'], /Cannot use --parameter; there is no --statistic/],
  [['task', 'new', 'x', '--statistic', 'mean', '-p', 'lo'], /it is not "name=value"/],
  [['task', 'show', 'package.json'], /it is no task file/],
  [['task', 'show', 'absent.json'], /there is no such file/],
  [['upload', '--task', 'absent.json', '1'], /there is no such file/],
  [['collect', '--task', 'absent.json', '--next'], /there is no such file/],
  [['rounds', 'x', '--publish-leader', 'y', '--publish-helper', 'z'], /title is missing/],
];

for (const [args, error] of MISTAKES) {
  test(`analytics ${args.join(' ')} exits 2 and says what is wrong`, async () => {
    const { code, out, err } = await runCli(['analytics', ...args]);
    assert.deepEqual([code, out], [2, '']);
    assert.match(err, error);
  });
}

test('mistakes about a task that is there', async () => {
  const at = await taskNew('mistakes', 'linear-regression', [
    'features=[{name: x, lo: 0, hi: 1, step: 1}]',
    'target={name: y, lo: 0, hi: 1, step: 1}',
  ]);
  const cases: readonly [run: Promise<CliResult>, code: number, error: RegExp][] = [
    [upload(at, []), 2, /there are no values/],
    [upload(at, ['-i', '-'], 'a,b\n1,2\n'), 2, /Cannot use the column "x"; the file has the columns a, b/],
    [upload(at, ['-i', '-', '--column', 'z=a'], 'x,y\n'), 2, /it is not "VARIABLE=COLUMN"; there are x, y/],
    [upload(at, ['-i', 'absent.csv']), 2, /Cannot read absent\.csv; there is no such file/],
    [upload(at, ['--gateway', 'https://g.example', 'x=1,y=1']), 2, /Cannot use --gateway; there is no --relay/],
    [runCli(['analytics', 'collect', '--task', join(at, 'task.json'), '--next']), 2, /name collector\.json/],
    [runCli(['analytics', 'collect', '--task', join(at, 'collector.json')]), 2, /--from and --to, or --next/],
    [collect(at, ['--from', '2026-05-01T10:00']), 2, /it is no ISO 8601 time with a zone/],
    [collect(at, ['--from', '2026-05-01T10:00:01Z']), 2, /not made of whole units/],
    [collect(at, ['--wait', '5']), 2, /it is no duration/],
  ];
  for (const [run, code, error] of cases) {
    const result = await run;
    assert.match(result.err, error);
    assert.equal(result.code, code);
  }
});

test('an aggregator that is away exits 3', async () => {
  const [leader, helper] = ['http://127.0.0.1:9', 'http://127.0.0.1:9/helper'];
  const at = await taskNew('away', 'count', [], { leader, helper });
  const { code, err } = await upload(at, ['-i', '-'], 'yes\n1\n0\n');
  assert.equal(code, 3);
  assert.match(err, /ECONNREFUSED/);
});

test('upload says from where to go on when the leader goes away', async () => {
  let posts = 0;
  const front = await serve(
    async (request) => {
      // The first report alone comes through.
      if (request.method === 'POST' && ++posts > 1) return { status: 400, fields: [], body: null };
      const body = (await request.body.read(2 ** 20)) as Uint8Array<ArrayBuffer>;
      const headers = { 'content-type': request.header('content-type') ?? '' };
      const init = { method: request.method, headers, ...(body.length > 0 && { body }) };
      const answer = await fetch(`${parties.leaderUrl}${request.path}`, init);
      return { status: answer.status, fields: [...answer.headers], body: new Uint8Array(await answer.arrayBuffer()) };
    },
    { log: () => undefined },
  );
  after(() => front.close(0));
  const at = await taskNew('front', 'count', [], { leader: front.url.replace(/\/$/, '') });
  const { code, err } = await upload(at, ['-i', '-'], 'yes\nperhaps\n1\n0\n1\n');
  assert.equal(code, 1);
  assert.match(
    err,
    /Cannot upload the rest; .*status 400; everything before line 4 is done; go on with --start-line 4; /,
  );
});
