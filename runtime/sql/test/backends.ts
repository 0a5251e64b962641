/** The two kinds of databases, for tests that both must pass. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PostgresServer, startPostgres } from '@privacy-edge/testing/postgres-server';
import { openPostgresStore, openSqliteStore, type SqlStore, type StoreOptions } from '../src/index.ts';

/** A kind of database. */
export interface Backend {
  readonly name: 'sqlite' | 'postgres';
  /** Address of a new database. */
  create(): Promise<string>;
  /** False when this machine does not have it. */
  start(): Promise<boolean>;
  stop(): Promise<void>;
}

/** Opens a store, by the name of its backend. */
export function openStore(name: string, address: string, options: StoreOptions = {}): Promise<SqlStore> {
  return name === 'sqlite' ? openSqliteStore(address, options) : openPostgresStore(address, options);
}

/** Both, to be started before use. */
export function backends(): readonly Backend[] {
  return [sqlite(), postgres()];
}

function sqlite(): Backend {
  let folder = '';
  let files = 0;
  return {
    name: 'sqlite',
    create: async () => join(folder, `store-${++files}.db`),
    async start() {
      folder = await mkdtemp(join(tmpdir(), 'privacy-edge-sqlite-'));
      return true;
    },
    stop: () => rm(folder, { recursive: true }),
  };
}

function postgres(): Backend {
  let server: PostgresServer | undefined;
  return {
    name: 'postgres',
    async create() {
      if (server === undefined) throw new Error('The server was not started');
      return server.database();
    },
    async start() {
      server = await startPostgres();
      return server !== undefined;
    },
    async stop() {
      await server?.stop();
    },
  };
}
