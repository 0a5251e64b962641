/** The task file: what a second party joins with, and what it may not be fooled by. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import { fromBase64Url, toBase64Url } from '@privacy-edge/bytes';
import { importHpkeKey, TaskConfiguration } from '@privacy-edge/dap';
import { parseRational } from '@privacy-edge/dp';
import * as fc from 'fast-check';
import { generateCollectorKey } from '../src/collector/index.ts';
import { AnalyticsError } from '../src/index.ts';
import { numberBuckets } from '../src/statistics/index.ts';
import {
  createPrivateTask,
  createTaskSecrets,
  formatTask,
  type HpkeKey,
  type PrivateTaskOptions,
  parseCollectorTask,
  parseHelperTask,
  parseLeaderTask,
  parseTask,
  type Statistic,
  splitTask,
  systemRandom,
  taskOf,
} from '../src/task/index.ts';
import { COUNT, FUZZ_RUNS, failure, HOUR_MS, MAY, taskOptions } from './parties.ts';

type Json = { [name: string]: Json } | Json[] | string | number | boolean | null;
type Place = readonly (string | number)[];

const PLAN = {
  alphabet: { kind: 'bits', bits: 4 },
  maxLength: 9,
  minCount: 5,
  minShare: 0.01,
  maxPrefixes: 20,
} as const;

const STATISTICS: Statistic[] = [
  { kind: 'count' },
  { kind: 'mean', lo: -10, hi: 40, step: 0.1, outside: 'refuse', unit: '°C' },
  { kind: 'mean', lo: 0, hi: 2 ** 52, step: 1 },
  { kind: 'histogram', buckets: numberBuckets([0, 1, 10, 100], 'clip'), unit: 's' },
  { kind: 'histogram', buckets: { kind: 'categories', categories: ['a', 'b'], other: true } },
  { kind: 'flags', names: ['x', 'y', 'z'] },
  { kind: 'flags', names: ['x', 'y', 'z'], maxWeight: 2 },
  { kind: 'common-words', words: ['tea', 'milk'], ignoreCase: true },
  { kind: 'prefix-round', plan: PLAN, round: 0, prefixes: [[]] },
  {
    kind: 'prefix-round',
    plan: PLAN,
    round: 2,
    prefixes: [
      [6, 1],
      [7, 15],
    ],
  },
  { kind: 'poplar1', maxBytes: 12, bitsPerRound: 5, minCount: 10, maxPrefixes: 64 },
  {
    kind: 'linear-regression',
    features: [
      { name: 'age', lo: 0, hi: 120, step: 1 },
      { name: 'smoker', lo: 0, hi: 1, step: 1, outside: 'refuse' },
    ],
    target: { name: 'pressure', lo: 50, hi: 250, step: 0.5 },
  },
];

let key: HpkeKey;

async function documentOf(
  statistic: Statistic,
  more: Partial<PrivateTaskOptions<never>> = {},
): Promise<Record<string, Json>> {
  key ??= await generateCollectorKey(33);
  const task = await createPrivateTask({ ...taskOptions(statistic, key), ...more }, systemRandom);
  return JSON.parse(JSON.stringify(formatTask(task)));
}

const FULL: Partial<PrivateTaskOptions<never>> = {
  taskInterval: { from: new Date(MAY), to: new Date(MAY + 24 * HOUR_MS) },
  noise: { mechanism: { kind: 'gaussian', rho: parseRational('3/16') }, adjacency: 'addition' },
  protocol: 'dap-19',
  batchMode: 'leader-selected',
};

/** Objects with their members in another order. */
function reversed(value: Json): Json {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, member]) => [name, reversed(member)]),
  );
}

/** Every place in a document but the root. */
function places(value: Json, at: Place = []): Place[] {
  if (typeof value !== 'object' || value === null) return [];
  const entries: [string | number, Json][] = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return entries.flatMap(([name, member]) => [[...at, name], ...places(member, [...at, name])]);
}

/** A copy in which one place is changed; undefined removes it. */
function changed(document: Json, place: Place, change: (value: Json) => Json | undefined): Json {
  const copy = structuredClone(document);
  let parent = copy as unknown as Record<string | number, Json>;
  for (const name of place.slice(0, -1)) parent = parent[name] as unknown as Record<string | number, Json>;
  const last = place.at(-1)!;
  const value = change(parent[last]!);
  if (value !== undefined) parent[last] = value;
  else if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else delete parent[last];
  return copy;
}

