/**
 * The interop matrix over real sockets on loopback: every client against every gateway, straight and through relays. Then
 * the VDAFs: this kit and another implementation as the two aggregators of the same reports.
 *
 *     npm run interop                        everything
 *     npm run interop -- --peers             the foreign peers among themselves only
 *     npm run interop -- --only rust         rows whose title contains the text
 *     npm run interop -- --seed 7            the random parameters of the VDAFs that a run said it had
 *
 * Exit codes: 0 all passed, 1 something failed, 2 Go or cargo is missing, or bad arguments.
 */

import { randomInt } from 'node:crypto';
import { inspect, parseArgs } from 'node:util';
import {
  type Client,
  contentOf,
  type Exchange,
  type Gateway,
  goClient,
  goGateway,
  goRelay,
  type Kem,
  type Media,
  type Relay,
  rustClient,
  rustGateway,
  startTarget,
} from './parties.ts';
import type { Server } from './processes.ts';
import { buildPeers, buildPrioPeer, PEERS, ToolchainMissing } from './toolchain.ts';
import { runVdafRows, type VdafRow, vdafRows } from './vdaf/rows.ts';

const ROW_MS = 60_000;

/** A way through the network: who asks whom, through what. */
interface Row {
  readonly client: Client;
  readonly relay: Relay | undefined;
  readonly gateway: Gateway;
  readonly kem: Kem;
  readonly media: Media;
}

interface Parties {
  readonly clients: readonly Client[];
  readonly gateways: readonly Gateway[];
  readonly relays: readonly (Relay | undefined)[];
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = error instanceof ToolchainMissing ? 2 : 1;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      peers: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
      seed: { type: 'string', default: String(randomInt(2 ** 31)) },
    },
  });
  const parties = await gather(PEERS.go, PEERS.rust, values.peers);
  const rows = allRows(parties).filter((row) => title(row).includes(values.only));
  const vdaf = values.peers ? [] : vdafRows().filter((row) => row.title.includes(values.only));
  const failedInMatrix = await runMatrix(rows);
  const { failed: failedVdafs, skipped } = await runVdafs(vdaf, Number(values.seed));
  const failed = failedInMatrix + failedVdafs;
  const count = rows.length + vdaf.length;
  console.log(`${count - failed - skipped} passed, ${failed} failed, ${skipped} skipped`);
  if (failed > 0 || count === 0) return 1;
  return skipped > 0 ? 2 : 0;
}

async function runMatrix(rows: readonly Row[]): Promise<number> {
  if (rows.length === 0) return 0;
  const { go } = buildPeers((line) => console.error(line));
  const target = await startTarget(go);
  let failed = 0;
  try {
    for (const group of byRoute(rows)) failed += await runGroup(group, target.origin);
  } finally {
    await target.stop();
  }
  return failed;
}

async function runVdafs(rows: readonly VdafRow[], seed: number): Promise<{ failed: number; skipped: number }> {
  if (rows.length === 0) return { failed: 0, skipped: 0 };
  let program: string;
  try {
    program = buildPrioPeer((line) => console.error(line));
  } catch (error) {
    if (!(error instanceof ToolchainMissing)) throw error;
    for (const row of rows) console.log(`skip ${row.title}: ${error.message}`);
    return { failed: 0, skipped: rows.length };
  }
  const failed = await runVdafRows(rows, program, seed, (row, error) => tell(row.title, error));
  return { failed, skipped: 0 };
}

async function gather(go: string, rust: string, peersOnly: boolean): Promise<Parties> {
  const clients = [goClient(go), rustClient(rust)];
  const gateways = [goGateway(go, 'reflect'), goGateway(go, 'target'), rustGateway(rust)];
  const relays = [undefined, goRelay(go)];
  if (peersOnly) return { clients, gateways, relays };
  const ours = await import('./ours.ts');
  return {
    clients: [...clients, ours.ourClient()],
    gateways: [...gateways, ours.ourGateway()],
    relays: [...relays, ours.ourRelay()],
  };
}

