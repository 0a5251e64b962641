/** The `analyticsLeader` and `analyticsHelper` sections. */
import { z } from 'zod';
import { roleShape } from './role-schema.ts';
import type {
  AggregatorSection,
  AnalyticsHelperSection,
  AnalyticsLeaderSection,
  CollectionsSection,
  HelpersSection,
  HpkeSection,
  JobsSection,
  PacesSection,
  RetentionSection,
  RoleSection,
  StorageSection,
} from './types.ts';
import { duration, file, flag, integer, oneOf, pattern, size, text } from './values.ts';

/** Schema of the `analyticsLeader` section. */
export function analyticsLeaderSchema(): z.ZodType<AnalyticsLeaderSection> {
  return z.strictObject({
    ...roleShape({ port: 8452, adminPort: 9452 }),
    ...aggregatorShape('leader'),
    maxReport: size().default('1MiB').describe('Largest report, with unit. Default: 1MiB.'),
    maxUpload: size().default('32MiB').describe('Largest upload of several reports, with unit. Default: 32MiB.'),
    jobs: jobs(),
    helpers: helpers(),
    collections: collections(),
  });
}

/** Schema of the `analyticsHelper` section. */
export function analyticsHelperSchema(): z.ZodType<AnalyticsHelperSection> {
  return z.strictObject({
    ...roleShape({ port: 8453, adminPort: 9453 }),
    ...aggregatorShape('helper'),
    processing: oneOf('synchronous', 'asynchronous')
      .default('synchronous')
      .describe(
        'synchronous: aggregation jobs are worked on while the leader waits; asynchronous: it asks again later. Holds for tasks that are new; those that are stored stay as they were. Default: synchronous.',
      ),
  });
}

type AggregatorShape = {
  [K in Exclude<keyof AggregatorSection, keyof RoleSection>]-?: undefined extends AggregatorSection[K]
    ? z.ZodOptional<z.ZodType<NonNullable<AggregatorSection[K]>>>
    : z.ZodType<AggregatorSection[K]>;
};

