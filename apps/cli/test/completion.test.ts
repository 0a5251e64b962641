import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { runCli } from './run-cli.ts';

async function offered(...words: string[]): Promise<string[]> {
  const { code, out } = await runCli(['complete', '--', ...words]);
  assert.equal(code, 0);
  const lines = out.trimEnd().split('\n');
  assert.match(lines.at(-1)!, /^:\d+$/);
  return lines.slice(0, -1).map((line) => line.split('\t')[0]!);
}

test('completion offers commands, and subcommands below them', async () => {
  assert.deepEqual(await offered(''), [
    'up',
    'gateway',
    'keys',
    'config',
    'inspect',
    'conformance',
    'version',
    'completion',
  ]);
  assert.deepEqual(await offered('gateway', ''), ['serve', 'relay', 'fetch', 'discover']);
  assert.deepEqual(await offered('config', 'ch'), ['check']);
});

test('completion offers options, and values where there is a choice', async () => {
  assert.deepEqual(await offered('up', '--'), ['--once', '--json', '--help']);
  assert.deepEqual(await offered('config', 'init', '--for', ''), ['gateway', 'relay', 'both']);
  assert.deepEqual(await offered('completion', ''), ['bash', 'zsh', 'fish']);
});

test('completion does not offer what is hidden', async () => {
  const all = [...(await offered('')), ...(await offered('gateway', 'serve', '--'))];
  assert.equal(all.includes('complete') || all.includes('--ready-fd'), false);
});

for (const [shell, mark] of [
  ['bash', /complete -F \S+ privacy-edge/],
  ['zsh', /^#compdef privacy-edge/],
  ['fish', /complete -c privacy-edge/],
] as const) {
  test(`completion script for ${shell}`, async () => {
    const { code, out, err } = await runCli(['completion', shell]);
    assert.deepEqual([code, err], [0, '']);
    assert.match(out, mark);
    assert.match(out, /privacy-edge complete --/);
  });
}

test('the bash script is valid bash', async () => {
  const { out } = await runCli(['completion', 'bash']);
  const checked = spawnSync('bash', ['-n'], { input: out });
  assert.equal(checked.status, 0, checked.stderr.toString());
});
