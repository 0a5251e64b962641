/**
 * What an operator relies on: draining, reloading, health, metrics, logs, keys over time, every way in and out of a role,
 * and targets that must not be reached.
 */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { createSecureServer } from 'node:http2';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { TLSSocket } from 'node:tls';
import { getField } from '@privacy-edge/bhttp';
import { KeyConfigList, MEDIA_TYPE_REQUEST, MEDIA_TYPE_RESPONSE } from '@privacy-edge/ohttp';
import { type InnerRequest, OhttpClient } from './lib/ohttp-client.ts';
import type { RoleProcess } from './lib/role-process.ts';
import { freePort, openStage, type Section } from './lib/stage.ts';
import { startTarget } from './lib/target-server.ts';
import { until, within } from './lib/until.ts';
import { type Answer, field, http1, http2, openSocket, rawText, type Transport } from './lib/wire.ts';

const LONG = process.env['PRIVACY_EDGE_LONG'] === '1';
/** How often a gateway is replaced under traffic. */
const REPLACEMENTS = LONG ? 100 : 3;
const GATEWAY_PATH = '/.well-known/ohttp-gateway';

const stage = await openStage();
after(() => stage.close());
const target = await startTarget(stage);
const ca = (await stage.authority()).rootPem;
const caFile = (await stage.authority()).rootPath;
const seedFile = await stage.seedFile();
const allowed = { origin: target.url, allowPrivate: true };

function startGateway(section: Section = {}, env: Readonly<Record<string, string>> = {}): Promise<RoleProcess> {
  return stage.gateway({ section: { keys: { seedFile }, targets: [allowed], caFile, ...section }, env });
}

function startRelay(url: string | undefined, section: Section = {}): Promise<RoleProcess> {
  const gateways = [{ name: 'one', path: '/one', url, allowPrivate: true }];
  return stage.relay({ section: { gateways, caFile, ...section } });
}

async function keysOf(gateway: RoleProcess): Promise<{ answer: Answer; client: OhttpClient }> {
  const answer = await http1({ origin: gateway.url, ca }, { method: 'GET', path: '/ohttp-keys', fields: {} });
  assert.equal(answer?.status, 200);
  return { answer, client: await OhttpClient.from(answer.body) };
}

interface Via {
  readonly role: RoleProcess;
  readonly path: string;
  readonly transport?: Transport;
  readonly localAddress?: string;
}

/** Sends a message and opens the answer. */
async function ask(client: OhttpClient, via: Via, request: InnerRequest): ReturnType<typeof openAnswer> {
  const { role, path, transport = http1, localAddress } = via;
  const message = await client.whole(request);
  const endpoint = { origin: role.url, ca, ...(localAddress === undefined ? {} : { localAddress }) };
  return openAnswer(
    await transport(endpoint, { path, fields: { 'content-type': MEDIA_TYPE_REQUEST }, body: [message.bytes] }),
    message.open,
  );
}

/** An answer with what was inside. */
interface Opened {
  readonly outer: number;
  /** Value of Proxy-Status: what a relay says about its way to the gateway. */
  readonly why: string;
  readonly status: number | undefined;
  readonly location: string | undefined;
  readonly text: string;
}

async function openAnswer(
  answer: Answer | undefined,
  open: (bytes: Uint8Array) => ReturnType<Awaited<ReturnType<OhttpClient['whole']>>['open']>,
): Promise<Opened> {
  const why = field(answer, 'proxy-status') ?? '';
  if (answer?.status !== 200)
    return { outer: answer?.status ?? 0, why, status: undefined, location: undefined, text: '' };
  const inner = await open(answer.body);
  const location = getField(inner.fields, 'location');
  return { outer: 200, why, status: inner.status, location, text: Buffer.from(inner.body).toString() };
}

/** SHA-256 of the certificate that a new connection is shown. */
async function certificateOf(role: RoleProcess): Promise<string> {
  const socket = await openSocket({ origin: role.url, ca });
  assert.ok(socket instanceof TLSSocket);
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256;
}

