/**
 * The tables, for both engines. Names are those of DAP and of the port's rows. Times of reports are in units of the task's time
 * precision; every `_at`, `not_before` and `since` is in milliseconds since the epoch. Columns marked SECRET are sealed when there
 * are column keys; see secret-columns.ts.
 *
 * Nothing is stored about clients: no address, no header, and no measurement. What a leader has of a report is the ciphertext as it
 * was uploaded, until the report is aggregated.
 */

/** Statements of one migration, in the common dialect. */
export type Migration = readonly string[];

/** What lets a job be leased. `available_at` is when the next one may take it: the end of a lease, or the start of the next try. */
const LEASE = `
  token @bytes,
  available_at @integer NOT NULL,
  attempts @integer NOT NULL,
  changed_at @integer NOT NULL`;

const TABLES: Migration = [
  `CREATE TABLE tasks (
    task_key @identity,
    task_id @bytes NOT NULL UNIQUE,
    version @text NOT NULL,
    role @integer NOT NULL,
    task_configuration @bytes NOT NULL,
    verify_key @bytes NOT NULL, -- SECRET
    collector_hpke_config @bytes NOT NULL,
    clock_tolerance_seconds @integer NOT NULL,
    peer_authorization @bytes, -- SECRET
    peer_token_hashes @bytes NOT NULL,
    collector_token_hashes @bytes NOT NULL,
    peer_names @text NOT NULL,
    collector_names @text NOT NULL,
    processing @text NOT NULL,
    is_advertised @integer NOT NULL,
    remembered_since @integer NOT NULL,
    created_at @integer NOT NULL
  ) @table`,

  // Written by every upload; in shards, so that writers do not wait for each other.
  `CREATE TABLE task_counters (
    task_key @integer NOT NULL,
    name @text NOT NULL,
    shard @integer NOT NULL,
    value @integer NOT NULL,
    PRIMARY KEY (task_key, name, shard)
  ) @keyed_table`,

  `CREATE TABLE hpke_keys (
    config_id @integer NOT NULL PRIMARY KEY,
    hpke_config @bytes NOT NULL,
    private_key @bytes NOT NULL, -- SECRET
    state @text NOT NULL,
    since @integer NOT NULL
  ) @table`,

  `CREATE TABLE reports (
    report_key @identity,
    task_key @integer NOT NULL,
    report_id @bytes NOT NULL,
    time @integer NOT NULL,
    uploaded_at @integer NOT NULL,
    state @text NOT NULL,
    report_error @integer,
    attempts @integer NOT NULL,
    not_before @integer NOT NULL,
    report @bytes,
    UNIQUE (task_key, report_id)
  ) @table`,
  'CREATE INDEX reports_by_state ON reports (task_key, state, time)',
  "CREATE INDEX reports_waiting ON reports (task_key, uploaded_at, report_key) WHERE state = 'waiting'",

  // Position: how many times the report was aggregated before. Two that both think they are next collide.
  `CREATE TABLE aggregated_reports (
    task_key @integer NOT NULL,
    report_id @bytes NOT NULL,
    position @integer NOT NULL,
    agg_param @bytes NOT NULL,
    time @integer NOT NULL,
    PRIMARY KEY (task_key, report_id, position)
  ) @keyed_table`,
  'CREATE INDEX aggregated_reports_by_time ON aggregated_reports (task_key, time)',

  `CREATE TABLE batch_buckets (
    part @identity,
    task_key @integer NOT NULL,
    bucket @bytes NOT NULL,
    agg_param @bytes NOT NULL,
    agg_share @bytes NOT NULL, -- SECRET
    report_count @integer NOT NULL,
    checksum @bytes NOT NULL,
    interval_start @integer NOT NULL,
    interval_duration @integer NOT NULL
  ) @table`,
  'CREATE INDEX batch_buckets_by_bucket ON batch_buckets (task_key, bucket, agg_param)',

  // Times are NULL for a batch of the leader's choice.
  `CREATE TABLE collected_batches (
    collected_key @identity,
    task_key @integer NOT NULL,
    first_bucket @bytes NOT NULL,
    last_bucket @bytes NOT NULL,
    first_time @integer,
    last_time @integer,
    agg_param @bytes NOT NULL
  ) @table`,
  'CREATE INDEX collected_batches_by_bucket ON collected_batches (task_key, last_bucket, first_bucket)',
  'CREATE INDEX collected_batches_by_time ON collected_batches (task_key, last_time, first_time)',

  `CREATE TABLE selected_batches (
    selected_key @identity,
    task_key @integer NOT NULL,
    batch_id @bytes NOT NULL,
    agg_param @bytes NOT NULL,
    assigned @integer NOT NULL,
    is_collected @integer NOT NULL,
    UNIQUE (task_key, batch_id)
  ) @table`,

  `CREATE TABLE leader_aggregation_jobs (
    job_key @identity,
    task_key @integer NOT NULL,
    job_id @bytes NOT NULL,
    agg_param @bytes NOT NULL,
    batch_id @bytes,
    report_ids @bytes NOT NULL,
    assigned @integer NOT NULL,
    progress @bytes, -- SECRET
    location @text,
    state @text NOT NULL,
    ${LEASE},
    UNIQUE (task_key, job_id)
  ) @table`,
  `CREATE INDEX leader_aggregation_jobs_available ON leader_aggregation_jobs (available_at) WHERE state = 'active'`,
  `CREATE INDEX leader_aggregation_jobs_of_batch ON leader_aggregation_jobs (task_key, batch_id) WHERE state = 'active'`,
  `CREATE INDEX leader_aggregation_jobs_ended ON leader_aggregation_jobs (task_key, changed_at) WHERE state <> 'active'`,

  `CREATE TABLE helper_aggregation_jobs (
    job_key @identity,
    task_key @integer NOT NULL,
    job_id @bytes NOT NULL,
    agg_param @bytes NOT NULL,
    batch_id @bytes,
    step @integer NOT NULL,
    request_digest @bytes NOT NULL,
    request @bytes,
    response @bytes,
    pending @bytes NOT NULL, -- SECRET
    state @text NOT NULL,
    ${LEASE},
    UNIQUE (task_key, job_id)
  ) @table`,
  `CREATE INDEX helper_aggregation_jobs_available ON helper_aggregation_jobs (available_at) WHERE state = 'processing'`,
  `CREATE INDEX helper_aggregation_jobs_ended ON helper_aggregation_jobs (task_key, changed_at)
    WHERE state <> 'processing'`,

  `CREATE TABLE collection_jobs (
    job_key @identity,
    task_key @integer NOT NULL,
    job_id @bytes NOT NULL,
    request_digest @bytes NOT NULL,
    generation @integer NOT NULL,
    request @bytes NOT NULL,
    agg_param @bytes NOT NULL,
    first_bucket @bytes,
    last_bucket @bytes,
    first_time @integer,
    last_time @integer,
    aggregate_share_req @bytes,
    encrypted_agg_share @bytes,
    report_count @integer,
    interval_start @integer,
    interval_duration @integer,
    location @text,
    response @bytes,
    problem @text,
    state @text NOT NULL,
    created_at @integer NOT NULL,
    ${LEASE},
    UNIQUE (task_key, job_id)
  ) @table`,
  'CREATE INDEX collection_jobs_by_request ON collection_jobs (task_key, request_digest, generation)',
  `CREATE INDEX collection_jobs_available ON collection_jobs (available_at) WHERE state = 'waiting'`,
  `CREATE INDEX collection_jobs_ended ON collection_jobs (task_key, changed_at) WHERE state <> 'waiting'`,

  `CREATE TABLE aggregate_shares (
    task_key @integer NOT NULL,
    share_id @bytes NOT NULL,
    request_digest @bytes NOT NULL,
    response @bytes,
    changed_at @integer NOT NULL,
    PRIMARY KEY (task_key, share_id)
  ) @table`,
  'CREATE INDEX aggregate_shares_ended ON aggregate_shares (task_key, changed_at)',
];

// Whether verification has only begun. It was not written down before, so that whatever was there is an aggregation.
const CLAIMS: Migration = ['ALTER TABLE aggregated_reports ADD COLUMN is_claim @integer NOT NULL DEFAULT 0'];

/** All migrations, the oldest first; a database is at the version that is the number of those it has seen. Only ever added to. */
export const MIGRATIONS: readonly Migration[] = [TABLES, CLAIMS];

/** Tables with rows of a task. Counters come last: what ends a job counts it, and its row is waited for before. */
export const TASK_TABLES: readonly string[] = [
  'reports',
  'aggregated_reports',
  'batch_buckets',
  'collected_batches',
  'selected_batches',
  'leader_aggregation_jobs',
  'helper_aggregation_jobs',
  'collection_jobs',
  'aggregate_shares',
  'task_counters',
];
