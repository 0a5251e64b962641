/**
 * The tests of the repository.
 *
 * npm test                 static gate, unit, vectors, e2e
 * npm run test:unit        tests beside the sources; further words choose files by part of their path
 * npm run test:vectors     the conformance command over every folder of vectors
 * npm run test:e2e         real processes, sockets, servers and browsers
 * npm run test:long        a million cases for each fuzzer, then e2e/long: kills, load, restarts
 */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { ensureTools } from './ensure-tools.ts';
import { requireNode, run, secondsSince } from './lib/node.ts';
import { NOTHING, runTests, sum, type Tally } from './lib/test-run.ts';
import { listFiles, ROOT } from './lib/workspace.ts';
import { ok } from './ok.ts';

const LONG = 'e2e/long/';
const VECTOR_FOLDERS = ['testing/vectors', '../shared/vectors'];
/** Areas that the conformance command knows, each a folder of vectors. */
const VECTOR_AREAS = ['ohttp', 'vdaf', 'dap'];
const MINUTE_MS = 60_000;

/** One part of the tests, by its word on the command line. */
const PARTS: Readonly<Record<string, (filters: readonly string[]) => Promise<Tally>>> = { unit, vectors, e2e, long };

async function main([part, ...filters]: readonly string[]): Promise<void> {
  const started = performance.now();
  let gate = true;
  let tally: Tally;
  if (part === undefined) {
    heading('Static gate');
    gate = await ok();
    tally = sum(await prepareTools(), await unit([]), await vectors(), await e2e([]));
  } else {
    const chosen = PARTS[part];
    if (chosen === undefined) {
      console.error(`There is no part "${part}": ${Object.keys(PARTS).join(', ')}, or none for all but long`);
      process.exitCode = 2;
      return;
    }
    tally = sum(await prepareTools(), await chosen(filters));
  }
  if (tally.passed + tally.failed === 0) console.log('No test ran');
  const passed = gate && tally.failed === 0 && tally.passed > 0;
  console.log(`\n${passed ? 'Passed' : `FAILED${gate ? '' : ' (static gate, see above)'}`}, ${secondsSince(started)}`);
  console.log(`${tally.passed} passed, ${tally.failed + (gate ? 0 : 1)} failed, ${tally.skipped} skipped`);
  if (!passed) process.exitCode = 1;
}

async function unit(filters: readonly string[]): Promise<Tally> {
  heading('Unit tests');
  const files = testFiles().filter((file) => !file.startsWith('e2e/'));
  return await runTests(chosen(files, filters), { concurrency: availableParallelism(), timeoutMs: 2 * MINUTE_MS });
}

async function e2e(filters: readonly string[]): Promise<Tally> {
  heading('End to end');
  const files = testFiles().filter((file) => file.startsWith('e2e/') && !file.startsWith(LONG));
  return await runTests(chosen(files, filters), { concurrency: 1, timeoutMs: 5 * MINUTE_MS });
}

async function long(filters: readonly string[]): Promise<Tally> {
  heading('Long runs: fuzzing');
  process.env['PRIVACY_EDGE_FUZZ_RUNS'] ??= '1000000';
  process.env['PRIVACY_EDGE_LONG'] = '1';
  const fuzz = testFiles().filter((file) => !file.startsWith('e2e/') && /(?:fuzz|propert)[\w.-]*$/.test(file));
  const fuzzed = await runTests(chosen(fuzz, filters), {
    concurrency: availableParallelism(),
    timeoutMs: 120 * MINUTE_MS,
  });
  heading('Long runs: kill, load, restart');
  const files = testFiles().filter((file) => file.startsWith(LONG));
  const ran = await runTests(chosen(files, filters), { concurrency: 1, timeoutMs: 60 * MINUTE_MS });
  return sum(fuzzed, ran);
}

/** Each folder of vectors through the command that users have; folders that are not here are named. */
async function vectors(): Promise<Tally> {
  heading('Vectors');
  let tally = NOTHING;
  for (const area of VECTOR_AREAS) {
    for (const folder of VECTOR_FOLDERS) {
      const path = `${folder}/${area}`;
      if (existsSync(join(ROOT, path))) tally = sum(tally, await conformance(area, path));
      else console.log(`not here: ${path}`);
    }
  }
  return tally;
}

async function conformance(area: string, folder: string): Promise<Tally> {
  console.log(`privacy-edge conformance ${area} --vectors ${folder}`);
  const { ok: good, output } = await run('node', [
    'apps/cli/bin/privacy-edge.cjs',
    'conformance',
    area,
    '--vectors',
    folder,
  ]);
  const counts = /^(\d+) passed, (\d+) failed, (\d+) skipped$/m.exec(output);
  const tally = {
    passed: Number(counts?.[1] ?? 0),
    failed: Number(counts?.[2] ?? 0),
    skipped: Number(counts?.[3] ?? 0),
  };
  const broken = !good || counts === null;
  const shown = output.trimEnd().split('\n');
  console.log((broken ? shown : shown.slice(-1)).map((line) => `     ${line}`).join('\n'));
  return broken ? { ...tally, failed: Math.max(1, tally.failed) } : tally;
}

/** Finds or installs servers and browsers; on a CI machine each that is missing counts as a failed test. */
async function prepareTools(): Promise<Tally> {
  const { environment, missing } = await ensureTools();
  Object.assign(process.env, environment);
  if (process.env['CI'] !== 'true' || missing.length === 0) return NOTHING;
  console.log(`Missing on a CI machine: ${missing.map((tool) => tool.debian).join(', ')}`);
  return { ...NOTHING, failed: missing.length };
}

function testFiles(): string[] {
  return listFiles(ROOT, '', ['.test.ts']);
}

function chosen(files: readonly string[], filters: readonly string[]): string[] {
  const matching = files.filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)));
  return matching.map((file) => join(ROOT, file));
}

function heading(text: string): void {
  console.log(`\n== ${text}`);
}

requireNode();
process.chdir(ROOT);
process.env['PATH'] = `${join(ROOT, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}`;
await main(process.argv.slice(2));