describe('the task file', () => {
  for (const statistic of STATISTICS) {
    it(`comes back as it was: ${JSON.stringify(statistic).slice(0, 60)}`, async () => {
      const document = await documentOf(statistic, statistic.kind === 'poplar1' ? {} : FULL);
      for (const variant of [document, reversed(document)]) {
        const task = await parseTask(variant);
        assert.deepEqual(task.statistic, statistic);
        assert.deepEqual(JSON.parse(JSON.stringify(formatTask(task))), document);
      }
      assert.equal((await taskOf(await parseTask(document), statistic.kind)).statistic.kind, statistic.kind);
    });
  }

  it('is readable', async () => {
    const { parameters, configuration, ...rest } = await documentOf(COUNT, {
      ...FULL,
      taskId: new Uint8Array(32).fill(7),
    });
    const { taskInfo, ...readable } = parameters as Record<string, Json>;
    assert.equal(fromBase64Url(taskInfo as string).length, 32);
    assert.deepEqual(readable, {
      leader: 'https://leader.example/dap',
      helper: 'https://helper.example',
      timePrecisionSeconds: 3600,
      minBatchSize: 2,
      batchMode: 'leader-selected',
      vdaf: { kind: 'count' },
      taskInterval: { from: '2026-05-01T00:00:00.000Z', to: '2026-05-02T00:00:00.000Z' },
      noise: { mechanism: 'gaussian', rho: '3/16', adjacency: 'addition' },
    });
    assert.equal(TaskConfiguration.decode(fromBase64Url(configuration as string)).timePrecision, 3600);
    const hpke = { id: 33, kem: 32, kdf: 1, aead: 1, publicKey: toBase64Url(key.config.publicKey) };
    assert.deepEqual(rest, {
      format: 'privacy-edge-task',
      version: 1,
      title: 'Test',
      protocol: 'dap-19',
      taskId: toBase64Url(new Uint8Array(32).fill(7)),
      statistic: { kind: 'count' },
      collector: { hpke },
    });
  });

  it('cannot be changed anywhere without being refused', async () => {
    for (const statistic of STATISTICS) {
      const document = await documentOf(statistic);
      for (const place of places(document)) {
        const name = place.join('.');
        // These say who a task is and whom its results are for; nothing in the document can contradict them.
        if (name === 'taskId' || name === 'protocol' || name.startsWith('collector')) continue;
        for (const change of [
          (): undefined => undefined,
          (): Json => null,
          (): Json => [],
          (): Json => ({}),
          (): Json => 'other',
          (value: Json): Json => (typeof value === 'number' ? value + 1 : typeof value === 'boolean' ? !value : 7),
          (value: Json): Json => (typeof value === 'string' ? `${value}A` : -1),
        ]) {
          const wrong = changed(document, place, change);
          if (inspect(wrong, { depth: 20 }) === inspect(document, { depth: 20 })) continue;
          const error = await failure(() => parseTask(wrong), 'TASK_INVALID').catch((problem: unknown) =>
            assert.fail(`${name}: ${inspect(problem)}`),
          );
          assert.ok(error.path !== undefined);
        }
      }
    }
  });

  it('tells where it is wrong', async () => {
    const document = await documentOf(STATISTICS.at(-1)!, FULL);
    const cases: [Place, Json | undefined, string][] = [
      [['format'], 'task', 'format'],
      [['version'], 2, 'version'],
      [['taskId'], 'AAAA', 'taskId'],
      [['taskId'], '*', 'taskId'],
      [['title'], undefined, 'title'],
      [['title'], 'Another', 'parameters.taskInfo'],
      [['extra'], 1, 'extra'],
      [['parameters', 'minBatchSize'], 1, 'parameters.minBatchSize'],
      [['parameters', 'vdaf', 'maxValues', 1], 5, 'parameters.vdaf.maxValues[1]'],
      [['parameters', 'noise', 'rho'], '1', 'parameters.noise.rho'],
      [['parameters', 'noise', 'delta'], '1', 'parameters.noise.delta'],
      [['parameters', 'taskInterval'], undefined, 'parameters.taskInterval'],
      [['statistic', 'features', 0, 'step'], 'x', 'statistic.features[0].step'],
      [['statistic', 'features', 1, 'name'], 'age', 'statistic'],
      [['statistic', 'features', 0, 'lo'], -120, 'statistic'],
      [['statistic', 'kind'], 'sum', 'statistic.kind'],
      [['configuration'], 'AAAA', 'configuration'],
      [['collector', 'hpke', 'kem'], 0x7777, 'collector.hpke'],
      [['collector', 'hpke', 'publicKey'], 'AAAA', 'collector.hpke'],
      [['collector', 'privateKey'], 'AAAA', 'collector.privateKey'],
      [['protocol'], 'dap-09', 'protocol'],
    ];
    for (const [place, value, path] of cases) {
      const error = await failure(() => parseTask(changed(document, place, () => value)), 'TASK_INVALID');
      assert.equal(error.path, path);
    }
    for (const wrong of [null, 1, 'x', [], undefined]) await failure(() => parseTask(wrong), 'TASK_INVALID');
  });

  it('never fails in another way, whatever it is', async () => {
    const documents = await Promise.all(STATISTICS.map((statistic) => documentOf(statistic)));
    const case_ = fc
      .constantFrom(...documents)
      .chain((document) =>
        fc.tuple(
          fc.constant(document),
          fc.constantFrom(...places(document)),
          fc.oneof(fc.jsonValue(), fc.double(), fc.bigInt()),
        ),
      );
    await fc.assert(
      fc.asyncProperty(case_, async ([document, place, value]) => {
        try {
          await parseTask(changed(document, place, () => value as Json));
        } catch (error) {
          assert.ok(error instanceof AnalyticsError && error.code === 'TASK_INVALID', inspect(error));
        }
      }),
      { numRuns: FUZZ_RUNS },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...documents),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        async (document, at, flip) => {
          const bytes = fromBase64Url(document['configuration'] as string);
          bytes[at % bytes.length]! ^= flip;
          const wrong = { ...document, configuration: toBase64Url(bytes) };
          await failure(() => parseTask(wrong), 'TASK_INVALID');
        },
      ),
      { numRuns: FUZZ_RUNS },
    );
  });
});