describe('stopping and reloading', { concurrency: 2 }, () => {
  for (const workers of [1, 2]) {
    test(`SIGTERM with ${workers} threads: what is under way is answered, nothing new is taken, exit code 0`, async () => {
      const gateway = await startGateway({ workers });
      const { client } = await keysOf(gateway);
      const path = `/held-${workers}`;
      const pending = ask(client, { role: gateway, path: GATEWAY_PATH }, { url: target.url + path });
      await target.arrived(path);
      assert.equal((await gateway.admin('/readyz')).status, 200);
      gateway.signal('SIGTERM');
      await until(async () => (await gateway.admin('/readyz')).status === 503, 'the gateway to drain');
      assert.equal((await gateway.admin('/healthz')).status, 200);
      await until(() => refuses(gateway), 'connections to be refused');
      assert.equal(gateway.exit, undefined);
      target.release(path);
      assert.deepEqual(await within(pending, 'the answer'), {
        outer: 200,
        why: '',
        status: 200,
        location: undefined,
        text: `GET ${path}`,
      });
      assert.deepEqual(await within(gateway.exited, 'the end'), { exitCode: 0, signal: null });
      assert.equal(gateway.events('drained').length, 1);
    });
  }

  test('SIGTERM to a relay: what is under way is answered, over HTTP/1.1 and HTTP/2', async () => {
    const gateway = await startGateway({ tls: await stage.certificate('drain-gateway') });
    const relay = await startRelay(gateway.ready['gatewayUrl'], { tls: await stage.certificate('drain-relay') });
    const { client } = await keysOf(gateway);
    const pending = [http1, http2].map((transport, at) =>
      ask(client, { role: relay, path: '/one', transport }, { url: `${target.url}/held-relay-${at}` }),
    );
    await Promise.all([target.arrived('/held-relay-0'), target.arrived('/held-relay-1')]);
    relay.signal('SIGTERM');
    await until(() => refuses(relay), 'connections to be refused');
    target.release('/held-relay');
    for (const answer of await Promise.all(pending)) assert.equal(answer.status, 200);
    assert.deepEqual(await within(relay.exited, 'the end'), { exitCode: 0, signal: null });
  });

  test('SIGTERM and a target that never answers: the grace period ends it', async () => {
    const gateway = await startGateway({ drain: '300ms' });
    const { client } = await keysOf(gateway);
    const pending = ask(client, { role: gateway, path: GATEWAY_PATH }, { url: `${target.url}/held-for-ever` });
    await target.arrived('/held-for-ever');
    gateway.signal('SIGTERM');
    assert.deepEqual(await within(gateway.exited, 'the end'), { exitCode: 0, signal: null });
    assert.equal((await pending).outer, 0);
    assert.equal(gateway.events('drained_with_broken_requests').length, 1);
    target.release('/held-for-ever');
  });

  test('a gateway replaced on its port by another: no request through a relay fails', async () => {
    const port = await freePort();
    const section = { port, sharePort: true, tls: await stage.certificate('replaced') };
    let gateway = await startGateway(section);
    const relay = await startRelay(gateway.ready['gatewayUrl']);
    const { client } = await keysOf(gateway);
    const statuses = new Map<string, number>();
    let going = true;
    const traffic = Array.from({ length: 4 }, async () => {
      while (going) {
        const { outer, status, why } = await ask(
          client,
          { role: relay, path: '/one' },
          { url: `${target.url}/replaced` },
        );
        const seen = `${outer} ${status}${why}`;
        statuses.set(seen, (statuses.get(seen) ?? 0) + 1);
      }
    });
    for (let round = 0; round < REPLACEMENTS; round++) {
      const next = await startGateway(section);
      assert.deepEqual(await gateway.stop(), { exitCode: 0, signal: null });
      gateway = next;
      const before = target.count('/replaced');
      await until(() => target.count('/replaced') > before + 20, 'traffic through the new gateway');
    }
    going = false;
    await Promise.all(traffic);
    assert.deepEqual([...statuses.keys()], ['200 200'], JSON.stringify([...statuses]));
    await relay.stop();
    await gateway.stop();
  });

  test('SIGHUP after keys rotate: no request fails, old keys are still accepted', async () => {
    const file = stage.path('rotated-keys.json');
    await stage.cli('keys', 'generate', file);
    const gateway = await startGateway({ keys: { file }, workers: 2 });
    const old = (await keysOf(gateway)).client;
    const statuses = new Map<string, number>();
    let going = true;
    const traffic = Array.from({ length: 3 }, async (_, at) => {
      for (let n = 0; going; n++) {
        const client = n % 3 === at ? old : (await keysOf(gateway)).client;
        const { outer, status } = await ask(
          client,
          { role: gateway, path: GATEWAY_PATH },
          { url: `${target.url}/traffic` },
        );
        const seen = `${outer} ${status}`;
        statuses.set(seen, (statuses.get(seen) ?? 0) + 1);
      }
    });
    for (let round = 0; round < 2; round++) {
      const before = (await keysOf(gateway)).client.keyId;
      await stage.cli('keys', 'rotate', file);
      await gateway.reload();
      await until(async () => (await keysOf(gateway)).client.keyId !== before, 'the new keys');
    }
    going = false;
    await Promise.all(traffic);
    assert.deepEqual([...statuses.keys()], ['200 200']);
    assert.ok(statuses.get('200 200')! > 10);
    assert.equal((await ask(old, { role: gateway, path: GATEWAY_PATH }, { url: `${target.url}/old` })).status, 200);
    assert.deepEqual(gateway.events('reload_failed'), []);
    await gateway.stop();
  });

  test('SIGHUP takes up targets, and a broken configuration changes nothing', async () => {
    const gateway = await startGateway({ targets: [] });
    const { client } = await keysOf(gateway);
    const status = async (): Promise<number | undefined> =>
      (await ask(client, { role: gateway, path: GATEWAY_PATH }, { url: `${target.url}/reloaded` })).status;
    assert.equal(await status(), 403);
    await gateway.reconfigure({ targets: [allowed] });
    await gateway.reload();
    assert.equal(await status(), 200);
    await gateway.reconfigure({ targets: 'everything' });
    await gateway.reload();
    assert.equal(gateway.events('reload_failed').length, 1);
    assert.equal(await status(), 200);
    await gateway.stop();
  });

  test('SIGHUP takes up renewed certificates, and keeps the old one when the new one is broken', async () => {
    const tls = await stage.certificate('renewed');
    for (const workers of [1, 2]) {
      const gateway = await startGateway({ tls, workers });
      const first = await certificateOf(gateway);
      await stage.certificate('renewed');
      assert.equal(await certificateOf(gateway), first);
      await gateway.reload();
      const second = new X509Certificate(await readFile(tls.certFile)).fingerprint256;
      assert.notEqual(second, first);
      await until(async () => (await certificateOf(gateway)) === second, 'the renewed certificate');
      await writeFile(tls.certFile, 'half a renewal');
      await gateway.reload();
      assert.equal(gateway.events('certificate_kept').length, 1);
      assert.equal(await certificateOf(gateway), second);
      // A certificate without its key is broken too.
      await (await stage.authority()).issue('other');
      await writeFile(tls.certFile, await readFile(stage.path('tls/other.pem')));
      await gateway.reload();
      assert.equal(gateway.events('certificate_kept').length, 2);
      assert.equal(await certificateOf(gateway), second);
      await stage.certificate('renewed');
      await gateway.reload();
      await until(async () => (await certificateOf(gateway)) !== second, 'the next certificate');
      await gateway.stop();
    }
  });
});

