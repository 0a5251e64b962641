/**
 * What a gateway and a relay cost, against Go's gateway and proxy, nginx, and the bare X25519 exchange. Every figure is CPU time
 * (user and system) of the process under test for one operation, all in one run; compare the ratios, not the absolutes.
 *
 * Run: npm run bench -- gateway [seconds]. Needs wrk and nginx (Debian packages); Go's rows need Go and are left out without it.
 */

import { spawnSync } from 'node:child_process';
import { createPrivateKey, createPublicKey, diffieHellman, generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeRequest } from '@privacy-edge/bhttp';
import {
  AEAD_AES_128_GCM,
  generateKeyPair,
  KDF_HKDF_SHA256,
  KEM_MLKEM768_X25519,
  KEM_X25519_HKDF_SHA256,
} from '@privacy-edge/hpke';
import { buildPeers, ToolchainMissing } from '@privacy-edge/interop/toolchain';
import { systemRandom } from '@privacy-edge/node';
import { createGatewayKey, prepareEncapsulator, receiveRequest } from '@privacy-edge/ohttp';
import { measureSync } from './lib/cpu.ts';
import { type Ammunition, load } from './lib/load.ts';
import { type Ask, askOnce, makeMessages } from './lib/messages.ts';
import { type Running, startJson, startProbed } from './lib/processes.ts';
import { type Row, report } from './lib/report.ts';

const seconds = Number(process.argv[3] ?? 4);
const node = process.execPath;
const cli = join(import.meta.dirname, '../apps/cli/bin/privacy-edge.cjs');
const folder = mkdtempSync(join(tmpdir(), 'privacy-edge-bench-'));
const rows: Row[] = [];
const started: Running[] = [];

function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

