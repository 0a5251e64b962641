import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { SAMPLE_KINDS } from '../src/config/sample.ts';
import { cleanEnvironment, launcher, runCli, temporaryFolder } from './run-cli.ts';

async function completed(...words: string[]): Promise<{ readonly values: string[]; readonly directive: string }> {
  const { code, out } = await runCli(['complete', '--', ...words]);
  assert.equal(code, 0);
  const lines = out.trimEnd().split('\n');
  assert.match(lines.at(-1)!, /^:\d+$/);
  return { values: lines.slice(0, -1).map((line) => line.split('\t')[0]!), directive: lines.at(-1)! };
}

async function offered(...words: string[]): Promise<string[]> {
  return (await completed(...words)).values;
}

const FILES = { values: [], directive: ':0' };

test('completion offers commands, and subcommands below them', async () => {
  assert.deepEqual(await offered(''), [
    'up',
    'prove',
    'gateway',
    'analytics',
    'keys',
    'config',
    'inspect',
    'conformance',
    'version',
    'completion',
  ]);
  assert.deepEqual(await offered('gateway', ''), ['serve', 'relay', 'fetch', 'discover']);
  assert.deepEqual(await offered('config', 'ch'), ['check']);
  assert.deepEqual(await offered('analytics', 'task', ''), ['new', 'show', 'list', 'key']);
});

test('completion offers options, and values where there is a choice', async () => {
  assert.deepEqual(await offered('up', '--'), ['--once', '--json', '--help']);
  assert.deepEqual(await offered('config', 'init', '--for', ''), [...SAMPLE_KINDS]);
  assert.deepEqual(await offered('completion', ''), ['bash', 'zsh', 'fish']);
});

test('completion offers values that are known, though others may be taken', async () => {
  assert.deepEqual(await offered('inspect', '-t', 'message/o'), ['message/ohttp-req', 'message/ohttp-chunked-req']);
  assert.deepEqual(await offered('inspect', '--media-type=application/oh'), ['application/ohttp-keys']);
  assert.deepEqual(await offered('conformance', ''), ['ohttp', 'vdaf', 'dap']);
  assert.deepEqual(await offered('gateway', 'fetch', '-X', 'P'), ['POST', 'PUT', 'PATCH']);
  assert.deepEqual(await offered('keys', 'generate', 'x', '--kem', 'x'), ['x25519', 'x-wing']);
  assert.deepEqual(await offered('analytics', 'task', 'new', 'x', '--statistic', 'm'), ['mean']);
  assert.deepEqual(await offered('analytics', 'collect', '--format', ''), ['table', 'csv', 'json', 'svg']);
});

test('completion leaves names of files to the shell, and only those', async () => {
  const files = [
    ['gateway', 'serve', '-c', ''],
    ['gateway', 'serve', '--config', 'a/'],
    ['gateway', 'serve', '--config=a'],
    ['gateway', 'fetch', 'https://a.example', '--keys', ''],
    ['gateway', 'fetch', '-X', 'PUT', '-o', ''],
    ['conformance', 'ohttp', '--vectors', ''],
    ['keys', 'list', ''],
    ['analytics', 'upload', '--task', ''],
    ['analytics', 'task', 'list', ''],
    ['keys', 'rotate', '--json', 'ga'],
    ['inspect', '--hex', ''],
  ];
  for (const words of files) assert.deepEqual(await completed(...words), FILES, words.join(' '));
  const others = [
    ['gateway', 'fetch', ''],
    ['gateway', 'fetch', '--relay', ''],
    ['keys', 'list', 'gateway-keys.json', ''],
    ['keys', 'list', '--at', ''],
    ['keys', ''],
    ['gateway', 'serve', '--config', 'a', ''],
    ['up', ''],
  ];
  for (const words of others) assert.equal((await completed(...words)).directive, ':4', words.join(' '));
});

test('completion does not offer what is hidden', async () => {
  const all = [...(await offered('')), ...(await offered('gateway', 'serve', '--'))];
  assert.equal(all.includes('complete') || all.includes('--ready-fd'), false);
});

for (const [shell, mark] of [
  ['bash', /complete -o default -F \S+ privacy-edge/],
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

test('the bash script completes in bash, and runs nothing of what is being typed', async () => {
  const { out } = await runCli(['completion', 'bash']);
  const folder = temporaryFolder();
  const ask = (line: string): { readonly replies: string[]; readonly error: string } => {
    const script = `${out}
privacy-edge() { "$NODE" "$LAUNCHER" "$@"; }
compopt() { printf '%s\\n' "$*" >&2; }
COMP_LINE="$LINE" COMP_POINT=\${#LINE}
_privacy_edge
printf '%s\\n' "\${COMPREPLY[@]}"`;
    const env = { ...cleanEnvironment(), NODE: process.execPath, LAUNCHER: launcher, LINE: line };
    const run = spawnSync('bash', ['--norc', '-c', script], { env, cwd: folder, encoding: 'utf8' });
    assert.equal(run.status, 0, run.stderr);
    return { replies: run.stdout.split('\n').filter((reply) => reply !== ''), error: run.stderr };
  };
  assert.deepEqual(ask('privacy-edge gateway se'), { replies: ['serve'], error: '+o default\n' });
  assert.deepEqual(ask('privacy-edge config init --for '), {
    replies: [...SAMPLE_KINDS],
    error: '+o default\n',
  });
  assert.deepEqual(ask('privacy-edge config init --for=g').replies, ['gateway']);
  assert.deepEqual(ask('privacy-edge gateway serve -c '), { replies: [], error: '' }, 'files are the default');
  assert.deepEqual(ask('privacy-edge inspect $(touch here) `touch here` --me').replies, ['--media-type']);
  assert.equal(existsSync(join(folder, 'here')), false);
});
