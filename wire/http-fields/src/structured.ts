/** Fields that are structured fields, RFC 9651. A separate entry point, because it brings a parser with it. */
import {
  type BareItem,
  type Item,
  parseItem,
  parseList,
  serializeBoolean,
  serializeList,
  Token,
} from 'structured-headers';

/**
 * What an Incremental field says.
 *
 * @param value - attacker-controlled; several lines joined with ", "
 * @returns undefined when the field is absent, malformed, or not a Boolean; parameters are ignored
 * @see RFC 10036 §3
 */
export function parseIncremental(value: string | undefined): boolean | undefined {
  if (value === undefined) return undefined;
  const item = attempt(() => parseItem(value));
  return typeof item?.[0] === 'boolean' ? item[0] : undefined;
}

/** The value of an Incremental field. RFC 10036 §3. */
export function formatIncremental(incremental: boolean): string {
  return serializeBoolean(incremental);
}

/** What one intermediary reports about a response. RFC 9209 §2. */
export interface ProxyStatus {
  /** Name of the intermediary, chosen by its operator; printable ASCII. */
  readonly proxy: string;
  /** A proxy error type, such as "incremental_refused"; a token. RFC 9209 §2.3. */
  readonly error?: string;
  /** For people; printable ASCII, no secrets. RFC 9209 §2.1.5. */
  readonly details?: string;
  /** Where the request went or would have gone; printable ASCII. RFC 9209 §2.1.2. */
  readonly nextHop?: string;
  /** ALPN identifier used to reach it; a token. RFC 9209 §2.1.3. */
  readonly nextProtocol?: string;
  /** Status code received from it. RFC 9209 §2.1.4. */
  readonly receivedStatus?: number;
}

/**
 * The value of a Proxy-Status field with one member. An intermediary appends it to what it received.
 *
 * @throws {TypeError} for a member that is not what {@link ProxyStatus} says
 * @see RFC 9209 §2
 */
export function formatProxyStatus(status: ProxyStatus): string {
  const parameters = new Map<string, BareItem>();
  if (status.error !== undefined) parameters.set('error', new Token(status.error));
  if (status.nextHop !== undefined) parameters.set('next-hop', tokenOrString(status.nextHop));
  if (status.nextProtocol !== undefined) parameters.set('next-protocol', new Token(status.nextProtocol));
  if (status.receivedStatus !== undefined) parameters.set('received-status', statusCode(status.receivedStatus));
  if (status.details !== undefined) parameters.set('details', printable(status.details));
  return serializeList([[tokenOrString(status.proxy), parameters]]);
}

function statusCode(status: number): number {
  if (Number.isInteger(status) && status >= 100 && status <= 999) return status;
  throw new TypeError('Cannot format Proxy-Status: the received status is not a status code');
}

function tokenOrString(text: string): Token | string {
  return TOKEN.test(text) ? new Token(text) : printable(text);
}

function printable(text: string): string {
  if (/^[ -~]*$/.test(text)) return text;
  throw new TypeError('Cannot format Proxy-Status: a text is not printable ASCII');
}

/** RFC 9651 §3.3.4. */
const TOKEN = /^[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*$/;

/**
 * Reads a Proxy-Status field, first intermediary first. Members of another shape are skipped, parameters of another type
 * are ignored; a malformed field reads as empty.
 *
 * @param value - attacker-controlled; several lines joined with ", "
 * @see RFC 9209 §2
 */
export function parseProxyStatus(value: string | undefined): ProxyStatus[] {
  if (value === undefined) return [];
  const statuses: ProxyStatus[] = [];
  for (const member of attempt(() => parseList(value)) ?? []) {
    const [name, parameters] = member;
    const proxy = Array.isArray(name) ? undefined : text(name);
    if (proxy !== undefined) statuses.push({ proxy, ...readParameters(parameters) });
  }
  return statuses;
}

function readParameters(parameters: Item[1]): Omit<ProxyStatus, 'proxy'> {
  const [error, details] = [parameters.get('error'), parameters.get('details')];
  const nextHop = text(parameters.get('next-hop'));
  const nextProtocol = parameters.get('next-protocol');
  const receivedStatus = parameters.get('received-status');
  return {
    ...(error instanceof Token && { error: error.toString() }),
    ...(typeof details === 'string' && { details }),
    ...(nextHop !== undefined && { nextHop }),
    ...(nextProtocol instanceof Token && { nextProtocol: nextProtocol.toString() }),
    ...(typeof receivedStatus === 'number' && Number.isInteger(receivedStatus) && { receivedStatus }),
  };
}

function text(item: BareItem | undefined): string | undefined {
  if (item instanceof Token) return item.toString();
  return typeof item === 'string' ? item : undefined;
}

/** Structured fields fail as a whole: whatever the parser throws, the field counts as absent. RFC 9651 §4.2. */
function attempt<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}
