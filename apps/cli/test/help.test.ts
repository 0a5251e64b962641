import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Command } from 'commander';
import { ExitCode } from '../src/exit-code.ts';
import { createProgram } from '../src/program.ts';
import { root, runCli } from './run-cli.ts';

const folder = join(root, 'docs/cli');

function visible(command: Command, path: readonly string[] = []): [readonly string[], Command][] {
  const children = command
    .createHelp()
    .visibleCommands(command)
    .filter((child) => child.name() !== 'help');
  return [[path, command], ...children.flatMap((child) => visible(child, [...path, child.name()]))];
}

function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({
    writeOut: (part) => (text += part),
    getOutHelpWidth: () => 80,
    getOutHasColors: () => false,
  });
  command.outputHelp();
  return text;
}

const commands = visible(createProgram({ exitCode: ExitCode.OK }));

for (const [path, command] of commands) {
  const name = ['privacy-edge', ...path].join(' ');
  const file = join(folder, `${['privacy-edge', ...path].join('-')}.txt`);
  test(`${name} --help is the committed transcript`, () => {
    const text = helpOf(command);
    if (process.env['PRIVACY_EDGE_UPDATE_TRANSCRIPTS'] === '1') {
      mkdirSync(folder, { recursive: true });
      writeFileSync(file, text);
    }
    assert.ok(existsSync(file), 'run the tests with PRIVACY_EDGE_UPDATE_TRANSCRIPTS=1');
    assert.equal(text, readFileSync(file, 'utf8'));
  });

  test(`${name} --help fits 80 columns, has examples and exit codes`, () => {
    const text = helpOf(command);
    const [body = ''] = text.split('\nExamples:\n');
    for (const line of body.split('\n')) assert.ok(line.length <= 80, line);
    assert.match(text, /\nExamples:\n {2}\S/);
    assert.match(text, /\nExit codes:\n {2}0 {3}it worked\n/);
  });
}

test('every option and argument says what it is', () => {
  for (const [path, command] of commands) {
    for (const option of command.options)
      assert.notEqual(option.description ?? '', option.hidden ? null : '', `${path.join(' ')} ${option.flags}`);
    for (const argument of command.registeredArguments)
      assert.notEqual(argument.description, '', `${path.join(' ')} ${argument.name()}`);
  }
});

test('privacy-edge --help goes to standard output and exits 0', async () => {
  const { code, out, err } = await runCli(['--help']);
  assert.deepEqual([code, err], [0, '']);
  assert.equal(out, readFileSync(join(folder, 'privacy-edge.txt'), 'utf8'));
});

const MISTAKES: readonly [args: string[], error: RegExp][] = [
  [['gatway'], /^privacy-edge: Unknown command "gatway"; did you mean gateway\?; see --help\n$/],
  [['gateway', 'sevre'], /^privacy-edge: Unknown command "sevre"; did you mean serve\?; see --help\n$/],
  [['config', 'check', '--jsno'], /^privacy-edge: Unknown option "--jsno"; did you mean --json\?; see --help\n$/],
  [['keys', 'generate'], /^privacy-edge: Missing required argument "file"; see --help\n$/],
  [
    ['gateway', 'fetch', 'https://a.example'],
    /^privacy-edge: Required option "--relay <url>" not specified; see --help\n$/,
  ],
  [['keys', 'generate', 'x', '--kem', 'foo'], /^privacy-edge: Option "--kem <kems\.\.\.>" argument "foo" is invalid/],
  [['completion', 'tcsh'], /^privacy-edge: Command-argument value "tcsh" is invalid for argument "shell"/],
  [['version', 'extra'], /^privacy-edge: Too many arguments for "version"/],
];

for (const [args, error] of MISTAKES) {
  test(`privacy-edge ${args.join(' ')} exits 2 and says what is wrong`, async () => {
    const { code, out, err } = await runCli(args);
    assert.deepEqual([code, out], [2, '']);
    assert.match(err, error);
  });
}

test('privacy-edge without a command shows help on standard error and exits 2', async () => {
  const { code, out, err } = await runCli([]);
  assert.deepEqual([code, out], [2, '']);
  assert.match(err, /^Usage: privacy-edge /);
});

test('privacy-edge version --json names the runtime', async () => {
  const { code, out } = await runCli(['version', '--json']);
  assert.equal(code, 0);
  assert.equal((JSON.parse(out) as { node: string }).node, process.versions.node);
});
