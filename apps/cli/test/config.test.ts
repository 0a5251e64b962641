import assert from 'node:assert/strict';
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { interpretConfig } from '../src/config/load.ts';
import { printConfig } from '../src/config/print.ts';
import { formatProblem } from '../src/config/problem.ts';
import { SAMPLE_KINDS, sampleConfig } from '../src/config/sample.ts';
import { jsonSchemaText } from '../src/config/schema.ts';
import { root, runCli, temporaryFolder } from './run-cli.ts';

const KEYS = 'keys: {file: k.json}';

function problemsOf(text: string, environment: Record<string, string> = {}): string[] {
  return interpretConfig('e.yaml', text, { environment }).problems.map(formatProblem);
}

function leader(lines: string): string {
  return `analyticsLeader:\n  secretFile: s\n  tasksFolder: t\n${lines}`;
}

function gateway(lines: string): string {
  return `gateway:\n  ${KEYS}\n  targets: [{origin: "https://a.example"}]\n${lines}`;
}

const CASES: readonly [name: string, text: string, expected: readonly RegExp[]][] = [
  ['not YAML', 'gateway: [1\n', [/^e\.yaml:2:1: error: not valid YAML: /]],
  [
    'aliases that multiply',
    `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\ngateway: [*c,*c]\n`,
    [/^e\.yaml:1:1: error: not usable: its aliases repeat too much$/],
  ],
  ['a key twice', 'gateway: {}\ngateway: {}\n', [/^e\.yaml:2:1: error: not valid YAML: map keys must be unique$/]],
  [
    'a file with no section',
    '# nothing\n',
    [
      /^e\.yaml:\d+:1: error: has no section; expected one or more of gateway, relay, analyticsLeader, analyticsHelper$/,
    ],
  ],
  [
    'a list at the top',
    '- a\n',
    [
      /^e\.yaml:1:1: error: expected a group of keys \(gateway, relay, analyticsLeader, analyticsHelper\); found a list$/,
    ],
  ],
  [
    'an unknown section',
    `${gateway('')}relai: 1\n`,
    [/^e\.yaml:4:1: error: relai: unknown key; did you mean relay\?$/],
  ],
  ['an unknown key', gateway('  prot: 1\n'), [/^e\.yaml:4:3: error: gateway\.prot: unknown key; did you mean port\?$/]],
  [
    'an unknown key like nothing else',
    gateway('  admin: {zzzzzz: 1}\n'),
    [/^e\.yaml:4:11: error: gateway\.admin\.zzzzzz: unknown key; expected one of enabled, host, port, names$/],
  ],
  [
    'a leader without a database',
    leader(''),
    [
      /^e\.yaml:2:3: error: analyticsLeader\.storage: expected exactly one of sqliteFile, postgresUrl, postgresUrlFile and PRIVACY_EDGE_ANALYTICS_LEADER_POSTGRES_URL; found 0$/,
    ],
  ],
  [
    'a leader with two databases',
    leader('  storage: {sqliteFile: a, postgresUrl: "postgres://b/c"}\n'),
    [/^e\.yaml:4:12: error: analyticsLeader\.storage: expected exactly one of .*; found 2$/],
  ],
  [
    'a password in the configuration',
    leader('  storage: {postgresUrl: "postgres://user:password@b/c"}\n'),
    [
      /^e\.yaml:4:26: error: analyticsLeader\.storage\.postgresUrl: expected a postgres:\/\/ URL without password; found /,
    ],
  ],
  [
    'a helper without secret, and without a folder for tasks',
    'analyticsHelper: {storage: {sqliteFile: a}}\n',
    [/^e\.yaml:1:18: error: analyticsHelper\.tasksFolder: missing; expected the name of a folder$/],
  ],
  [
    'a helper without secret',
    'analyticsHelper: {tasksFolder: t, storage: {sqliteFile: a}}\n',
    [
      /^e\.yaml:1:18: error: analyticsHelper\.secretFile: expected exactly one of this and PRIVACY_EDGE_ANALYTICS_HELPER_SECRET; found 0$/,
    ],
  ],
  [
    'keys that go while clients have them, and other times that do not fit',
    leader(
      '  storage: {sqliteFile: a}\n  hpke: {cache: 8d}\n  lease: 90s\n  jobs: {minSize: 200}\n  paces: {work: 1ms}\n',
    ),
    [
      /^e\.yaml:5:9: error: analyticsLeader\.hpke\.overlap: expected at least twice hpke\.cache$/,
      /^e\.yaml:6:10: error: analyticsLeader\.lease: expected at least twice helpers\.timeout$/,
      /^e\.yaml:7:\d+: error: analyticsLeader\.jobs\.minSize: expected at most maxSize, 100$/,
      /^e\.yaml:8:\d+: error: analyticsLeader\.paces\.work: expected at least 10ms$/,
    ],
  ],
  [
    'a path that ends in a slash',
    leader('  storage: {sqliteFile: a}\n  basePath: /dap/\n'),
    [/^e\.yaml:5:13: error: analyticsLeader\.basePath: expected a path such as \/dap without a slash at its end/],
  ],
  [
    'a port out of range',
    gateway('  port: 70000\n'),
    [/^e\.yaml:4:9: error: gateway\.port: expected a TCP port, 0 to 65535; found 70000$/],
  ],
  [
    'a number written as text',
    gateway('  port: "1"\n'),
    [/^e\.yaml:4:9: error: gateway\.port: expected a TCP port, 0 to 65535; found "1"$/],
  ],
  [
    'a duration without unit',
    gateway('  drain: 30\n'),
    [/^e\.yaml:4:10: error: gateway\.drain: expected a duration with its unit, .*; found 30$/],
  ],
  [
    'a size without unit',
    gateway('  limits:\n    maxRequest: 4096\n'),
    [/^e\.yaml:5:17: error: gateway\.limits\.maxRequest: expected a size with its unit, .*; found 4096$/],
  ],
  [
    'a word that is none of the choices',
    gateway('  log: {level: loud}\n'),
    [/^e\.yaml:4:16: error: gateway\.log\.level: expected one of debug, info, warn, error, silent; found "loud"$/],
  ],
  [
    'a list item of the wrong kind',
    gateway('  corsOrigins: ["*", 3]\n'),
    [/^e\.yaml:4:22: error: gateway\.corsOrigins\[1\]: expected an origin .*; found 3$/],
  ],
  [
    'an empty value',
    gateway('  workers:\n'),
    [/^e\.yaml:4:\d+: error: gateway\.workers: expected a whole number, 1 to 64; found nothing$/],
  ],
  [
    'a required key that is missing',
    `gateway:\n  ${KEYS}\n  targets:\n    - pathPrefix: /\n`,
    [/^e\.yaml:4:7: error: gateway\.targets\[0\]\.origin: missing; expected an origin /],
  ],
  [
    'no key material',
    'gateway: {targets: [{origin: "https://a.example"}]}\n',
    [/^e\.yaml:1:10: error: gateway\.keys: no key material; set file .*PRIVACY_EDGE_GATEWAY_SEED$/],
  ],
  [
    'a schedule beside a key file',
    'gateway:\n  keys: {file: k, epoch: 1d}\n  targets: [{origin: "https://a.example"}]\n',
    [/^e\.yaml:2:26: error: gateway\.keys\.epoch: is in the key file; remove it here/],
  ],
  [
    'keys published more than an epoch ahead',
    'gateway:\n  keys: {seedFile: k, epoch: 1h, publishAhead: 2h}\n  targets: [{origin: "https://a.example"}]\n',
    [/^e\.yaml:2:48: error: gateway\.keys\.publishAhead: expected at most the epoch, 1h$/],
  ],
  [
    'clear text to another machine',
    `gateway:\n  ${KEYS}\n  targets:\n    - origin: http://a.example\n`,
    [
      /^e\.yaml:4:15: error: gateway\.targets\[0\]\.origin: sends requests in clear to another machine; use https, or set allowCleartext: true$/,
    ],
  ],
  [
    'a target on this machine',
    `gateway:\n  ${KEYS}\n  targets:\n    - origin: http://127.0.0.1:3000\n`,
    [/^e\.yaml:4:15: error: gateway\.targets\[0\]\.origin: is on this machine; set allowPrivate: true to allow it$/],
  ],
  [
    'an origin with a path',
    `gateway:\n  ${KEYS}\n  targets:\n    - origin: https://a.example/v1\n`,
    [/^e\.yaml:4:15: error: gateway\.targets\[0\]\.origin: expected an origin/],
  ],
  [
    'CONNECT among the methods',
    `gateway:\n  ${KEYS}\n  targets:\n    - {origin: "https://a.example", methods: [GET, CONNECT]}\n`,
    [/^e\.yaml:4:52: error: gateway\.targets\[0\]\.methods\[1\]: CONNECT is never forwarded; remove it$/],
  ],
  [
    'Redis without an address',
    gateway('  replay: {store: redis}\n'),
    [/^e\.yaml:4:19: error: gateway\.replay\.store: redis needs exactly one of /],
  ],
  [
    'Redis with a password in the file',
    gateway('  replay: {store: redis, redisUrl: "redis://u:secretpw@h"}\n'),
    [/^e\.yaml:4:36: error: gateway\.replay\.redisUrl: expected a redis:\/\/ or rediss:\/\/ URL without password/],
  ],
  [
    'buckets that do not ascend',
    gateway('  padding: {policy: buckets, buckets: [4KiB, 1KiB]}\n'),
    [/^e\.yaml:4:39: error: gateway\.padding\.buckets: expected ascending sizes above 0$/],
  ],
  [
    'two resources with one path',
    gateway('  keysPath: /.well-known/ohttp-gateway\n'),
    [/^e\.yaml:4:13: error: gateway\.keysPath: is the same as gatewayPath/],
  ],
  [
    'two listeners on one port',
    gateway('  port: 9443\n'),
    [/^e\.yaml:2:3: error: gateway\.admin\.port: is also the port of gateway/],
  ],
  [
    'two gateways of a relay with one path and name',
    'relay:\n  gateways:\n    - {name: a, path: /a, url: "https://g.example/"}\n    - {name: a, path: /a, url: "https://h.example/"}\n',
    [
      /^e\.yaml:4:14: error: relay\.gateways\[1\]\.name: is the same as that of gateways\[0\]/,
      /^e\.yaml:4:23: error: relay\.gateways\[1\]\.path: is the same/,
    ],
  ],
  [
    'a relay path where keys are',
    'relay:\n  gateways:\n    - {name: a, path: /a, url: "https://g.example/", keysUrl: "https://g.example/k"}\n    - {name: b, path: /a/keys, url: "https://h.example/"}\n',
    [/^e\.yaml:3:23: error: relay\.gateways\[0\]\.path: its keys are at \/a\/keys/],
  ],
  [
    'a gateway of a relay in clear text',
    'relay:\n  gateways:\n    - {name: a, path: /a, url: "http://g.example/"}\n',
    [/^e\.yaml:3:32: error: relay\.gateways\[0\]\.url: sends messages in clear/],
  ],
  [
    'a relayed gateway on this machine, once',
    'relay:\n  gateways:\n    - {name: a, path: /a, url: "http://127.0.0.1:1/"}\n',
    [/^e\.yaml:3:32: error: relay\.gateways\[0\]\.url: is on this machine; set allowPrivate: true to allow it$/],
  ],
  [
    'neither url nor discover',
    'relay:\n  gateways:\n    - {name: a, path: /a}\n',
    [/^e\.yaml:3:7: error: relay\.gateways\[0\]: expected exactly one of url and discover$/],
  ],
];

