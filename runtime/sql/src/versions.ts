/** Versions of the schema, for both engines. */
import { SqlError } from './sql-error.ts';

/** The table that remembers which migrations took place. */
export const VERSIONS = 'CREATE TABLE IF NOT EXISTS schema_version (version @integer NOT NULL PRIMARY KEY) @table';

/** The error for a database of a later version. */
export function newerSchema(version: number): SqlError {
  return new SqlError('SCHEMA', `Cannot open the database: its schema ${version} is newer than this program`);
}
