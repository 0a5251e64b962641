/**
 * A web page that asks a question without saying who asks. This starts a local certificate authority, relay, gateway, target
 * and the page's own server, each with an origin of its own, and prints how to open the page.
 *
 * Run: node examples/06-browser/serve.ts
 */

import { createHash, X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RoleHandler, RoleResponse } from '@privacy-edge/http-exchange';
import { createLocalAuthority, createLog, serve } from '@privacy-edge/node';
import { rolldown } from 'rolldown';
import { Evidence, type Party } from './evidence.ts';
import { type Parties, startParties } from './parties.ts';

/** A running demonstration. */
export interface Demo {
  /** Where the page is. */
  readonly url: string;
  readonly parties: Parties;
  readonly evidence: Evidence;
  /** For `--ignore-certificate-errors-spki-list` of Chromium: certificates that it has to accept. */
  readonly spkiList: string;
  close(): Promise<void>;
}

/** One row of the table on the page. */
interface Row {
  readonly fact: string;
  readonly value: string;
  readonly seen: Readonly<Record<Party, boolean>>;
}

const PUBLIC = new URL('./public/', import.meta.url);
const PARTIES = ['relay', 'gateway', 'target'] as const;

/**
 * Starts everything.
 *
 * @param beforeWord - awaited before each word of a streamed answer but the first; by default a short pause
 */