for (const [name, text, expected] of CASES) {
  test(`config check refuses ${name}`, () => {
    const { config, problems } = interpretConfig('e.yaml', text, { environment: {} });
    const errors = problems.filter((problem) => problem.severity === 'error').map(formatProblem);
    assert.equal(config, undefined);
    assert.equal(errors.length, expected.length, errors.join('\n'));
    for (const [i, pattern] of expected.entries()) assert.match(errors[i]!, pattern);
  });
}

test('config check says everything that is wrong at once, from top to bottom', () => {
  const problems = problemsOf('gateway:\n  port: x\n  drain: 1\n  kyes: {}\nrelay:\n  port: y\n');
  assert.deepEqual(
    problems.map((line) => line.split(': ')[0]),
    ['e.yaml:2:9', 'e.yaml:3:10', 'e.yaml:4:3', 'e.yaml:6:9'],
  );
});

test('config check warns of what is legal but hardly meant', () => {
  const text = `gateway:\n  host: 0.0.0.0\n  ${KEYS}\n  replay: {protect: none}\n  admin: {host: 0.0.0.0}\nrelay: {}\n`;
  const { config, problems } = interpretConfig('e.yaml', text, { environment: {} });
  assert.ok(config);
  assert.ok(problems.every((problem) => problem.severity === 'warning'));
  const keys = problems.map((problem) => problem.key).sort();
  assert.deepEqual(keys, [
    'gateway.admin.host',
    'gateway.host',
    'gateway.replay.protect',
    'gateway.targets',
    'relay.gateways',
  ]);
});

