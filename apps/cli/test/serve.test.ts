import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { runCli, temporaryFolder } from './run-cli.ts';
import { logged, type Role, start, stop } from './run-role.ts';

/** Without saved state, the first window takes safe methods only; these tests post at once. */
const REPLAY = 'replay: {protect: none}';

for (const workers of [1, 2]) {
  describe(`gateway and relay with ${workers} worker`, { timeout: 60_000 }, () => {
    const folder = temporaryFolder();
    const config = join(folder, 'edge.yaml');
    let target: Server;
    let gateway: Role;
    let relay: Role;
    const targetUrl = (): string => `http://127.0.0.1:${(target.address() as AddressInfo).port}`;
    const gatewayConfig = (prefix: string): string => `gateway:
  port: 0
  workers: ${workers}
  admin: {port: 0}
  log: {format: json}
  keys: {file: keys.json}
  ${REPLAY}
  targets: [{origin: "${targetUrl()}", allowPrivate: true, pathPrefix: ${prefix}}]
`;
    const fetchArgs = (path: string, ...more: string[]): string[] => [
      'gateway',
      'fetch',
      `${targetUrl()}${path}`,
      '--relay',
      `${relay.ready['url']}/r`,
      '--gateway',
      gateway.ready['gatewayUrl']!,
      ...more,
    ];

    before(async () => {
      target = createServer((req, res) => {
        let body = '';
        req.setEncoding('utf8').on('data', (text: string) => {
          body += text;
        });
        req.on('end', () => {
          res.writeHead(req.url === '/a/missing' ? 404 : 200, { 'content-type': 'text/plain', 'x-from': 'target' });
          res.end(`${req.method} ${req.url} ${String(req.headers['x-a'] ?? '')} ${body}`);
        });
      }).listen(0, '127.0.0.1');
      await once(target, 'listening');
      assert.equal((await runCli(['keys', 'generate', join(folder, 'keys.json')])).code, 0);
      writeFileSync(config, gatewayConfig('/a'));
      gateway = await start('serve', config);
      const relayConfig = join(folder, 'relay.yaml');
      const gatewayUrl = gateway.ready['gatewayUrl'];
      writeFileSync(
        relayConfig,
        `relay:\n  port: 0\n  workers: ${workers}\n  admin: {port: 0}\n  log: {format: json}\n  gateways: [{name: g, path: /r, url: "${gatewayUrl}", keysUrl: "${gateway.ready['keysUrl']}", allowPrivate: true}]\n`,
      );
      relay = await start('relay', relayConfig);
    });

    after(() => {
      target.close();
      target.closeAllConnections();
    });

    test('gateway fetch sends method, fields and content, and prints the answer', async () => {
      const post = await runCli(fetchArgs('/a/x?y=1', '-H', 'X-A: b', '-d', 'hello', '-i'));
      assert.equal(post.code, 0, post.err);
      assert.match(post.out, /^200\n(?:.+\n)*x-from: target\n(?:.+\n)*\nPOST \/a\/x\?y=1 b hello$/);
      const piped = await runCli(fetchArgs('/a', '-X', 'PUT', '-d', '@-', '--chunked', '--json'), {
        input: 'from stdin',
      });
      const answer = JSON.parse(piped.out) as { status: number; text: string };
      assert.deepEqual([answer.status, answer.text], [200, 'PUT /a  from stdin']);
    });

    test('gateway fetch -v tells steps and sizes, -o writes a file, --fail exits 1', async () => {
      const output = join(folder, 'out');
      const { code, out, err } = await runCli(fetchArgs('/a/missing', '-v', '-o', output));
      assert.deepEqual([code, out], [0, '']);
      assert.match(err, /^\* keys from /m);
      assert.match(err, /^\* outer answer 200, \d+ sealed bytes sent$/m);
      assert.match(err, /^\* target answered 404$/m);
      assert.match(readFileSync(output, 'utf8'), /^GET \/a\/missing/);
      assert.equal((await runCli(fetchArgs('/a/missing', '--fail'))).code, 1);
    });

    test('gateway fetch refuses keys that are not pinned, and takes those that are', async () => {
      const { out } = await runCli(['keys', 'export', join(folder, 'keys.json'), '--json']);
      const { sha256 } = JSON.parse(out) as { sha256: string };
      assert.equal((await runCli(fetchArgs('/a', '--pin', sha256))).code, 0);
      const exported = await runCli(['keys', 'export', join(folder, 'keys.json'), '-o', join(folder, 'list')]);
      const pins = [...exported.err.matchAll(/^pin (\S+)/gm)].map(([, pin]) => pin!);
      assert.equal(pins.length, 2);
      const forms = [
        ...pins,
        pins[0]!.slice(7).replaceAll('+', '-').replaceAll('/', '_').slice(0, -1),
        `sha256-${sha256}`,
      ];
      for (const pin of forms) {
        assert.equal((await runCli(fetchArgs('/a', '--pin', pin))).code, 0, pin);
        const fromFile = await runCli(fetchArgs('/a', '--keys', join(folder, 'list'), '--pin', pin));
        assert.equal(fromFile.code, 0, fromFile.err);
      }
      const wrongFile = await runCli(fetchArgs('/a', '--keys', join(folder, 'list'), '--pin', '00'.repeat(32)));
      assert.deepEqual([wrongFile.code, wrongFile.out], [4, '']);
      const other = await runCli(fetchArgs('/a', '--pin', '00'.repeat(32)));
      assert.deepEqual([other.code, other.out], [4, '']);
      assert.match(other.err, /^privacy-edge: Cannot use key configurations; none is pinned; do not go on/);
    });

    test('what the target policy forbids is answered inside', async () => {
      const { code, out } = await runCli(fetchArgs('/b', '--json'));
      assert.deepEqual([code, (JSON.parse(out) as { status: number }).status], [0, 403]);
    });

    test('the ready line of a relay names its resources', () => {
      const url = `${relay.ready['url']}/r`;
      assert.deepEqual(relay.ready.relays, { g: { url, keysUrl: `${url}/keys` } });
    });

    test('privacy notices are served as JSON and as HTML', async () => {
      for (const role of [gateway, relay]) {
        const notice = (await (await fetch(role.ready['noticeUrl']!)).json()) as { role: string; neverSees: string[] };
        assert.equal(notice.role, role.ready['role']);
        assert.ok(notice.neverSees.length > 0);
        const html = await fetch(role.ready['noticeUrl']!, { headers: { accept: 'text/html,*/*;q=0.1' } });
        assert.match(html.headers.get('content-type') ?? '', /^text\/html/);
        assert.match(await html.text(), /^<!doctype html>/);
      }
    });

    test('the admin listener shows health, readiness and metrics of all workers', async () => {
      const counters: [Role, string][] = [
        [gateway, 'gateway_requests_total{outcome="answered",message="whole"}'],
        [relay, 'relay_requests_total{resource="messages",outcome="answered"}'],
      ];
      for (const [role, metric] of counters) {
        const admin = role.ready['adminUrl']!;
        assert.equal((await fetch(`${admin}/healthz`)).status, 200);
        assert.equal((await fetch(`${admin}/readyz`)).status, 200);
        const line = (await (await fetch(`${admin}/metrics`)).text()).split('\n').find((one) => one.startsWith(metric));
        assert.ok(Number(line?.split(' ').at(-1)) >= 1, line ?? 'no such line');
      }
    });

    test('SIGHUP takes up rotated keys and targets without a restart', async () => {
      const keys = async (): Promise<string> =>
        Buffer.from(await (await fetch(gateway.ready['keysUrl']!)).arrayBuffer()).toString('hex');
      const relayed = async (): Promise<string> =>
        Buffer.from(await (await fetch(relay.ready.relays!['g']!.keysUrl!)).arrayBuffer()).toString('hex');
      const old = await keys();
      assert.equal(await relayed(), old);
      assert.equal((await runCli(['keys', 'rotate', join(folder, 'keys.json')])).code, 0);
      writeFileSync(config, gatewayConfig('/b').replace('port: 0\n', 'port: 1\n'));
      gateway.child.kill('SIGHUP');
      await logged(gateway, 'reloaded');
      assert.match(gateway.log(), /"entry":"port","event":"restart_needed_for_setting"/);
      // Threads are told at once, and answer with what they have until then.
      while ((await keys()) === old);
      relay.child.kill('SIGHUP');
      await logged(relay, 'reloaded');
      while ((await relayed()) === old);
      const { out } = await runCli(fetchArgs('/b', '--json'));
      assert.equal((JSON.parse(out) as { status: number }).status, 200);
    });

    test('SIGHUP with a broken configuration changes nothing', async () => {
      writeFileSync(config, 'gateway: {port: x}\n');
      gateway.child.kill('SIGHUP');
      await logged(gateway, 'reload_failed');
      const failed = gateway
        .log()
        .split('\n')
        .find((line) => line.includes('"event":"reload_failed"'));
      const { level: _level, time: _time, ...said } = JSON.parse(failed ?? '') as Record<string, unknown>;
      const place = { path: config, line: 1, entry: 'gateway.port' };
      assert.deepEqual(said, { errorName: 'CliError', code: 'USAGE', ...place, event: 'reload_failed' });
      const { out } = await runCli(fetchArgs('/b', '--json'));
      assert.equal((JSON.parse(out) as { status: number }).status, 200);
    });

    test('SIGTERM ends with code 0, and nothing of a client is in the log', async () => {
      assert.equal(await stop(gateway), 0);
      const alone = await runCli(fetchArgs('/b', '--keys', join(folder, 'list')));
      assert.equal(alone.code, 1);
      assert.equal(
        alone.err,
        'privacy-edge: Cannot fetch through the relay; the relay could not reach its gateway, status 502; try again later, or tell the operator of the relay\n',
      );
      assert.equal(await stop(relay), 0);
      const logs = relay.log() + gateway.log();
      assert.doesNotMatch(logs, /\/a\/x|hello|x-a/i);
      assert.match(logs, /"event":"drained"/);
    });

    test('gateway fetch exits 3 when nobody answers', async () => {
      const { code, out, err } = await runCli(fetchArgs('/a'));
      assert.deepEqual([code, out], [3, '']);
      assert.match(
        err,
        /^privacy-edge: Cannot get key configurations; .*\(ECONNREFUSED\); check --gateway or --keys\n$/,
      );
      const relayed = await runCli(fetchArgs('/a', '--keys', join(folder, 'list')));
      assert.equal(
        relayed.err,
        'privacy-edge: Cannot fetch through the relay; no answer came (ECONNREFUSED); check --relay\n',
      );
    });
  });
}

