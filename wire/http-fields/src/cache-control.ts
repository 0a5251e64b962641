/** Cache-Control and how long a response stays fresh. RFC 9111. */
import { isToken, splitList, splitOutsideQuotes, unquote } from './fields.ts';
import { parseHttpDate } from './http-date.ts';

/** Directives by lower-case name; the empty string where a directive has no value. */
export type CacheDirectives = ReadonlyMap<string, string>;

/**
 * Reads Cache-Control leniently: malformed members are skipped, values may be tokens or quoted, and of a repeated
 * directive the first counts.
 *
 * @param value - attacker-controlled; several lines joined with ", "
 * @see RFC 9111 §5.2
 */
export function parseCacheControl(value: string | undefined): CacheDirectives {
  const directives = new Map<string, string>();
  for (const member of splitList(value ?? '')) {
    const [name = '', ...rest] = splitOutsideQuotes(member, '=');
    const key = name.toLowerCase();
    if (isToken(name) && !directives.has(key)) directives.set(key, unquote(rest.join('=')));
  }
  return directives;
}

/** What {@link formatCacheControl} can write; `false` and `undefined` leave a directive out. */
export type CacheControl = Readonly<Record<string, boolean | number | string | undefined>>;

/**
 * Writes Cache-Control, such as "public, max-age=3600".
 *
 * @param directives - names are tokens; a number is seconds and is rounded down; a string that is not a token is quoted
 * @throws {TypeError} for a name that is not a token, or text that no field value can hold
 * @throws {RangeError} for a negative or infinite number of seconds
 * @see RFC 9111 §5.2
 */
export function formatCacheControl(directives: CacheControl): string {
  const members: string[] = [];
  for (const [name, value] of Object.entries(directives)) {
    if (value === undefined || value === false) continue;
    if (!isToken(name)) throw new TypeError('A cache directive has a name that is not a token');
    members.push(value === true ? name : `${name}=${formatValue(value)}`);
  }
  return members.join(', ');
}

function formatValue(value: number | string): string {
  if (typeof value === 'string') return isToken(value) ? value : quote(value);
  if (!Number.isFinite(value) || value < 0) throw new RangeError('A cache directive needs a number of seconds');
  return String(Math.min(Math.floor(value), MAX_DELTA_SECONDS));
}

function quote(text: string): string {
  if (!/^[\t -~\x80-\xff]*$/.test(text))
    throw new TypeError('A cache directive has a character that fields cannot hold');
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/** RFC 9111 §1.2.2: larger numbers are read as this one. */
const MAX_DELTA_SECONDS = 2_147_483_648;

/** The fields of a response that say how long it stays fresh; each as received, several lines joined with ", ". */
export interface FreshnessInput {
  readonly cacheControl: string | undefined;
  readonly age?: string | undefined;
  readonly date?: string | undefined;
  readonly expires?: string | undefined;
  /** Whether the cache serves more than one user. Default false. */
  readonly shared?: boolean;
  /** The current time, milliseconds since the epoch. */
  readonly nowMs: number;
}

/**
 * How much longer a response that has just been received may be used without asking again.
 *
 * The age is what Age says. The difference between Date and the local clock is not added to it, though a cache could:
 * a device whose clock is wrong would then fetch on every use.
 *
 * @param input - attacker-controlled, except for the time
 * @returns milliseconds, 0 when it must not be reused; undefined when the response names no lifetime
 * @see RFC 9111 §4.2
 */
export function freshnessMs(input: FreshnessInput): number | undefined {
  const directives = parseCacheControl(input.cacheControl);
  if (directives.has('no-store') || directives.has('no-cache')) return 0;
  if (input.shared === true && directives.has('private')) return 0;
  const lifetimeMs = lifetime(directives, input);
  return lifetimeMs === undefined ? undefined : Math.max(0, lifetimeMs - ageSeconds(input.age) * 1000);
}

/** RFC 9111 §4.2.1: a lifetime that cannot be read counts as expired. */
function lifetime(directives: CacheDirectives, input: FreshnessInput): number | undefined {
  const shared = input.shared === true ? directives.get('s-maxage') : undefined;
  const maxAge = shared ?? directives.get('max-age');
  if (maxAge !== undefined) return (deltaSeconds(maxAge) ?? 0) * 1000;
  if (input.expires === undefined) return undefined;
  const expiresMs = parseHttpDate(input.expires, input.nowMs);
  if (expiresMs === undefined) return 0;
  const dateMs = input.date === undefined ? undefined : parseHttpDate(input.date, input.nowMs);
  return expiresMs - (dateMs ?? input.nowMs);
}

/** RFC 9111 §5.1: of a list the first member counts; what is not a number is ignored. */
function ageSeconds(age: string | undefined): number {
  const [first = ''] = splitList(age ?? '');
  return deltaSeconds(first) ?? 0;
}

function deltaSeconds(text: string): number | undefined {
  return /^[0-9]+$/.test(text) ? Math.min(Number(text), MAX_DELTA_SECONDS) : undefined;
}