test('a secret that is where it must not be is not repeated in full', () => {
  const [problem] = problemsOf(gateway(`  keys: {seedFile: [${'deadbeef'.repeat(8)}]}\n`).replace(`  ${KEYS}\n`, ''));
  assert.ok(problem);
  assert.doesNotMatch(problem, /deadbeef/);
});

test('a role that is not asked about does not need its secrets', () => {
  const text = 'gateway: {}\nrelay:\n  gateways: [{name: a, path: /a, url: "https://g.example/"}]\n';
  assert.equal(interpretConfig('e.yaml', text, { environment: {} }).config, undefined);
  assert.ok(interpretConfig('e.yaml', text, { environment: {}, sections: ['relay'] }).config);
});

test('the environment overrides every kind of key', () => {
  const environment = {
    PRIVACY_EDGE_GATEWAY_PORT: '1234',
    PRIVACY_EDGE_GATEWAY_HOST: '::1',
    PRIVACY_EDGE_GATEWAY_CHUNKED: 'false',
    PRIVACY_EDGE_GATEWAY_KEYS_MAX_AGE: '5m',
    PRIVACY_EDGE_GATEWAY_TARGETS: '[{origin: "https://b.example", methods: [GET]}]',
    PRIVACY_EDGE_GATEWAY_REPLAY: '{tolerance: 10s}',
    PRIVACY_EDGE_GATEWAY_REPLAY_PROTECT: 'unsafe',
    PRIVACY_EDGE_GATEWAY_SEED: 'not a key of the file',
    PRIVACY_EDGE_FUZZ_RUNS: '7',
  };
  const { config, problems } = interpretConfig('e.yaml', 'gateway: {port: 1}\n', { environment });
  assert.deepEqual(problems, []);
  const section = config?.gateway;
  assert.ok(section);
  assert.deepEqual([section.port, section.host, section.chunked, section.keysMaxAge], [1234, '::1', false, '5m']);
  assert.deepEqual([section.targets[0]?.origin, section.targets[0]?.methods], ['https://b.example', ['GET']]);
  assert.deepEqual([section.replay.tolerance, section.replay.protect], ['10s', 'unsafe']);
});