test('the replay window is kept over a clean restart', { timeout: 30_000 }, async () => {
  const folder = temporaryFolder();
  const config = join(folder, 'edge.yaml');
  writeFileSync(
    config,
    'gateway: {port: 0, admin: {enabled: false}, log: {format: json}, replay: {stateFile: window}}\n',
  );
  const env = { PRIVACY_EDGE_GATEWAY_SEED: 'ef'.repeat(32) };
  const first = await start('serve', config, env);
  assert.equal(first.ready['adminUrl'], undefined);
  assert.equal(await stop(first, 'SIGINT'), 0);
  assert.ok(existsSync(join(folder, 'window')));
  const second = await start('serve', config, env);
  assert.equal(existsSync(join(folder, 'window')), false);
  assert.equal(await stop(second), 0);
});

test('a role that cannot start says why, and exits 2', async () => {
  const folder = temporaryFolder();
  const attempt = async (text: string, verb = 'serve'): Promise<string> => {
    const { code, out, err } = await runCli(['gateway', verb, '-c', '-'], { cwd: folder, input: text });
    assert.deepEqual([code, out], [2, ''], err);
    return err;
  };
  assert.match(await attempt('relay: {}\n'), /has no gateway section; add one/);
  assert.match(
    await attempt('gateway: {keys: {file: nope.json}}\n'),
    /Cannot use the secret file .*nope\.json; there is no such file; make one/,
  );
  assert.match(
    await attempt('relay: {port: 0, admin: {port: 0}, tls: {certFile: c.pem, keyFile: k.pem}}\n', 'relay'),
    /Cannot read .*c\.pem/,
  );
  const busy = createServer().listen(0, '127.0.0.1');
  await once(busy, 'listening');
  const { port } = busy.address() as AddressInfo;
  assert.match(
    await attempt(`relay: {port: ${port}, admin: {port: 0}}\n`, 'relay'),
    /Cannot listen on 127\.0\.0\.1 port \d+: EADDRINUSE/,
  );
  busy.close();
});

