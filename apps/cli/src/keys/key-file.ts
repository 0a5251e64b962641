/** The key file of a gateway: the schedule's state as JSON, readable by its owner only. */
import { open, unlink } from 'node:fs/promises';
import { fromBase64Url, fromUtf8, toBase64Url } from '@privacy-edge/bytes';
import { KeySchedule, KeyScheduleError, type KeyScheduleState } from '@privacy-edge/gateway-roles';
import { RuntimeError, readSecretFile, writeSecretFile } from '@privacy-edge/node';
import { z } from 'zod';
import { CliError, messageOf, systemCode } from '../cli-error.ts';
import { formatKey } from '../config/problem.ts';
import { expectedAt } from '../config/schema-walk.ts';
import { formatDuration, parseDuration } from '../config/units.ts';
import { duration, integer, list, oneOf, pattern } from '../config/values.ts';
import { KEM_IDS, KEM_NAMES, SUITE_NAMES, suiteIdsOf } from './algorithms.ts';

const FORMAT = 'privacy-edge gateway keys';

/** What a key file holds. */
export interface KeyFile {
  readonly state: KeyScheduleState;
  /** 32 secret bytes that all processes with this file share and that never change: for fingerprints in a common store. */
  readonly shared: Uint8Array;
}

function secret(): z.ZodString {
  return pattern(/^[A-Za-z0-9_-]{43}$/, '32 bytes as base64url');
}

const keyFileSchema = z.strictObject({
  format: z.literal(FORMAT),
  version: z.literal(1),
  epoch: duration(),
  publishAhead: duration(),
  retain: duration(),
  kems: list(oneOf(...KEM_NAMES), 1, `a list of ${KEM_NAMES.join(', ')}`),
  suites: list(oneOf(...SUITE_NAMES), 1, 'a list of KDF/AEAD pairs'),
  shared: secret(),
  segments: z
    .array(
      z.strictObject({
        from: z.iso.datetime({ precision: 3 }),
        epoch: integer(0, Number.MAX_SAFE_INTEGER),
        secret: secret(),
      }),
    )
    .min(1),
});

/**
 * Reads a key file.
 *
 * @throws {@link CliError} `USAGE` for a file that is absent, readable by others, or not a key file
 */
export async function readKeyFile(file: string): Promise<KeyFile> {
  return parseKeyFile(file, await readSecret(file, 'make one with "privacy-edge keys generate"'));
}

/**
 * Reads a file that holds a secret.
 *
 * @param fix - what to do when there is none
 * @throws {@link CliError} `USAGE`
 */
export async function readSecret(file: string, fix: string): Promise<Uint8Array> {
  try {
    return await readSecretFile(file);
  } catch (cause) {
    if (!(cause instanceof RuntimeError)) throw cause;
    const what = `Cannot use the secret file ${file}`;
    if (cause.code === 'FILE_EXPOSED')
      throw new CliError(
        'USAGE',
        {
          place: { path: file },
          what,
          why: 'others may read it, or it is no regular file',
          fix: `run chmod 600 ${file}`,
        },
        { cause },
      );
    const code = systemCode(cause.cause) ?? 'no';
    const why = code === 'ENOENT' ? 'there is no such file' : `the system says ${code}`;
    throw new CliError('USAGE', { place: { path: file }, what, why, fix }, { cause });
  }
}