test('problems with variables name the variable', () => {
  const text = gateway('');
  assert.deepEqual(problemsOf(text, { PRIVACY_EDGE_GATEWAY_PROT: '1' }), [
    'PRIVACY_EDGE_GATEWAY_PROT: error: no key belongs to this variable; did you mean PRIVACY_EDGE_GATEWAY_PORT?',
  ]);
  assert.match(
    problemsOf(text, { PRIVACY_EDGE_GATEWAY_PORT: 'x' })[0]!,
    /^PRIVACY_EDGE_GATEWAY_PORT: error: gateway\.port: expected a TCP port/,
  );
  assert.match(problemsOf(text, { PRIVACY_EDGE_GATEWAY_PORT: '' })[0]!, /found nothing$/);
  assert.match(
    problemsOf(text, { PRIVACY_EDGE_GATEWAY_TARGETS: '[' })[0]!,
    /^PRIVACY_EDGE_GATEWAY_TARGETS: error: gateway\.targets: expected a YAML or JSON value$/,
  );
  assert.match(
    problemsOf(text, { PRIVACY_EDGE_GATEWAY_TARGETS: '[{orign: x}]' })[0]!,
    /^PRIVACY_EDGE_GATEWAY_TARGETS: error: gateway\.targets\[0\]/,
  );
});