describe('createPrivateTask()', () => {
  it('refuses what nobody should take part in', async () => {
    key ??= await generateCollectorKey(33);
    const cases: [Partial<PrivateTaskOptions<Statistic>>, string][] = [
      [{ leader: 'http://leader.example' }, 'parameters.leader'],
      [{ leader: 'https://user:pass@leader.example' }, 'parameters.leader'],
      [{ helper: 'https://helper.example/?a' }, 'parameters.helper'],
      [{ helper: 'https://helper.example/#a' }, 'parameters.helper'],
      [{ helper: 'https://hélper.example' }, 'parameters.helper'],
      [{ helper: '/dap' }, 'parameters.helper'],
      [{ minBatchSize: 0 }, 'parameters.minBatchSize'],
      [{ timePrecisionSeconds: 0.5 }, 'parameters.timePrecisionSeconds'],
      [{ taskInterval: { from: new Date(MAY + 1), to: new Date(MAY + HOUR_MS) } }, 'parameters.taskInterval'],
      [{ taskInterval: { from: new Date(MAY), to: new Date(MAY) } }, 'parameters.taskInterval'],
      [{ statistic: { kind: 'flags', names: ['a', 'a'] } }, 'statistic'],
      [{ statistic: { kind: 'flags', names: ['a'], maxWeight: 2 } }, 'statistic.maxWeight'],
      [{ statistic: { kind: 'mean', lo: 0, hi: 1, step: 0.3 } }, 'statistic'],
      [{ statistic: { kind: 'common-words', words: ['a', 'A'], ignoreCase: true } }, 'statistic'],
      [{ statistic: { kind: 'prefix-round', plan: PLAN, round: 1, prefixes: [[16]] } }, 'statistic.prefixes'],
      [{ statistic: { kind: 'prefix-round', plan: PLAN, round: 1, prefixes: [[1], [1]] } }, 'statistic.prefixes'],
      [{ statistic: { kind: 'prefix-round', plan: PLAN, round: 2, prefixes: [[1]] } }, 'statistic.prefixes'],
      [{ statistic: STATISTICS[10]!, batchMode: 'leader-selected' }, 'parameters.batchMode'],
    ];
    for (const [change, path] of cases) {
      const options = { ...taskOptions<Statistic>(COUNT, key), ...change };
      assert.equal((await failure(() => createPrivateTask(options, systemRandom), 'TASK_INVALID')).path, path);
    }
    const loopback = { ...taskOptions(COUNT, key), leader: 'http://127.0.0.1:8080/dap', helper: 'http://[::1]:9' };
    await createPrivateTask(loopback, systemRandom);
  });

  it('makes identifiers that nobody can guess', async () => {
    const [a, b] = [await documentOf(COUNT), await documentOf(COUNT)];
    assert.notEqual(a['taskId'], b['taskId']);
    assert.equal(a['configuration'], b['configuration']);
  });

  it('binds the mapping into every report', async () => {
    const [a, b] = await Promise.all([
      documentOf({ kind: 'mean', lo: 0, hi: 10, step: 1 }),
      documentOf({ kind: 'mean', lo: 5, hi: 15, step: 1 }),
    ]);
    assert.notEqual(a['configuration'], b['configuration']);
    const error = await failure(() => parseTask({ ...a, statistic: b['statistic']! }), 'TASK_INVALID');
    assert.equal(error.path, 'parameters.taskInfo');
  });
});

