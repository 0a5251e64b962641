/** The work of `privacy-edge keys …`. */
import { createHash, randomBytes } from 'node:crypto';
import { toHex } from '@privacy-edge/bytes';
import {
  advanceKeySchedule,
  type KeyRing,
  KeySchedule,
  KeyScheduleError,
  type KeyScheduleState,
  rotateKeySchedule,
} from '@privacy-edge/gateway-roles';
import { createReplayState, systemClock, systemRandom, writeFileAtomic } from '@privacy-edge/node';
import { encodeKeyConfig, KeyConfigList } from '@privacy-edge/ohttp';
import { CliError, messageOf } from '../cli-error.ts';
import type { KemName, SuiteName } from '../config/types.ts';
import { DURATION_PATTERN } from '../config/units.ts';
import { ExitCode } from '../exit-code.ts';
import { styled, writeJson, writeNote, writeOut } from '../output.ts';
import { replayStateOf } from '../serve/paths.ts';
import { columns } from '../table.ts';
import { aeadName, kdfName, kemName } from './algorithms.ts';
import { createKeyFile, updateKeyFile } from './key-file.ts';
import { scheduleSettings } from './seed.ts';
import { openNamedKeys } from './source.ts';

/** Options of `keys generate`. */
export interface GenerateOptions {
  readonly epoch: string;
  readonly publishAhead: string;
  readonly retain: string;
  readonly kem: readonly KemName[];
  readonly suite: readonly SuiteName[];
  readonly json?: boolean;
}

/** Options of `keys rotate`. */
export interface RotateOptions {
  readonly at?: string;
  readonly json?: boolean;
}

/** Options of `keys list`. */
export interface ListOptions {
  readonly config?: string;
  readonly at?: string;
  readonly json?: boolean;
}

/** Options of `keys export`. */
export interface ExportOptions extends ListOptions {
  readonly output?: string;
}

const SECRET_BYTES = 32;

/** `keys generate`. */
export async function keysGenerate(file: string, options: GenerateOptions): Promise<ExitCode> {
  for (const name of ['epoch', 'publishAhead', 'retain'] as const)
    if (!DURATION_PATTERN.test(options[name]))
      throw new CliError('USAGE', {
        what: `Cannot use "${options[name]}" as a duration`,
        why: 'expected a number with its unit',
        fix: 'write it like 500ms, 30s, 12h or 7d',
      });
  const settings = scheduleSettings({ ...options, kems: options.kem, suites: options.suite });
  const segment = { secret: new Uint8Array(randomBytes(SECRET_BYTES)), epoch: 0, fromMs: Date.now() };
  const state = { ...settings, segments: [segment] };
  checkSchedule(state);
  await createKeyFile(file, { state, shared: new Uint8Array(randomBytes(SECRET_BYTES)) });
  // No key of this file was ever used, so its gateway starts with a replay window that is known to be empty.
  await createReplayState(replayStateOf(file), systemClock, systemRandom);
  await report(options.json, `Made ${file}`, file, state);
  return ExitCode.OK;
}

/** `keys rotate`. */
export async function keysRotate(file: string, options: RotateOptions): Promise<ExitCode> {
  const at = momentOf(options.at);
  const now = Date.now();
  if (at < now - 1000 && options.at !== undefined)
    throw new CliError('USAGE', {
      what: 'Cannot rotate in the past',
      why: `${options.at} is over`,
      fix: 'leave out --at for now',
    });
  const state = await updateKeyFile(file, async (before) => {
    const pruned = await advanceKeySchedule(before, now);
    return scheduled(() => rotateKeySchedule(pruned, new Uint8Array(randomBytes(SECRET_BYTES)), at));
  });
  const from = new Date(state.segments.at(-1)?.fromMs ?? at).toISOString();
  await report(options.json, `New keys from ${from} in ${file}`, file, state);
  if (options.json !== true)
    writeNote('SIGHUP the gateway now; relays that serve its keys on SIGHUP too or when Cache-Control ends.\n');
  return ExitCode.OK;
}

/** `keys prune`. */
export async function keysPrune(file: string, options: { readonly json?: boolean }): Promise<ExitCode> {
  const state = await updateKeyFile(file, (before) => advanceKeySchedule(before, Date.now()));
  await report(options.json, `Pruned ${file}`, file, state);
  return ExitCode.OK;
}

/** `keys list`. */
export async function keysList(file: string | undefined, options: ListOptions): Promise<ExitCode> {
  const at = momentOf(options.at);
  const ring = await (await openNamedKeys(file, options.config)).ringAt(at);
  if (options.json === true) writeJson(describeRing(ring));
  else writeOut(ringTable(ring));
  return ExitCode.OK;
}