export async function startDemo(port = 0, beforeWord: () => Promise<void> = () => sleep(90)): Promise<Demo> {
  const folder = await mkdtemp(join(tmpdir(), 'privacy-edge-browser-'));
  const authority = await createLocalAuthority(folder, Date.now());
  const evidence = new Evidence();
  const files = await pageFiles();
  let respond: RoleHandler = async () => NOT_FOUND;
  const certificate = await authority.issue('page');
  const { event: log } = createLog({ level: 'warn' });
  const page = await serve((request) => respond(request), { host: '127.0.0.1', port, certificate, log });
  const url = `https://localhost:${page.port}`;
  const parties = await startParties(authority, evidence, beforeWord, url);
  const pin = `sha256-${createHash('sha256').update(parties.keys).digest('base64')}`;
  // The target's name and the pin of the gateway's keys are part of the application, like its code.
  const settings = JSON.stringify({ relay: parties.relay, target: parties.target, pin });
  const fields = securityFields(new URL(parties.relay).origin);
  respond = async ({ method, path }) => {
    if (method !== 'GET') return { status: 405, fields: [...fields, ['allow', 'GET']], body: null };
    if (path === '/settings.json') return answer('application/json', Buffer.from(settings), fields);
    if (path === '/seen.json') {
      return answer('application/json', Buffer.from(JSON.stringify(report(evidence))), fields);
    }
    const file = files.get(path);
    return file === undefined ? { ...NOT_FOUND, fields } : answer(file.type, file.bytes, fields);
  };
  return {
    url: `${url}/`,
    parties,
    evidence,
    spkiList: (await Promise.all(['page', 'relay'].map((name) => spkiDigest(join(folder, `${name}.pem`))))).join(),
    close: async () => {
      await page.close(0);
      await parties.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

interface PageFile {
  readonly type: string;
  readonly bytes: Uint8Array;
}

const TYPES = { html: 'text/html; charset=utf-8', css: 'text/css; charset=utf-8', svg: 'image/svg+xml' } as const;

/** The page, with its program bundled for browsers; the client is a file of its own, to see what it weighs. */
async function pageFiles(): Promise<ReadonlyMap<string, PageFile>> {
  const files = new Map<string, PageFile>();
  for (const [path, name] of [
    ['/', 'index.html'],
    ['/style.css', 'style.css'],
    ['/icon.svg', 'icon.svg'],
  ] as const) {
    const type = TYPES[name.split('.')[1] as keyof typeof TYPES];
    files.set(path, { type, bytes: await readFile(new URL(name, PUBLIC)) });
  }
  const bundle = await rolldown({
    input: { app: new URL('app.ts', PUBLIC).pathname, client: '@privacy-edge/gateway' },
    cwd: new URL('.', import.meta.url).pathname,
    platform: 'browser',
    logLevel: 'silent',
  });
  const { output } = await bundle.generate({ format: 'esm', minify: true, entryFileNames: '[name].js' });
  await bundle.close();
  for (const item of output) {
    if (item.type === 'chunk')
      files.set(`/${item.fileName}`, { type: 'text/javascript', bytes: Buffer.from(item.code) });
  }
  return files;
}

/** The page runs its own code only, and may talk to its own server and to the relay, nobody else. */
function securityFields(relayOrigin: string): RoleResponse['fields'] {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    `connect-src 'self' ${relayOrigin}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ];
  return [
    ['content-security-policy', policy.join('; ')],
    ['cross-origin-opener-policy', 'same-origin'],
    ['referrer-policy', 'no-referrer'],
    ['x-content-type-options', 'nosniff'],
    ['cache-control', 'no-store'],
  ];
}

function answer(type: string, body: Uint8Array, fields: RoleResponse['fields']): RoleResponse {
  return { status: 200, fields: [['content-type', type], ...fields], body };
}

const NOT_FOUND: RoleResponse = { status: 404, fields: [], body: null };

/** What the page's table shows. For the demonstration only: nobody who is one party could know this of all three. */
function report(evidence: Evidence): { rows: readonly Row[]; arrived: Record<Party, readonly string[]> } {
  const { relay, target } = evidence.parties;
  const post = relay.heads.find(({ method }) => method === 'POST');
  const field = (name: string): string => post?.fields.find(([candidate]) => candidate === name)?.[1] ?? '';
  const [question, said] = [target.content[0]?.toString() ?? '', target.content[1]?.toString() ?? ''];
  const facts: readonly (readonly [fact: string, value: string])[] = [
    ['Your address', post?.peer ?? ''],
    ['Your browser', field('user-agent')],
    ['Your languages', field('accept-language')],
    ['The page you are on', field('origin')],
    ['Your question', question],
    ['The answer', said],
  ];
  const rows = facts.map(([fact, value]) => ({
    fact,
    value,
    seen: Object.fromEntries(PARTIES.map((party) => [party, evidence.holds(party, value)])) as Row['seen'],
  }));
  const arrived = Object.fromEntries(PARTIES.map((party) => [party, linesOf(evidence, party)])) as Record<
    Party,
    readonly string[]
  >;
  return { rows, arrived };
}

/** What arrived at one party, as it would print it. */
function linesOf(evidence: Evidence, party: Party): readonly string[] {
  const { heads, content } = evidence.parties[party];
  const lines = heads
    .filter(({ method }) => method === 'POST')
    .flatMap(({ peer, method, path, fields }) => [
      `from ${peer}`,
      `${method} ${path}`,
      ...fields.map(([name, value]) => `${name}: ${value}`),
    ]);
  const body = content[0] ?? Buffer.alloc(0);
  return party === 'target' ? [...lines, '', body.toString()] : [...lines, '', ...dump(body)];
}

/** The first bytes of a sealed message; there is nothing to read in the others either. */
function dump(bytes: Buffer): readonly string[] {
  const shown =
    bytes
      .subarray(0, 48)
      .toString('hex')
      .match(/.{1,24}/g) ?? [];
  return [...shown.map((line) => line.replace(/../g, '$& ')), `… ${bytes.length} bytes, sealed`];
}

async function spkiDigest(certificatePath: string): Promise<string> {
  const { publicKey } = new X509Certificate(await readFile(certificatePath));
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64');
}

if (import.meta.main) {
  const demo = await startDemo(Number(process.env['PORT'] ?? 0));
  console.log(`The page is at ${demo.url}

Its certificates come from an authority that lives as long as this process. A browser that accepts just these:

  chromium --user-data-dir="$(mktemp -d)" \\
    --ignore-certificate-errors-spki-list=${demo.spkiList} \\
    ${demo.url}

Stop with Ctrl-C.`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void demo.close().then(() => process.exit(0)));
  }
}