describe('splitTask()', () => {
  it('gives each party what it needs, and nobody what is not theirs', async () => {
    key ??= await generateCollectorKey(33);
    const task = await createPrivateTask(taskOptions(COUNT, key), systemRandom);
    const secrets = createTaskSecrets(task, systemRandom);
    const split = splitTask(task, secrets, key);
    const texts = JSON.parse(JSON.stringify(split)) as Record<'public' | 'leader' | 'helper' | 'collector', unknown>;
    const privateKey = split.collector.collector.privateKey!;
    const known = {
      verifyKey: toBase64Url(secrets.verifyKey.reveal()),
      aggregatorToken: secrets.aggregatorToken.reveal(),
      collectorToken: secrets.collectorToken.reveal(),
      privateKey,
    };
    const has = (party: keyof typeof texts): string[] =>
      Object.entries(known).flatMap(([name, value]) => (JSON.stringify(texts[party]).includes(value) ? [name] : []));
    assert.deepEqual(has('public'), []);
    assert.deepEqual(has('leader'), ['verifyKey', 'aggregatorToken', 'collectorToken']);
    assert.deepEqual(has('helper'), ['verifyKey', 'aggregatorToken']);
    assert.deepEqual(has('collector'), ['collectorToken', 'privateKey']);
    const [leader, helper, collector] = await Promise.all([
      parseLeaderTask(texts.leader),
      parseHelperTask(texts.helper),
      parseCollectorTask(texts.collector),
    ]);
    assert.deepEqual(leader.verifyKey.reveal(), helper.verifyKey.reveal());
    assert.equal(leader.aggregatorToken.reveal(), helper.aggregatorToken.reveal());
    assert.equal(leader.collectorToken.reveal(), collector.collectorToken.reveal());
    assert.deepEqual(collector.key?.config, key.config);
    for (const party of [leader, helper, collector]) {
      assert.deepEqual(formatTask(party.task), split.public);
      const printed = inspect(party, { depth: 20, showHidden: true }) + JSON.stringify({ ...party, task: undefined });
      for (const value of Object.values(known)) assert.ok(!printed.includes(value));
    }
    assert.equal((await parseCollectorTask(splitTask(task, secrets).collector)).key, undefined);
  });

  it('refuses documents for others, and secrets that are none', async () => {
    key ??= await generateCollectorKey(33);
    const task = await createPrivateTask(taskOptions(COUNT, key), systemRandom);
    const split = JSON.parse(JSON.stringify(splitTask(task, createTaskSecrets(task, systemRandom), key)));
    assert.equal((await failure(() => parseHelperTask(split.leader), 'TASK_INVALID')).path, 'format');
    assert.equal((await failure(() => parseTask(split.leader), 'TASK_INVALID')).path, 'format');
    const cases: [Json, (document: unknown) => Promise<unknown>, string][] = [
      [changed(split.leader, ['leader', 'verifyKey'], () => 'AAAA'), parseLeaderTask, 'leader.verifyKey'],
      [changed(split.leader, ['leader', 'aggregatorToken'], () => 'short'), parseLeaderTask, 'leader.aggregatorToken'],
      [
        changed(split.helper, ['helper', 'aggregatorToken'], () => `${'x'.repeat(20)}\r\n`),
        parseHelperTask,
        'helper.aggregatorToken',
      ],
      [changed(split.helper, ['helper', 'collectorToken'], () => 'x'), parseHelperTask, 'helper.collectorToken'],
      [changed(split.collector, ['collector', 'privateKey'], () => 'AAAA'), parseCollectorTask, 'collector.privateKey'],
      [changed(split.collector, ['task', 'title'], () => 5), parseCollectorTask, 'task.title'],
      [changed(split.collector, ['task', 'title'], () => 'x'), parseCollectorTask, 'task.parameters.taskInfo'],
      [changed(split.collector, ['task', 'statistic', 'kind'], () => 5), parseCollectorTask, 'task.statistic.kind'],
    ];
    for (const [document, parse, path] of cases) {
      const error = await failure(() => parse(document), 'TASK_INVALID');
      assert.equal(error.path, path);
    }
    const stranger = await generateCollectorKey(33);
    await assert.rejects(async () => importHpkeKey(key.config, new Uint8Array(32).fill(1)));
    const swapped = splitTask(task, createTaskSecrets(task, systemRandom), stranger).collector;
    assert.equal((await failure(() => parseCollectorTask(swapped), 'TASK_INVALID')).path, 'collector.privateKey');
  });
});