/** `keys export`. */
export async function keysExport(file: string | undefined, options: ExportOptions): Promise<ExitCode> {
  const ring = await (await openNamedKeys(file, options.config)).ringAt(momentOf(options.at));
  const digest = digestOf(ring.published);
  const until = new Date(ring.publishedUntilMs).toISOString();
  if (options.json === true) {
    const base64 = Buffer.from(ring.published).toString('base64');
    const document = {
      mediaType: 'application/ohttp-keys',
      sha256: digest,
      pin: pinOf(ring.published),
      pins: pinsOf(ring),
      until,
      base64,
    };
    if (options.output === undefined) writeJson(document);
    else await writeFileAtomic(options.output, `${JSON.stringify(document, undefined, 2)}\n`);
    return ExitCode.OK;
  }
  if (options.output === undefined) {
    if (process.stdout.isTTY === true)
      throw new CliError('USAGE', {
        what: 'Cannot write keys to a terminal',
        why: 'they are binary',
        fix: 'name a file with --output, or use --json',
      });
    writeOut(ring.published);
  } else await writeFileAtomic(options.output, ring.published);
  writeNote(`sha256 ${digest}\nuntil  ${until}\n${pinLines(ring)}`);
  return ExitCode.OK;
}

/** The whole list, then each key configuration: whichever the client's owner wants to be bound to. */
function pinLines(ring: KeyRing): string {
  const single = pinsOf(ring).map(({ pin, id, kem, state }) => `pin ${pin} key ${id} ${kem} ${state}\n`);
  return `pin ${pinOf(ring.published)} whole list\n${single.join('')}`;
}

interface KeyPin {
  readonly pin: string;
  readonly id: number;
  readonly kem: string;
  readonly state: string;
}

/** Of the key configurations that are published, which those of a retiring epoch are not. */
function pinsOf(ring: KeyRing): readonly KeyPin[] {
  const { usable } = KeyConfigList.decode(ring.published);
  return usable.map((config) => {
    const holds = ({ keys }: KeyRing['epochs'][number]): boolean =>
      keys.some((key) => key.config.keyId === config.keyId);
    const epoch = ring.epochs.find((one) => one.state !== 'retiring' && holds(one));
    const pin = pinOf(encodeKeyConfig(config));
    return { pin, id: config.keyId, kem: kemName(config.kemId), state: epoch?.state ?? 'active' };
  });
}

/** `sha256-` and Base64, as pins are written. */
function pinOf(bytes: Uint8Array): string {
  return `sha256-${createHash('sha256').update(bytes).digest('base64')}`;
}

/** SHA-256 in hexadecimal: what clients pin. */
export function digestOf(bytes: Uint8Array): string {
  return toHex(createHash('sha256').update(bytes).digest());
}

async function report(json: boolean | undefined, text: string, file: string, state: KeyScheduleState): Promise<void> {
  const ring = await new KeySchedule(state).ringAt(Date.now());
  if (json === true) writeJson({ file, ...describeRing(ring) });
  else writeOut(`${text}\n${ringTable(ring)}`);
}

function describeRing(ring: KeyRing): Record<string, unknown> {
  const keys = ring.epochs.flatMap((epoch) =>
    epoch.keys.map(({ config }) => ({
      id: config.keyId,
      kem: kemName(config.kemId),
      state: epoch.state,
      epoch: epoch.epoch,
      from: new Date(epoch.fromMs).toISOString(),
      until: new Date(epoch.untilMs).toISOString(),
      suites: config.suites.map((suite) => `${kdfName(suite.kdfId)}/${aeadName(suite.aeadId)}`),
      publicKey: toHex(config.publicKey),
    })),
  );
  const until = new Date(ring.publishedUntilMs).toISOString();
  return { keys, published: { sha256: digestOf(ring.published), until } };
}

function ringTable(ring: KeyRing): string {
  const colours = { next: 'cyan', active: 'green', retiring: 'yellow' } as const;
  const rows = ring.epochs.flatMap((epoch) =>
    epoch.keys.map(({ config }) => [
      String(config.keyId),
      kemName(config.kemId),
      styled(colours[epoch.state], epoch.state),
      minutes(epoch.fromMs),
      minutes(epoch.untilMs),
    ]),
  );
  return columns([['id', 'kem', 'state', 'from', 'until'].map((title) => styled('bold', title)), ...rows]);
}

/** `2026-11-22 15:00:00Z`. */
function minutes(ms: number): string {
  return new Date(ms)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, 'Z');
}

const MOMENT = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d))?$/;

/** Now, or the moment that was named. */
function momentOf(text: string | undefined): number {
  if (text === undefined) return Date.now();
  const at = MOMENT.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at))
    throw new CliError('USAGE', {
      what: `Cannot use "${text}" as a time`,
      why: 'expected ISO 8601 with a zone',
      fix: 'write it like 2030-01-31T00:00:00Z',
    });
  return at;
}

function checkSchedule(state: KeyScheduleState): void {
  void scheduled(() => new KeySchedule(state));
}

function scheduled<T>(make: () => T): T {
  try {
    return make();
  } catch (cause) {
    if (!(cause instanceof KeyScheduleError)) throw cause;
    throw new CliError(
      'USAGE',
      { what: 'Cannot make this schedule', why: messageOf(cause), fix: 'change the durations' },
      { cause },
    );
  }
}