async function refuses(role: RoleProcess): Promise<boolean> {
  try {
    (await openSocket({ origin: role.url, ca })).destroy();
    return false;
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ECONNREFUSED');
    return true;
  }
}

describe('keys over time', { concurrency: 2 }, () => {
  test('the key file moves forward while the gateway runs, and old secrets are gone from it', async () => {
    const file = stage.path('advancing-keys.json');
    await stage.cli('keys', 'generate', file, '--epoch', '1s', '--publish-ahead', '1s', '--retain', '1s');
    const before = await readFile(file, 'utf8');
    const { secret } = segment(before);
    const gateway = await startGateway({ keys: { file } });
    await until(async () => {
      await gateway.reload();
      return segment(await readFile(file, 'utf8')).epoch > segment(before).epoch;
    }, 'the key file to move forward');
    const later = await readFile(file, 'utf8');
    assert.ok(!later.includes(secret));
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    const { client } = await keysOf(gateway);
    assert.equal(
      (await ask(client, { role: gateway, path: GATEWAY_PATH }, { url: `${target.url}/later` })).status,
      200,
    );
    await gateway.stop();
    // Another process that reads the file has the same keys.
    const again = await startGateway({ keys: { file } });
    assert.equal((await ask(client, { role: again, path: GATEWAY_PATH }, { url: `${target.url}/again` })).status, 200);
    await again.stop();
  });

  test('Cache-Control of keys ends with the epoch of the first key at the latest, and is never 0', async () => {
    const epochMs = 3000;
    const keys = { seedFile, epoch: `${epochMs}ms`, publishAhead: '1s', retain: '3s' };
    const gateway = await startGateway({ keys });
    const firsts = new Set<number>();
    await until(async () => {
      // The gateway reads the same clock later, so this end is no later than the one it means.
      const askedMs = Date.now();
      const { answer } = await keysOf(gateway);
      const maxAge = Number(/max-age=(\d+)/.exec(field(answer, 'cache-control') ?? '')?.[1]);
      assert.ok(maxAge >= 1 && maxAge <= 3, String(maxAge));
      const [first] = KeyConfigList.decode(answer.body).usable;
      firsts.add(first!.keyId);
      // Epochs of a seed are counted from 1970, identifiers by them.
      const epoch = Math.floor(askedMs / epochMs);
      const ends = [epoch, epoch + 1].find((one) => one % 256 === first!.keyId);
      assert.ok(ends !== undefined && askedMs + 1000 * maxAge <= (ends + 1) * epochMs, `${maxAge} s at ${askedMs}`);
      return firsts.size === 3;
    }, 'the first key to change twice');
    await gateway.stop();
  });
});