async function run<T extends Running>(starting: Promise<T>): Promise<T> {
  const running = await starting;
  started.push(running);
  return running;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function row(
  name: string,
  cpuMicros: number,
  ratios: Readonly<Record<string, number | undefined>> = {},
  text?: string,
): number {
  const known = Object.entries(ratios).filter((entry): entry is [string, number] => entry[1] !== undefined);
  const compared = Object.fromEntries(known.map(([peer, other]) => [peer, cpuMicros / other]));
  rows.push({ name, cpuMicros, ratios: compared, ...(text === undefined ? {} : { note: text }) });
  return cpuMicros;
}

function rawX25519(): number {
  const ours = generateKeyPairSync('x25519').privateKey;
  const peer = createPublicKey(
    createPrivateKey(generateKeyPairSync('x25519').privateKey.export({ format: 'pem', type: 'pkcs8' })),
  );
  return measureSync(() => diffieHellman({ privateKey: ours, publicKey: peer }));
}

/** Header check, HPKE open, response keys, seal: everything a gateway does with keys for one request. */
async function cryptoStep(kemId: number, bytes: number): Promise<number> {
  const suite = { kdfId: KDF_HKDF_SHA256, aeadId: AEAD_AES_128_GCM };
  const key = await createGatewayKey({
    keyId: 1,
    privateKey: await generateKeyPair(kemId, systemRandom),
    suites: [suite],
  });
  const encapsulator = await prepareEncapsulator(key.config, suite);
  const request = encodeRequest({
    method: 'POST',
    scheme: 'https',
    authority: 'app.example',
    path: '/',
    fields: [],
    body: randomBytes(200),
    trailers: [],
  });
  const { message } = await encapsulator.encapsulate(request, systemRandom);
  const answer = randomBytes(bytes);
  return measureSync(() => {
    // Synchronous on Node; the types allow both.
    const opened = receiveRequest(message, () => key).open() as Awaited<
      ReturnType<ReturnType<typeof receiveRequest>['open']>
    >;
    opened.response.seal(answer, systemRandom);
  });
}

interface GoBench {
  readonly rows: readonly {
    readonly name: string;
    readonly kem: string;
    readonly bytes: number;
    readonly cpuMicrosPerOp: number;
  }[];
}

/** Go's figures by KEM and size. */
function goBench(program: string): Map<string, number> {
  const done = spawnSync(program, ['bench', '--seconds', '1'], { encoding: 'utf8', timeout: 60_000 });
  const steps = (JSON.parse(done.stdout) as GoBench).rows.filter((entry) => entry.name === 'decapsulate+encapsulate');
  return new Map(steps.map((entry) => [`${entry.kem} ${entry.bytes}`, entry.cpuMicrosPerOp]));
}

async function nginx(name: string, server: string, port: number): Promise<Running> {
  const prefix = join(folder, name);
  spawnSync('mkdir', ['-p', join(prefix, 'tmp')]);
  writeFileSync(
    join(prefix, 'nginx.conf'),
    `daemon off; master_process off; worker_processes 1; pid ${prefix}/pid; error_log ${prefix}/error.log;
     events { worker_connections 1024; }
     http { access_log off; client_body_temp_path ${prefix}/tmp; proxy_temp_path ${prefix}/tmp; fastcgi_temp_path ${prefix}/tmp;
            uwsgi_temp_path ${prefix}/tmp; scgi_temp_path ${prefix}/tmp; keepalive_requests 100000000; client_body_buffer_size 128k;
            ${server} }`,
  );
  return run(
    startProbed(
      'nginx',
      ['-p', prefix, '-c', join(prefix, 'nginx.conf')],
      async () => (await fetch(`http://127.0.0.1:${port}/`)).status < 500,
    ),
  );
}

/** A gateway under load; its answers are opened before and after, because what is refused inside looks like any other answer. */
async function measuredGateway(
  name: string,
  urls: { readonly gateway: string; readonly keys: string },
  running: Running,
  ask: Ask,
  count: number,
): Promise<number | undefined> {
  const check = async (): Promise<boolean> => {
    const { status, bytes } = await askOnce(urls.gateway, urls.keys, ask);
    if (status !== 200) note(`${name}: the answer inside is ${status} with ${bytes} bytes, row left out`);
    return status === 200;
  };
  const shots = await makeMessages(urls.keys, ask, count);
  if (!(await check())) return undefined;
  const cost = await measured(name, urls.gateway, running, shots);
  return (await check()) ? cost : undefined;
}

/** What the runtime costs without a gateway around it. */
async function least(name: string, args: readonly string[], ask: Ask, count: number): Promise<number | undefined> {
  const running = await run(startJson(node, [join(import.meta.dirname, 'servers/least-gateway.ts'), ...args]));
  const url = String(running.ready['url']);
  const cost = await measured(name, url, running, await makeMessages(url, ask, count));
  await running.stop();
  return cost;
}

async function measured(name: string, url: string, running: Running, shots: Ammunition): Promise<number | undefined> {
  note(`measuring ${name}`);
  const result = await load(url, running.pid, shots, seconds);
  if (result.failed > 0) {
    note(`${name}: ${result.failed} of ${result.requests} answers were not 2xx, row left out`);
    return undefined;
  }
  return result.cpuMicros;
}

async function main(): Promise<void> {
  let go: string | undefined;
  try {
    go = buildPeers(note).go;
  } catch (error) {
    if (!(error instanceof ToolchainMissing)) throw error;
    note(`${error.message}; Go's rows are left out`);
  }
  const goRows = go === undefined ? new Map<string, number>() : goBench(go);

  note('measuring the crypto step');
  const raw = row('X25519 exchange, bare (node:crypto)', rawX25519());
  const goStep = goRows.get('x25519 200');
  if (goStep !== undefined) row('crypto step 200 B, Go ohttp-go', goStep, { 'bare X25519': raw });
  row('crypto step 200 B', await cryptoStep(KEM_X25519_HKDF_SHA256, 200), { 'bare X25519': raw, Go: goStep });
  row('crypto step 16 KiB', await cryptoStep(KEM_X25519_HKDF_SHA256, 16_384), {
    'bare X25519': raw,
    Go: goRows.get('x25519 16384'),
  });
  row('crypto step 200 B, MLKEM768-X25519', await cryptoStep(KEM_MLKEM768_X25519, 200), {
    'bare X25519': raw,
    Go: goRows.get('xwing 200'),
  });

  const COUNT = Math.ceil(14_000 * (seconds + 2));
  const targetPort = await freePort();
  await nginx(
    'target',
    `server { listen 127.0.0.1:${targetPort}; location / { return 200 "${'t'.repeat(200)}"; } }`,
    targetPort,
  );
  const ask = { scheme: 'http', authority: `127.0.0.1:${targetPort}`, path: '/', contentBytes: 100 } as const;

  let goEcho: number | undefined;
  let goTarget: number | undefined;
  if (go !== undefined) {
    const echo = await run(startJson(go, ['gateway', '--kems', 'x25519', '--parent-pipe']));
    const echoUrl = String(echo.ready['listening']);
    // Its answers are the requests, sealed again; there is nothing in them to judge.
    const echoed = await makeMessages(`${echoUrl}/ohttp-keys`, ask, 2000);
    goEcho = await measured('Go gateway, echo', `${echoUrl}/gateway-echo`, echo, echoed);
    await echo.stop();
    const target = await run(
      startJson(go, ['gateway', '--kems', 'x25519', '--parent-pipe', '--target', `http://127.0.0.1:${targetPort}`]),
    );
    const targetUrl = String(target.ready['listening']);
    const targetUrls = { gateway: `${targetUrl}/gateway`, keys: `${targetUrl}/ohttp-keys` };
    goTarget = await measuredGateway('Go gateway, target', targetUrls, target, ask, 2000);
    await target.stop();
  }
  const leastEcho = await least('least gateway, in process', [], ask, COUNT);
  const leastTarget = await least('least gateway, target', [`http://127.0.0.1:${targetPort}`], ask, COUNT);

  if (leastEcho !== undefined) row('node:http and the crypto step, nothing else', leastEcho, { Go: goEcho });
  if (goEcho !== undefined) row('gateway answering in process, Go (net/http + ohttp-go)', goEcho);
  const inProcess = await run(startJson(node, [join(import.meta.dirname, 'servers/application-gateway.ts')]));
  const inProcessUrl = String(inProcess.ready['url']);
  const appAsk = { scheme: 'https', authority: 'app.example', path: '/', contentBytes: 100 } as const;
  const own = await measuredGateway(
    'gateway, application in process',
    {
      gateway: inProcessUrl + String(inProcess.ready['gateway']),
      keys: inProcessUrl + String(inProcess.ready['keys']),
    },
    inProcess,
    appAsk,
    COUNT,
  );
  if (own !== undefined) row('gateway answering in process', own, { 'bare X25519': raw, Go: goEcho, least: leastEcho });
  await inProcess.stop();

  if (leastTarget !== undefined) {
    row('node:http, undici and the crypto step, nothing else', leastTarget, { Go: goTarget });
  }
  if (goTarget !== undefined) row('gateway with HTTP target, Go (net/http + ohttp-go)', goTarget);
  const gatewayPort = await freePort();
  writeFileSync(join(folder, 'gateway.yaml'), gatewayYaml(gatewayPort, targetPort));
  // A key file comes with the state of a gateway that never served; without it the first minutes refuse every POST.
  spawnSync(node, [cli, 'keys', 'generate', join(folder, 'keys.json')]);
  const gateway = await run(
    startProbed(
      node,
      [cli, 'gateway', 'serve', '--config', join(folder, 'gateway.yaml')],
      async () => (await fetch(`http://127.0.0.1:${gatewayPort}/ohttp-keys`)).ok,
    ),
  );
  const gatewayUrl = `http://127.0.0.1:${gatewayPort}`;
  const withTarget = await measuredGateway(
    'gateway with HTTP target',
    { gateway: `${gatewayUrl}/.well-known/ohttp-gateway`, keys: `${gatewayUrl}/ohttp-keys` },
    gateway,
    ask,
    COUNT,
  );
  if (withTarget !== undefined) {
    row('gateway with HTTP target', withTarget, { 'bare X25519': raw, Go: goTarget, least: leastTarget });
  }
  await gateway.stop();

  await relays(go);
}

async function relays(go: string | undefined): Promise<void> {
  const opaque: Ammunition = { contentType: 'message/ohttp-req', messages: [randomBytes(244)] };
  const nginxPort = await freePort();
  // An upstream that answers with the media type a relay expects.
  const gatewayPort = await freePort();
  await nginx(
    'opaque',
    `server { listen 127.0.0.1:${gatewayPort}; location / { default_type message/ohttp-res; return 200 "${'r'.repeat(300)}"; } }`,
    gatewayPort,
  );
  const proxy = await nginx(
    'proxy',
    `upstream up { server 127.0.0.1:${gatewayPort}; keepalive 64; keepalive_requests 100000000; }
     server { listen 127.0.0.1:${nginxPort}; location / { proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection ""; } }`,
    nginxPort,
  );
  const nginxCost = await measured('nginx as proxy', `http://127.0.0.1:${nginxPort}/`, proxy, opaque);
  await proxy.stop();
  if (nginxCost !== undefined) row('proxy, nginx', nginxCost);
  let goCost: number | undefined;
  if (go !== undefined) {
    const running = await run(
      startJson(go, ['reverseproxy', '--upstream', `http://127.0.0.1:${gatewayPort}`, '--parent-pipe']),
    );
    goCost = await measured('Go ReverseProxy', `${String(running.ready['listening'])}/`, running, opaque);
    await running.stop();
    if (goCost !== undefined) row('proxy, Go httputil.ReverseProxy', goCost);
  }
  const relayPort = await freePort();
  writeFileSync(join(folder, 'relay.yaml'), relayYaml(relayPort, gatewayPort));
  const relay = await run(
    startProbed(
      node,
      [cli, 'gateway', 'relay', '--config', join(folder, 'relay.yaml')],
      async () => (await fetch(`http://127.0.0.1:${relayPort}/none`)).status === 404,
    ),
  );
  const cost = await measured('relay', `http://127.0.0.1:${relayPort}/app`, relay, opaque);
  await relay.stop();
  if (cost !== undefined) row('relay', cost, { 'Go ReverseProxy': goCost, nginx: nginxCost });
}

function gatewayYaml(port: number, targetPort: number): string {
  return `gateway:
  port: ${port}
  admin: { enabled: false }
  log: { level: error }
  keys: { file: ${join(folder, 'keys.json')} }
  targets: [{ origin: "http://127.0.0.1:${targetPort}", allowPrivate: true }]
`;
}

function relayYaml(port: number, gatewayPort: number): string {
  return `relay:
  port: ${port}
  admin: { enabled: false }
  log: { level: error }
  gateways: [{ name: app, path: /app, url: "http://127.0.0.1:${gatewayPort}/gateway", allowPrivate: true }]
`;
}

try {
  await main();
  report('gateway', rows);
} finally {
  await Promise.all(started.map((running) => running.stop()));
  rmSync(folder, { recursive: true, force: true });
}
