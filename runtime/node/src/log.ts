/**
 * Structured logs on stderr. An event has a name and fields from one closed list; there is no field for a client address,
 * a message body, a header value or a key, so a role cannot log one by accident.
 */
import { createRequire } from 'node:module';
import { isatty } from 'node:tty';
import { type DestinationStream, destination, type Logger, pino } from 'pino';
import type * as PinoPretty from 'pino-pretty';

/** Severity, least first. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** Everything an event may say. Adding a name here is a privacy decision. */
export interface EventFields {
  /** Random id that joins this line to nothing but the answer of one failed request. */
  readonly id?: string;
  /** Role of the process. */
  readonly role?: string;
  /** Own listening address, as the operator configured it. */
  readonly listen?: string;
  /** Name of an entry of the operator's configuration. */
  readonly entry?: string;
  /** Path of a file of the operator. */
  readonly path?: string;
  /** Line in that file, from 1. */
  readonly line?: number;
  /** Stable code of an error. */
  readonly code?: string;
  /** Class name of an error. */
  readonly errorName?: string;
  /** Source positions of an error, without its message. */
  readonly stack?: readonly string[];
  /** HTTP status code. */
  readonly status?: number;
  readonly count?: number;
  readonly durationMs?: number;
  readonly untilMs?: number;
  /** Public identifier of a key configuration. */
  readonly keyId?: number;
  /** Digest of public key material, hexadecimal. */
  readonly digest?: string;
  readonly pid?: number;
  readonly worker?: number;
  readonly signal?: string;
  readonly exitCode?: number;
  readonly version?: string;
}

/** Writes one event: `name` is a lower-case phrase with underscores, fixed in the source. */
export type LogEvent = (level: Exclude<LogLevel, 'silent'>, name: string, fields?: EventFields) => void;

/** A log and its switches. */
export interface Log {
  readonly event: LogEvent;
  /** Changes the least severity that is written. */
  setLevel(level: LogLevel): void;
  /** Writes what is still held back. */
  flush(): void;
}

/** How to write. */
export interface LogOptions {
  /** Least severity written; default `info`. */
  readonly level?: LogLevel;
  /** `auto` is `human` on a terminal, otherwise `json`; default `auto`. */
  readonly format?: 'json' | 'human' | 'auto';
  /** Where to write instead of stderr. */
  readonly stream?: DestinationStream;
}

const ALLOWED: ReadonlySet<string> = new Set<keyof EventFields>([
  'id',
  'role',
  'listen',
  'entry',
  'path',
  'line',
  'code',
  'errorName',
  'stack',
  'status',
  'count',
  'durationMs',
  'untilMs',
  'keyId',
  'digest',
  'pid',
  'worker',
  'signal',
  'exitCode',
  'version',
]);

/**
 * Opens a log.
 *
 * @returns a log whose lines hold level, time, event name and allowed fields, nothing else
 */
export function createLog(options: LogOptions = {}): Log {
  const human = options.format === 'human' || (options.format !== 'json' && isatty(2));
  const target = options.stream ?? destination({ dest: 2, sync: true });
  const stream = human ? forPeople(target, options.stream === undefined) : target;
  const logger: Logger = pino({ base: null, level: options.level ?? 'info', messageKey: 'event' }, stream);
  return {
    event: (level, name, fields = {}) => {
      if (logger.isLevelEnabled(level)) logger[level](allowed(fields), name);
    },
    setLevel: (level) => {
      logger.level = level;
    },
    flush: () => {
      logger.flush();
    },
  };
}

/** Only people need the formatter, and a process that nobody watches should start without it. */
function forPeople(target: DestinationStream, colorize: boolean): DestinationStream {
  const { prettyFactory } = createRequire(import.meta.url)('pino-pretty') as typeof PinoPretty;
  const format = prettyFactory({ colorize, messageKey: 'event', ignore: 'pid,hostname' });
  return { write: (line) => target.write(format(line)) };
}

/** Drops every event; for tests and libraries. */
export const silentLog: LogEvent = () => undefined;

/**
 * What may be logged of an error that nobody expected: class, code and source positions. Its message may quote a peer
 * or an address (Node's network errors do), so it is left out.
 */
export function errorFields(error: unknown): Pick<EventFields, 'errorName' | 'code' | 'stack'> {
  if (!(error instanceof Error)) return { errorName: typeof error };
  const code: unknown = 'code' in error ? error.code : undefined;
  const stack = (error.stack ?? '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.startsWith('at '))
    .slice(0, 8);
  return { errorName: error.name, stack, ...(typeof code === 'string' ? { code } : {}) };
}

/** The compiler checks names, this checks values: an object built elsewhere may carry more than its type says. */
function allowed(fields: EventFields): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (!ALLOWED.has(name)) continue;
    kept[name] = name === 'listen' || name === 'version' || typeof value !== 'string' ? value : withoutAddresses(value);
  }
  return kept;
}

const IPV4 = /\b\d{1,3}(?:\.\d{1,3}){3}\b/g;
const IPV6 = /(?<![\w:])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?![\w:])/gi;

function withoutAddresses(text: string): string {
  return text.replace(IPV4, '[address]').replace(IPV6, '[address]');
}