function aggregatorShape(role: 'leader' | 'helper'): AggregatorShape {
  return {
    basePath: pattern(/^(?:\/[^\s?#]*[^\s?#/])?$/, 'a path such as /dap without a slash at its end, or nothing')
      .default('')
      .describe(
        `Path below which everything is served: that of the ${role}'s URL in the tasks, unless a proxy in front takes it away. Default: none.`,
      ),
    secretFile: file()
      .optional()
      .describe(
        'File with 32 or more random bytes as hex or base64url: names of resources and, without storage.columnKeysFile, the sealing of secrets in the database follow from it. The same for all processes on one database, for ever. This or the variable.',
      ),
    tasksFolder: text('the name of a folder').describe(
      `Folder with the ${role}'s document of each task, *.json, readable by the owner only. Looked at on SIGHUP and every minute. A task whose document is taken away stays.`,
    ),
    storage: storage(),
    hpke: hpke(),
    clockTolerance: duration().default('5m').describe('How far in the future a report may be, with unit. Default: 5m.'),
    maxMessage: size()
      .default('64MiB')
      .describe('Largest message between aggregators and of a collector, with unit. Default: 64MiB.'),
    drivers: integer(1, 64).default(1).describe('Jobs of one kind that each worker works on at once. Default: 1.'),
    lease: duration()
      .default('10m')
      .describe('How long a process owns a job that it works on; others wait this long when it dies. Default: 10m.'),
    paces: paces(),
    retention: retention(),
    retryAfter: duration()
      .default('10s')
      .describe('What peers are told to wait before they ask again, with unit. Default: 10s.'),
  };
}

function storage(): z.ZodType<StorageSection> {
  return z
    .strictObject({
      sqliteFile: file()
        .optional()
        .describe('SQLite database on a local disk; made when it is not there. For one machine. Default: none.'),
      postgresUrl: pattern(/^postgres(?:ql)?:\/\/(?:[^\s:@/]*@)?[^\s@]*$/, 'a postgres:// URL without password')
        .optional()
        .describe('PostgreSQL database without a password. For any number of processes. Default: none.'),
      postgresUrlFile: file()
        .optional()
        .describe('File with the URL of a PostgreSQL database, when it has a password. Default: none.'),
      maxConnections: integer(1, 1000)
        .default(8)
        .describe('Connections to PostgreSQL that each worker opens at most. Default: 8.'),
      columnKeysFile: file()
        .optional()
        .describe(
          'File with keys for secrets in the database, one a line, each 32 bytes as hex or base64url: the first seals, all open. Default: a key that follows from secretFile.',
        ),
    })
    .prefault({})
    .describe(
      'The database. Exactly one of sqliteFile, postgresUrl, postgresUrlFile and the variable for the URL is needed.',
    );
}

function hpke(): z.ZodType<HpkeSection> {
  return z
    .strictObject({
      lifetime: duration().default('7d').describe('How long a key is published, with unit. Default: 7d.'),
      overlap: duration()
        .default('14d')
        .describe('How long after that it still opens reports; at least twice cache, with unit. Default: 14d.'),
      cache: duration().default('1d').describe('How long clients may keep a key, with unit. Default: 1d.'),
    })
    .prefault({})
    .describe('Keys that reports are sealed to. They change by themselves.');
}

function paces(): z.ZodType<PacesSection> {
  return z
    .strictObject({
      work: duration()
        .default('1s')
        .describe(
          'Between two looks for jobs, when there was none, with unit; half to one and a half of it. Default: 1s.',
        ),
      upkeep: duration()
        .default('1m')
        .describe('Between two looks at HPKE keys and at sums to merge, with unit. Default: 1m.'),
      garbage: duration().default('1h').describe('Between two runs of garbage collection, with unit. Default: 1h.'),
    })
    .prefault({})
    .describe('How often it looks for something to do.');
}

function retention(): z.ZodType<RetentionSection> {
  return z
    .strictObject({
      ended: duration()
        .default('14d')
        .describe(
          'How long jobs that have ended, and their results, can still be asked for; longer than any outage of the peer. Default: 14d.',
        ),
      reports: duration()
        .optional()
        .describe(
          'How long reports and sums are remembered; older ones are refused, and batches of that time cannot be collected any more. Default: for ever.',
        ),
    })
    .prefault({})
    .describe('How long is remembered what is not needed any more.');
}

function jobs(): z.ZodType<JobsSection> {
  return z
    .strictObject({
      minSize: integer(1, 1_000)
        .default(10)
        .describe('Fewest reports of an aggregation job that nobody waits for. Default: 10.'),
      maxSize: integer(1, 1_000).default(100).describe('Most reports of an aggregation job. Default: 100.'),
      maxWait: duration()
        .default('1m')
        .describe('After which a report gets into a job, however few there are, with unit. Default: 1m.'),
      batchSize: integer(1, 1_000_000_000)
        .optional()
        .describe("Reports of a batch of the leader's choice. Default: the minimum of the task."),
    })
    .prefault({})
    .describe('Sizes of aggregation jobs.');
}

function helpers(): z.ZodType<HelpersSection> {
  return z
    .strictObject({
      allowPrivate: flag()
        .default(false)
        .describe('Whether helpers may be on private or loopback addresses. Default: false.'),
      timeout: duration()
        .default('1m')
        .describe("From sending a request to the end of the helper's answer, with unit. Default: 1m."),
      firstRetry: duration()
        .default('1s')
        .describe('Wait before a failed request is sent again; doubles each time, with unit. Default: 1s.'),
      longestRetry: duration().default('5m').describe('Longest such wait, with unit. Default: 5m.'),
      maxAttempts: integer(1, 1000)
        .default(20)
        .describe('Attempts after which a job is given up that the helper refuses without a reason. Default: 20.'),
    })
    .prefault({})
    .describe('How helpers are reached.');
}

function collections(): z.ZodType<CollectionsSection> {
  return z
    .strictObject({
      timeout: duration()
        .default('1d')
        .describe('After which a collection with too few reports fails, with unit. Default: 1d.'),
      patience: duration()
        .default('10m')
        .describe(
          'After which a collection no longer waits for reports that came after it was asked for, with unit. Default: 10m.',
        ),
    })
    .prefault({})
    .describe('When collections are given up.');
}
