/** Migrations of PostgreSQL. */
import type { ClientBase } from 'pg';
import { MIGRATIONS } from './schema.ts';
import { SqlError } from './sql-error.ts';
import { translate } from './sql-text.ts';
import { newerSchema, VERSIONS } from './versions.ts';

/** Held while the schema changes: "PeAn" and a number that no task has. */
const MIGRATION_LOCK = `${0x5065416e}, -1`;

/**
 * Brings the schema up to date; any number of processes may do so at once.
 *
 * @throws {@link SqlError} `SCHEMA` for a newer schema, or a server that forgets what it has acknowledged
 */
export async function migratePostgres(client: ClientBase): Promise<void> {
  await checkDurability(client);
  await client.query('BEGIN');
  try {
    await client.query(`SELECT pg_advisory_xact_lock(${MIGRATION_LOCK})`);
    await client.query(translate(VERSIONS, 'postgres').text);
    const { rows } = await client.query<{ version: number }>(
      'SELECT COALESCE(MAX(version), 0) AS version FROM schema_version',
    );
    const version = rows[0]?.version ?? 0;
    if (version > MIGRATIONS.length) throw newerSchema(version);
    for (const [at, statements] of MIGRATIONS.entries()) {
      if (at < version) continue;
      for (const sql of statements) await client.query(translate(sql, 'postgres').text);
      await client.query('INSERT INTO schema_version (version) VALUES ($1)', [at + 1]);
    }
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

/** A report that was acknowledged must survive a power cut, and a share that was released must never be made again. */
async function checkDurability(client: ClientBase): Promise<void> {
  for (const setting of ['fsync', 'synchronous_commit', 'full_page_writes']) {
    const { rows } = await client.query<{ value: string }>('SELECT current_setting($1) AS value', [setting]);
    if (rows[0]?.value === 'off') {
      throw new SqlError('SCHEMA', `Cannot use the database: its setting ${setting} is off, so that it may forget`);
    }
  }
}