function segment(keyFile: string): { readonly epoch: number; readonly secret: string } {
  const [first] = (JSON.parse(keyFile) as { segments: { epoch: number; secret: string }[] }).segments;
  return first!;
}

describe('health, metrics and logs', () => {
  const CANARY = 'canary7f3a';
  const CLIENT = '127.77.66.55';

  test('hold no address, path, host, field or content, and no label grows', async () => {
    const log = { level: 'debug' };
    const gateway = await startGateway({
      log,
      tls: await stage.certificate('quiet-gateway'),
      targets: [allowed, { origin: 'http://127.0.0.1:1', allowPrivate: true }],
    });
    const relay = await startRelay(gateway.ready['gatewayUrl'], { log, rateLimit: {} });
    const { client } = await keysOf(gateway);
    const via = { role: relay, path: '/one', localAddress: CLIENT };
    const series = async (): Promise<string[]> => {
      const texts = [(await gateway.admin('/metrics')).text, (await relay.admin('/metrics')).text];
      const names = texts.flatMap((text) => text.split('\n').map((line) => line.replace(/ [^ ]*$/, '')));
      // Those of the runtime name kinds of its handles, which come and go.
      return names.filter((name) => name.startsWith('gateway_') || name.startsWith('relay_'));
    };
    const before = await series();
    assert.ok(before.length > 50 && before.length < 300, String(before.length));
    const requests: readonly InnerRequest[] = [
      {
        url: `${target.url}/${CANARY}?${CANARY}`,
        fields: [['x-secret', CANARY]],
        body: Buffer.from(CANARY),
        method: 'QUERY',
      },
      { url: `https://${CANARY}.example/${CANARY}` },
      { url: `http://127.0.0.1:1/${CANARY}` },
      { url: `${target.url}/${CANARY}`, method: 'CANARY7F3A' },
      { url: `${target.url}/${CANARY}`, dateMs: null },
      { url: `${target.url}/${CANARY}`, fields: [['expect', CANARY]] },
    ];
    const statuses = [];
    for (const request of requests) statuses.push((await ask(client, via, request)).status);
    assert.deepEqual(statuses, [200, 403, 502, 425, 400, 417]);
    const from = { origin: relay.url, ca, localAddress: CLIENT };
    const fields = {
      'content-type': MEDIA_TYPE_REQUEST,
      cookie: CANARY,
      'user-agent': CANARY,
      'x-forwarded-for': CLIENT,
    };
    assert.equal((await http1(from, { path: `/${CANARY}`, fields, body: [] }))?.status, 404);
    assert.equal((await http1(from, { path: '/one', method: CANARY.toUpperCase(), fields, body: [] }))?.status, 400);
    assert.equal((await http1(from, { path: '/one', fields: { 'content-type': CANARY }, body: [] }))?.status, 415);
    assert.equal((await http1(from, { path: '/one', fields, body: [Buffer.from(CANARY)] }))?.status, 400);
    assert.equal((await rawText(from, `${CANARY}\r\n\r\n`))?.status, 400);
    await http1(from, { path: '/one', fields, body: [Buffer.from(CANARY)], announce: 500, ending: 'cut' });
    assert.equal((await http2({ origin: gateway.url, ca }, { path: `/${CANARY}`, fields, body: [] }))?.status, 404);
    assert.deepEqual(await series(), before);
    // What the counters say is true.
    assert.equal(await gateway.metric('gateway_requests_total', { outcome: 'answered', message: 'whole' }), 1);
    assert.equal(await gateway.metric('gateway_requests_total', { outcome: 'policy' }), 1);
    assert.equal(await gateway.metric('gateway_requests_total', { outcome: 'target-failed' }), 1);
    assert.equal(await gateway.metric('gateway_requests_total', { outcome: 'date' }), 1);
    assert.equal(await gateway.metric('gateway_requests_total', { outcome: 'expect' }), 1);
    assert.equal(await relay.metric('relay_requests_total', { resource: 'messages', outcome: 'answered' }), 6);
    for (const role of [gateway, relay]) {
      const { text } = await role.admin('/metrics');
      const said = [text, (await role.admin('/healthz')).text, (await role.admin('/readyz')).text, ...role.log].join(
        '\n',
      );
      for (const secret of [CANARY, CANARY.toUpperCase(), CLIENT, new URL(target.url).port])
        assert.ok(!said.includes(secret), `${secret} in what the role says`);
      await role.stop();
      assert.ok(!role.log.join('\n').includes(CANARY));
    }
    // The target saw the gateway's address, and nothing of the client's connection.
    const arrival = target.arrivals.find(({ path }) => path === `/${CANARY}?${CANARY}`)!;
    assert.equal(arrival.remoteAddress, '127.0.0.1');
    assert.equal(arrival.headers['x-secret'], CANARY);
    assert.ok(!JSON.stringify(arrival.headers).includes(CLIENT));
    assert.equal(arrival.headers['user-agent'], undefined);
  });

  test('the admin listener has nothing but health and metrics, and serves nothing else', async () => {
    const gateway = await startGateway();
    assert.deepEqual(await gateway.admin('/healthz'), { status: 200, text: 'ok\n' });
    assert.deepEqual(await gateway.admin('/readyz'), { status: 200, text: 'ready\n' });
    assert.match((await gateway.admin('/metrics')).text, /^process_resident_memory_bytes \d+/m);
    for (const path of ['/', '/ohttp-keys', GATEWAY_PATH]) assert.equal((await gateway.admin(path)).status, 404);
    for (const path of ['/metrics', '/healthz', '/readyz'])
      assert.equal((await http1({ origin: gateway.url, ca }, { method: 'GET', path, fields: {} }))?.status, 404);
    await gateway.stop();
  });
});