test('gateway fetch takes --max-time with and without its unit', async () => {
  for (const time of ['1', '1s', '0.5s', '0', '1m', 's']) {
    const args = ['gateway', 'fetch', 'https://a.example/', '--relay', 'http://127.0.0.1:1/', '--keys', '/dev/null'];
    const { code, err } = await runCli([...args, '--max-time', time]);
    const wrong = ['0', '1m', 's'].includes(time);
    assert.equal(/Cannot use --max-time/.test(err), wrong, `${time}: ${err}`);
    assert.equal(code === 2, wrong, time);
  }
});

test('gateway fetch says which option is wrong', async () => {
  const relay = ['--relay', 'https://r.example/x'];
  const cases: [string[], RegExp][] = [
    [['gateway', 'fetch', 'not a url', ...relay], /as URL; it is no http or https URL/],
    [['gateway', 'fetch', 'https://a.example', ...relay], /neither --keys nor --gateway is given/],
    [
      ['gateway', 'fetch', 'https://a.example', ...relay, '--keys', '/nonexistent'],
      /Cannot read \/nonexistent; there is no such file/,
    ],
    [
      ['gateway', 'fetch', 'https://a.example', ...relay, '--gateway', 'https://g.example', '--pin', 'xyz'],
      /it is no SHA-256 digest/,
    ],
    [
      ['gateway', 'fetch', 'https://a.example', ...relay, '--gateway', 'https://g.example', '-H', 'nocolon'],
      /it is not "Name: value"/,
    ],
    [
      ['gateway', 'fetch', 'https://a.example', ...relay, '--gateway', 'https://g.example', '--max-time', 'x'],
      /no number of seconds/,
    ],
    [
      ['gateway', 'fetch', 'https://a.example', '--relay', 'http://r.example', '--gateway', 'https://g.example'],
      /must be https/,
    ],
  ];
  for (const [args, error] of cases) {
    const { code, out, err } = await runCli(args);
    assert.deepEqual([code, out], [2, ''], err);
    assert.match(err, error);
  }
});