/** Everything that both ends can do; P-256 is tried on the straight way only. */
function allRows({ clients, gateways, relays }: Parties): Row[] {
  const rows: Row[] = [];
  for (const gateway of gateways) {
    for (const relay of relays) {
      for (const client of clients) {
        for (const media of client.media.filter((one) => gateway.media.includes(one))) {
          for (const kem of client.kems.filter((one) => gateway.kems.includes(one))) {
            if (relay === undefined || kem !== 'p256') rows.push({ client, relay, gateway, kem, media });
          }
        }
      }
    }
  }
  return rows;
}

/** Rows that share a relay and a gateway share their processes too. */
function byRoute(rows: readonly Row[]): Row[][] {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const key = `${row.gateway.name}|${row.relay?.name ?? ''}`;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()];
}

async function runGroup(rows: readonly Row[], target: string): Promise<number> {
  const { gateway, relay } = rows[0]!;
  const servers: Server[] = [];
  let failed = 0;
  try {
    const gatewayServer = await started(servers, gateway.start(target));
    const resource = `${gatewayServer.origin}${gateway.path}`;
    const relayServer = relay && (await started(servers, relay.start(resource)));
    const post = relay && relayServer ? `${relayServer.origin}${relay.path}` : resource;
    const keys = `${gatewayServer.origin}${gateway.keysPath}`;
    for (const row of rows) failed += await runRow(row, keys, post, target);
  } catch (error) {
    for (const row of rows) report(row, error);
    failed = rows.length;
  } finally {
    for (const server of servers.reverse()) await server.stop();
  }
  return failed;
}

async function started(servers: Server[], starting: Promise<Server>): Promise<Server> {
  const server = await starting;
  servers.push(server);
  return server;
}

async function runRow(row: Row, keys: string, post: string, target: string): Promise<number> {
  try {
    await withinBounds(exchanges(row, keys, post, target));
    report(row);
    return 0;
  } catch (error) {
    report(row, error);
    return 1;
  }
}

async function withinBounds(work: Promise<void>): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`no end after ${ROW_MS / 1000} s`)), ROW_MS);
  try {
    await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** A small request without content, one with a little, one that takes several chunks and segments. */
async function exchanges({ client, kem, media }: Row, keys: string, post: string, target: string): Promise<void> {
  const query = client.keepsQuery ? '?a=1&b=%20' : '';
  const plans: readonly Exchange[] = [
    { method: 'GET', url: `${target}/echo${query}`, probe: 'first', size: 0 },
    { method: 'POST', url: `${target}/echo${query}`, probe: 'second', size: 40 },
    { method: 'PUT', url: `${target}/echo${query}`, probe: 'third', size: 50_000 },
  ];
  for (const plan of plans) {
    const answer = await client.send(plan, { keys, post, kem, media });
    const wanted = contentOf(plan.size);
    expect(plan, 'status', answer.status, 200);
    expect(plan, 'method seen', answer.fields.get('x-seen-method'), plan.method);
    expect(plan, 'URL seen', answer.fields.get('x-seen-url')?.replace(target, ''), `/echo${query}`);
    expect(plan, 'field seen', answer.fields.get('x-probe'), plan.probe);
    expect(plan, 'bytes of content', answer.bytes, plan.size);
    expect(plan, 'content', answer.text.slice(0, 4096), wanted.slice(0, 4096));
  }
}

function expect(plan: Exchange, what: string, got: unknown, wanted: unknown): void {
  if (got !== wanted)
    throw new Error(`${plan.method} of ${plan.size} bytes: ${what} is ${String(got)}, not ${String(wanted)}`);
}

function title({ client, relay, gateway, kem, media }: Row): string {
  const via = relay === undefined ? '' : ` -> ${relay.name}`;
  return `${client.name}${via} -> ${gateway.name}, ${kem}, ${media}`;
}

function report(row: Row, error?: unknown): void {
  tell(title(row), error);
}

function tell(what: string, error?: unknown): void {
  const line = `${error === undefined ? 'ok  ' : 'FAIL'} ${what}`;
  console.log(error === undefined ? line : `${line}\n     ${reasons(error)}`);
}

/** A message and those of what caused it: which connection broke is only said by the last one. */
function reasons(error: unknown): string {
  if (!(error instanceof Error)) return inspect(error);
  return error.cause === undefined ? error.message : `${error.message}: ${reasons(error.cause)}`;
}
