/** Which requests a gateway makes for its clients. Closed by default: what no rule allows is refused. */
import type { TargetRoute } from './ports.ts';

/** One thing that is allowed, and how it is reached. */
export interface TargetRule {
  readonly scheme: 'https' | 'http';
  /** Exact host name or address literal in lower case, without brackets, or `*.` and a domain for any name below it. */
  readonly host: string;
  /** 1 to 65535. */
  readonly port: number;
  /** The path must equal this or continue it at a `/`; `/` allows every path. */
  readonly pathPrefix: string;
  /** Methods, case-sensitive; undefined allows all but CONNECT and TRACE. */
  readonly methods: readonly string[] | undefined;
  readonly route: TargetRoute;
}

/** What a client asks for, from the control data of its request. Every value is client-controlled. */
export interface TargetQuestion {
  readonly method: string;
  readonly scheme: string;
  /** Host and optional port. */
  readonly authority: string;
  /** Path and query. */
  readonly path: string;
}

/** A target that is allowed. */
export interface AllowedTarget {
  readonly allowed: true;
  readonly scheme: 'https' | 'http';
  readonly host: string;
  readonly port: number;
  readonly route: TargetRoute;
}

/** Why a target is not allowed: it could not be understood, or no rule matches it. */
export interface RefusedTarget {
  readonly allowed: false;
  readonly reason: 'MALFORMED' | 'METHOD' | 'TARGET';
}

/** Decides which targets may be asked for what. */
export class TargetPolicy {
  readonly #rules: readonly TargetRule[];

  /** @param rules - an empty list refuses everything */
  constructor(rules: readonly TargetRule[]) {
    this.#rules = rules;
  }

  /** Judges one request. The first rule that matches decides how the target is reached. */
  judge(question: TargetQuestion): AllowedTarget | RefusedTarget {
    const { method, path } = question;
    // CONNECT would turn the gateway into a tunnel, and TRACE would echo what the gateway adds.
    if (method === 'CONNECT' || method === 'TRACE') return { allowed: false, reason: 'METHOD' };
    const { scheme } = question;
    if (scheme !== 'http' && scheme !== 'https') return { allowed: false, reason: 'TARGET' };
    const place = parseAuthority(question.authority, scheme);
    if (place === undefined) return { allowed: false, reason: 'MALFORMED' };
    let reason: 'METHOD' | 'TARGET' = 'TARGET';
    for (const rule of this.#rules) {
      if (rule.scheme !== scheme || rule.port !== place.port || !matchesHost(rule.host, place.host)) continue;
      if (!matchesPath(rule.pathPrefix, path)) continue;
      if (rule.methods === undefined || rule.methods.includes(method)) {
        return { allowed: true, scheme, host: place.host, port: place.port, route: rule.route };
      }
      reason = 'METHOD';
    }
    return { allowed: false, reason };
  }
}

/** Host in lower case without brackets, and port. */
interface Place {
  readonly host: string;
  readonly port: number;
}

const NAME = /^[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?$/;
const IPV6 = /^\[([0-9a-f:.]+)\]$/;

/** Strict on purpose: whatever two parsers might read differently is refused. */
function parseAuthority(authority: string, scheme: 'http' | 'https'): Place | undefined {
  const match = /^(\[[^\]]*\]|[^:]*)(?::([1-9][0-9]{0,4}))?$/.exec(authority.toLowerCase());
  if (match === null) return undefined;
  const [, hostPart = '', portPart] = match;
  const port = portPart === undefined ? (scheme === 'https' ? 443 : 80) : Number(portPart);
  if (port > 65_535) return undefined;
  const bracketed = IPV6.exec(hostPart);
  if (bracketed !== null) return { host: bracketed[1] ?? '', port };
  if (!NAME.test(hostPart) || hostPart.includes('..') || hostPart.length > 253) return undefined;
  return { host: hostPart, port };
}

function matchesHost(pattern: string, host: string): boolean {
  if (!pattern.startsWith('*.')) return pattern === host;
  return host.length > pattern.length - 1 && host.endsWith(pattern.slice(1));
}

/**
 * A prefix only means something if the target reads the path as we do. Anything that a target might normalise into another
 * path (dot segments, also escaped, also behind a backslash or before a `;`) is therefore outside every prefix but `/`.
 */
function matchesPath(prefix: string, path: string): boolean {
  if (prefix === '/' || prefix === '') return true;
  const end = path.search(/[?#]/);
  const plain = end < 0 ? path : path.slice(0, end);
  if (hasDotSegment(plain)) return false;
  return plain === prefix || plain.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`);
}

function hasDotSegment(path: string): boolean {
  // As often as it changes, for targets that decode more than once; what never settles is nobody's plain path.
  let decoded = path;
  for (let round = 0; decoded.includes('%'); round++) {
    const next = unescapeBytes(decoded);
    if (next === decoded) break;
    if (round === MAX_ESCAPE_ROUNDS) return true;
    decoded = next;
  }
  // Bytes that only overlong UTF-8 has: a lenient decoder would read dots and slashes out of them.
  if (/[\xc0\xc1]/.test(decoded)) return true;
  // Dots with something behind them that a target may cut off: parameters, a NUL, a blank, a query that was escaped.
  return decoded.split(/[/\\]/).some((segment) => /^\.{1,2}(?![\w.~-])/.test(segment));
}

/** Escapes of escapes that are followed. */
const MAX_ESCAPE_ROUNDS = 8;

/** Undoes percent escapes byte by byte; unlike decodeURIComponent it takes anything. */
function unescapeBytes(text: string): string {
  return text.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** How {@link targetRule} fills in what a URL does not say. */
export interface TargetRuleOptions {
  readonly methods?: readonly string[];
  /** Default false: the address must be a public one. */
  readonly allowPrivate?: boolean;
  readonly socketPath?: string;
  readonly protocol?: TargetRoute['protocol'];
  /** Default 30 s. */
  readonly timeoutMs?: number;
}

/**
 * A rule for everything at and below a URL.
 *
 * @param url - http or https, without query; its path is the prefix
 * @throws {TypeError} for a URL that cannot be a rule
 */
export function targetRule(url: string | URL, options: TargetRuleOptions = {}): TargetRule {
  const { protocol: scheme, hostname, port, pathname, search, hash, username, password } = new URL(url);
  if (scheme !== 'https:' && scheme !== 'http:') throw new TypeError('A target must be an http or https URL');
  if (search !== '' || hash !== '' || username !== '' || password !== '') {
    throw new TypeError('A target URL has no query, fragment or user');
  }
  const https = scheme === 'https:';
  return {
    scheme: https ? 'https' : 'http',
    host: hostname.replace(/^\[|\]$/g, '').toLowerCase(),
    port: port === '' ? (https ? 443 : 80) : Number(port),
    pathPrefix: pathname,
    methods: options.methods,
    route: {
      socketPath: options.socketPath,
      protocol: options.protocol ?? 'auto',
      allowPrivate: options.allowPrivate ?? false,
      timeoutMs: options.timeoutMs ?? 30_000,
    },
  };
}