test('leader and helper in one file are for trying out only', () => {
  const helper = 'analyticsHelper: {secretFile: s, tasksFolder: t, storage: {sqliteFile: b}}\n';
  const [warning, ...others] = problemsOf(`${leader('  storage: {sqliteFile: a}\n')}${helper}`);
  assert.match(
    warning ?? '',
    /^e\.yaml:5:18: warning: analyticsHelper: is in one file with the leader; whoever runs both /,
  );
  assert.deepEqual(others, []);
});

test('a printed configuration reads back as itself and shows no secret', () => {
  const environment = { PRIVACY_EDGE_GATEWAY_SEED: 'deadbeef'.repeat(8) };
  const text = readFileSync(join(root, 'docs/samples/relay-many-gateways.yaml'), 'utf8');
  const { config } = interpretConfig('e.yaml', `${text}\ngateway: {targets: [{origin: "https://a.example"}]}\n`, {
    environment,
  });
  assert.ok(config);
  const printed = printConfig(config, environment);
  assert.doesNotMatch(printed, /deadbeef/);
  assert.match(printed, /^# PRIVACY_EDGE_GATEWAY_SEED is set: \[secret\]$/m);
  assert.deepEqual(interpretConfig('p.yaml', printed, { environment }).config, config);
});

test('a printed configuration has the keys of the chosen padding policy only', async () => {
  const keys: Record<string, object> = {
    none: {},
    'power-of-two': { minimum: '256B' },
    multiple: { multiple: '2KiB' },
    buckets: { buckets: ['1KiB', '4KiB', '16KiB', '64KiB'] },
  };
  for (const [policy, key] of Object.entries(keys)) {
    const input = `gateway: {padding: {policy: ${policy}, multiple: 2KiB}}\nrelay: {}\n`;
    const environment = { PRIVACY_EDGE_GATEWAY_SEED: 'ef'.repeat(32) };
    const json = await runCli(['config', 'print', '-c', '-', '--json'], { input, env: environment });
    const printed = JSON.parse(json.out) as { gateway: { padding: object }; relay: object };
    assert.deepEqual(printed.gateway.padding, { policy, ...key });
    assert.ok(Object.keys(printed.relay).length > 5);
    const text = await runCli(['config', 'print', '-c', '-'], { input, env: environment });
    const again = await runCli(['config', 'print', '-c', '-'], { input: text.out, env: environment });
    assert.equal(again.out, text.out);
  }
});

test('samples that are printed and samples in the documentation are good', () => {
  for (const kind of SAMPLE_KINDS) assert.deepEqual(problemsOf(sampleConfig(kind)), [], kind);
  const folder = join(root, 'docs/samples');
  const files = readdirSync(folder).filter((file) => file.endsWith('.yaml'));
  assert.ok(files.length >= 3);
  for (const file of files) assert.deepEqual(problemsOf(readFileSync(join(folder, file), 'utf8')), [], file);
  for (const kind of ['both', 'leader', 'helper'] as const)
    assert.equal(readFileSync(join(folder, `${kind}.yaml`), 'utf8'), sampleConfig(kind));
});

test('the published JSON Schema is current', () => {
  const published = readFileSync(join(root, 'docs/schema/privacy-edge.schema.json'), 'utf8');
  assert.equal(published, jsonSchemaText(), 'run: privacy-edge config schema > docs/schema/privacy-edge.schema.json');
});

test('the JSON Schema describes every key', () => {
  const bare: string[] = [];
  const visit = (node: unknown, path: string): void => {
    if (typeof node !== 'object' || node === null) return;
    const { properties, items } = node as { properties?: Record<string, { description?: string }>; items?: unknown };
    for (const [key, child] of Object.entries(properties ?? {})) {
      if ((child.description ?? '') === '') bare.push(`${path}.${key}`);
      visit(child, `${path}.${key}`);
    }
    if (items !== undefined) visit(items, `${path}[]`);
  };
  visit(JSON.parse(jsonSchemaText()), '');
  assert.deepEqual(bare, []);
});

test('privacy-edge config check exits 2 for errors and 0 for warnings', async () => {
  const folder = temporaryFolder();
  const bad = await runCli(['config', 'check', '--config', '-', '--json'], {
    input: 'gateway: {port: x}\n',
    cwd: folder,
  });
  assert.equal(bad.code, 2);
  const { ok, problems } = JSON.parse(bad.out) as { ok: boolean; problems: Record<string, unknown>[] };
  assert.equal(ok, false);
  assert.deepEqual([problems[0]?.['line'], problems[0]?.['column'], problems[0]?.['key']], [1, 17, 'gateway.port']);
  const warned = await runCli(['config', 'check', '-c', '-'], { input: 'relay: {}\n', cwd: folder });
  assert.equal(warned.code, 0);
  assert.match(warned.out, /usable, 1 warning$/m);
  assert.match(warned.err, /warning: relay\.gateways: is empty/);
});

test('privacy-edge config says what to do when there is no file', async () => {
  const { code, out, err } = await runCli(['config', 'print'], { cwd: temporaryFolder() });
  assert.deepEqual([code, out], [2, '']);
  assert.match(
    err,
    /^privacy-edge: Cannot read the configuration privacy-edge\.yaml; there is no such file; make one with "privacy-edge config init"/,
  );
});

test('privacy-edge config check finds files that are missing or open to others, unless it is told not to look', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'open.json'), '{}', { mode: 0o644 });
  writeFileSync(join(folder, 'cert.pem'), '');
  const text =
    'gateway:\n  keys: {file: open.json}\n  tls: {certFile: cert.pem, keyFile: none.pem}\n  targets: [{origin: "https://a.example"}]\n';
  writeFileSync(join(folder, 'edge.yaml'), text);
  const args = ['config', 'check', '-c', 'edge.yaml'];
  const { code, out, err } = await runCli(args, { cwd: folder });
  assert.deepEqual([code, out], [2, '']);
  assert.deepEqual(err.trimEnd().split('\n'), [
    'edge.yaml:2:16: error: gateway.keys.file: names a secret that others may read, mode 644; run chmod 600 on it',
    'edge.yaml:3:38: error: gateway.tls.keyFile: names a file that does not exist',
  ]);
  assert.equal((await runCli([...args, '--no-files'], { cwd: folder })).code, 0);
  chmodSync(join(folder, 'open.json'), 0o600);
  writeFileSync(join(folder, 'none.pem'), '', { mode: 0o600 });
  const good = await runCli(args, { cwd: folder });
  assert.deepEqual([good.code, good.out], [0, 'edge.yaml: good\n'], good.err);
});