/** {@link readKeyFile} for bytes that are already at hand. */
export function parseKeyFile(file: string, bytes: Uint8Array): KeyFile {
  const refuse = (why: string, cause?: unknown): never => {
    const fix = 'restore it from a backup, or make a new one with "privacy-edge keys generate"';
    throw new CliError(
      'USAGE',
      { place: { path: file }, what: `Cannot use the key file ${file}`, why, fix },
      { cause },
    );
  };
  let value: unknown;
  try {
    value = JSON.parse(fromUtf8(bytes));
  } catch (cause) {
    // A parser's message quotes what it read, and what it read may be a secret.
    return refuse('it is no JSON', cause instanceof SyntaxError ? undefined : cause);
  }
  const result = keyFileSchema.safeParse(value);
  if (!result.success) {
    const path = result.error.issues[0]?.path.filter((part) => typeof part !== 'symbol') ?? [];
    return refuse(`its member ${formatKey(path) || 'list'} is not as expected (${expectedAt(keyFileSchema, path)})`);
  }
  const { epoch, publishAhead, retain, kems, suites, segments } = result.data;
  const state: KeyScheduleState = {
    epochMs: parseDuration(epoch),
    publishAheadMs: parseDuration(publishAhead),
    retainMs: parseDuration(retain),
    kemIds: kems.map((kem) => KEM_IDS[kem]),
    suites: suites.map(suiteIdsOf),
    segments: segments.map((one) => ({
      secret: fromBase64Url(one.secret),
      epoch: one.epoch,
      fromMs: Date.parse(one.from),
    })),
  };
  try {
    void new KeySchedule(state);
  } catch (cause) {
    if (!(cause instanceof KeyScheduleError)) throw cause;
    return refuse(cause.message, cause);
  }
  return { state, shared: fromBase64Url(result.data.shared) };
}

/** The text of a key file. Holds secrets. */
export function formatKeyFile({ state, shared }: KeyFile): string {
  const file = {
    format: FORMAT,
    version: 1,
    epoch: formatDuration(state.epochMs),
    publishAhead: formatDuration(state.publishAheadMs),
    retain: formatDuration(state.retainMs),
    kems: state.kemIds.map((id) => KEM_NAMES.find((name) => KEM_IDS[name] === id)),
    suites: state.suites.map(({ kdfId, aeadId }) =>
      SUITE_NAMES.find((name) => suiteIdsOf(name).kdfId === kdfId && suiteIdsOf(name).aeadId === aeadId),
    ),
    shared: toBase64Url(shared),
    segments: state.segments.map((one) => ({
      from: new Date(one.fromMs).toISOString(),
      epoch: one.epoch,
      secret: toBase64Url(one.secret),
    })),
  };
  return `${JSON.stringify(file, undefined, 2)}\n`;
}

/**
 * Makes a key file.
 *
 * @throws {@link CliError} `USAGE` when there is one already
 */
export async function createKeyFile(file: string, content: KeyFile): Promise<void> {
  await withLock(file, async () => {
    const existing = await open(file, 'r').catch(() => undefined);
    await existing?.close();
    if (existing !== undefined)
      throw new CliError('USAGE', {
        what: `Cannot make the key file ${file}`,
        why: 'it exists, and overwriting it would lose keys',
        fix: 'name another file, or use "privacy-edge keys rotate"',
      });
    await write(file, content);
  });
}

/**
 * Changes a key file; two programs that change it at the same time cannot lose each other's change.
 *
 * @param change - gives the new state; the same object means that nothing changes
 * @returns the new state
 */
export async function updateKeyFile(
  file: string,
  change: (state: KeyScheduleState) => KeyScheduleState | PromiseLike<KeyScheduleState>,
): Promise<KeyScheduleState> {
  return withLock(file, async () => {
    const { state, shared } = await readKeyFile(file);
    const changed = await change(state);
    if (changed !== state) await write(file, { state: changed, shared });
    return changed;
  });
}

async function write(file: string, content: KeyFile): Promise<void> {
  try {
    await writeSecretFile(file, formatKeyFile(content));
  } catch (cause) {
    throw cannotWrite(file, cause);
  }
}

/** The lock is a file of its own, since the key file is replaced and not written in place. */
async function withLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  const lock = `${file}.lock`;
  const handle = await open(lock, 'wx', 0o600).catch((cause: unknown) => {
    if (systemCode(cause) !== 'EEXIST') throw cannotWrite(file, cause);
    throw new CliError(
      'FAILED',
      {
        what: `Cannot change the key file ${file}`,
        why: 'another program is changing it',
        fix: `try again; if none is running, remove ${lock}`,
      },
      { cause },
    );
  });
  try {
    return await work();
  } finally {
    await handle.close();
    await unlink(lock);
  }
}

function cannotWrite(file: string, cause: unknown): CliError {
  const code = systemCode(cause) ?? systemCode((cause as { cause?: unknown }).cause) ?? messageOf(cause);
  const parts = { what: `Cannot write the key file ${file}`, why: `the system says ${code}`, fix: 'check the folder' };
  return new CliError('USAGE', parts, { cause });
}