describe('ways in and out', () => {
  test('gateway to target: HTTP/1.1 and HTTP/2 over TLS, a unix socket, and redirects handed back', async () => {
    const secure = await startTarget(stage, { tls: true });
    const socketPath = stage.path('target.sock');
    const local = await startTarget(stage, { socketPath });
    const rule = { origin: secure.url, allowPrivate: true };
    const gateway = await startGateway({
      targets: [
        { ...rule, protocol: 'http1', pathPrefix: '/one' },
        { ...rule, protocol: 'http2', pathPrefix: '/two' },
        { ...rule, protocol: 'auto', pathPrefix: '/auto' },
        { origin: 'http://behind.socket', socketPath },
        allowed,
      ],
    });
    const { client } = await keysOf(gateway);
    const get = (url: string) => ask(client, { role: gateway, path: GATEWAY_PATH }, { url });
    for (const [path, version] of [
      ['/one', '1.1'],
      ['/two', '2.0'],
      ['/auto', '2.0'],
    ] as const) {
      assert.equal((await get(secure.url + path)).text, `GET ${path}`);
      assert.equal(secure.arrivals.find((arrival) => arrival.path === path)?.httpVersion, version);
    }
    assert.equal((await get('http://behind.socket/here')).text, 'GET /here');
    assert.equal(local.arrivals[0]?.headers.host, 'behind.socket');
    const redirect = await get(`${target.url}/redirect`);
    assert.equal(redirect.status, 302);
    assert.equal(redirect.location, 'http://127.0.0.1:9/elsewhere');
    await gateway.stop();
  });

  test('client to relay to gateway: HTTP/1.1 and HTTP/2 over TLS', async () => {
    const versions: string[] = [];
    const { certificatePem, keyPem } = await (await stage.authority()).issue('versions');
    const answer: RequestListener = (request, response) => {
      versions.push(request.httpVersion);
      request.resume().on('end', () => {
        const fields = { 'content-type': MEDIA_TYPE_RESPONSE, 'content-length': 12, 'set-cookie': 'a=b' };
        response.writeHead(200, fields).end('encapsulated');
      });
    };
    const cert = { cert: certificatePem, key: keyPem.reveal() };
    const http2Server = createSecureServer(cert).on('request', answer as never);
    http2Server.on('session', (session) => stage.later(async () => session.destroy()));
    const answers = [http2Server, createServer(cert, answer)].map((server) => {
      stage.later(async () => server.close());
      return new Promise<string>((resolve) =>
        server.listen(0, '127.0.0.1', () => resolve(`https://127.0.0.1:${(server.address() as AddressInfo).port}/`)),
      );
    });
    for (const [at, url] of (await Promise.all(answers)).entries()) {
      const relay = await startRelay(url, { tls: await stage.certificate('versions-relay') });
      for (const transport of [http1, http2]) {
        const answer = await transport(
          { origin: relay.url, ca },
          { path: '/one', fields: { 'content-type': MEDIA_TYPE_REQUEST }, body: [Buffer.from('message')] },
        );
        assert.equal(answer?.status, 200);
        assert.deepEqual(answer.fields.map(([name]) => name).sort(), ['content-length', 'content-type']);
        assert.equal(versions.pop(), at === 0 ? '2.0' : '1.1');
      }
      await relay.stop();
    }
  });

  test('private addresses are refused where the policy allows the name only', async () => {
    const secure = await startTarget(stage, { tls: true });
    const port = new URL(secure.url).port;
    const names = {
      'rebind.example': ['127.0.0.1'],
      'half.example': ['192.0.2.1', '127.0.0.1'],
      'mapped.example': ['::ffff:127.0.0.1'],
      'six.example': ['::1'],
      'metadata.example': ['169.254.169.254'],
      'zero.example': ['0.0.0.0'],
      'allowed.example': ['127.0.0.1'],
    };
    const literals = [
      '10.0.0.1',
      '192.168.0.1',
      '169.254.169.254',
      '0.0.0.0',
      '[::ffff:127.0.0.1]',
      '[fe80::1]',
      '[fd00::1]',
    ];
    const refused = [...Object.keys(names).slice(0, -1), ...literals];
    const gateway = await startGateway(
      {
        targets: [
          ...refused.map((host) => ({ origin: `https://${host}:${port}` })),
          { origin: `http://allowed.example:${new URL(target.url).port}`, allowPrivate: true, allowCleartext: true },
        ],
      },
      {
        NODE_OPTIONS: `--import=${join(import.meta.dirname, 'preload/fixed-names.ts')}`,
        PRIVACY_EDGE_TEST_NAMES: JSON.stringify(names),
      },
    );
    const { client } = await keysOf(gateway);
    const get = (url: string) => ask(client, { role: gateway, path: GATEWAY_PATH }, { url });
    for (const host of refused) assert.equal((await get(`https://${host}:${port}/`)).status, 403, host);
    assert.equal(secure.arrivals.length, 0);
    assert.equal(gateway.events('looked_up').length, Object.keys(names).length - 1);
    assert.equal((await get(`http://allowed.example:${new URL(target.url).port}/named`)).text, 'GET /named');
    await gateway.stop();
  });

  test('a relay does not forward to private addresses either, unless it may', async () => {
    const names = { 'gateway.example': ['127.0.0.1'] };
    const relay = await stage.relay({
      section: { gateways: [{ name: 'one', path: '/one', url: 'https://gateway.example/' }] },
      env: {
        NODE_OPTIONS: `--import=${join(import.meta.dirname, 'preload/fixed-names.ts')}`,
        PRIVACY_EDGE_TEST_NAMES: JSON.stringify(names),
      },
    });
    const answer = await http1(
      { origin: relay.url, ca },
      { path: '/one', fields: { 'content-type': MEDIA_TYPE_REQUEST }, body: [Buffer.from('message')] },
    );
    assert.equal(answer?.status, 502);
    assert.match(field(answer, 'proxy-status') ?? '', /destination_ip_prohibited/);
    await relay.stop();
  });
});
