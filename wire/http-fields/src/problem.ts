/** Problem details. RFC 9457, and the two types that RFC 9458 §5.3 and §6.5.2 define. */
import { DecodeError, fromUtf8, utf8 } from '@privacy-edge/bytes';

/** Media type of {@link encodeProblem}. RFC 9457 §3. */
export const PROBLEM_MEDIA_TYPE = 'application/problem+json';
/** The key configuration of an encapsulated request is not acceptable. RFC 9458 §5.3. */
export const PROBLEM_OHTTP_KEY = 'https://iana.org/assignments/http-problem-types#ohttp-key';
/** The Date of a request is too far from the server's clock. RFC 9458 §6.5.2. */
export const PROBLEM_DATE = 'https://iana.org/assignments/http-problem-types#date';

/** A problem. RFC 9457 §3.1. */
export interface ProblemDetails {
  /** URI reference of the type; "about:blank" says no more than the status. */
  readonly type: string;
  /** HTTP status code, 100 to 599. */
  readonly status?: number;
  readonly title?: string;
  readonly detail?: string;
  /** URI reference of this occurrence. */
  readonly instance?: string;
  /** Further members by name; JSON values. RFC 9457 §3.2. */
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/**
 * The JSON document of a problem. An extension cannot replace one of the standard members.
 *
 * @param problem - `extensions` must be JSON values
 * @see RFC 9457 §3
 */
export function encodeProblem(problem: ProblemDetails): Uint8Array {
  const { extensions, ...members } = problem;
  return utf8(JSON.stringify({ ...withoutStandardMembers(extensions ?? {}), ...members }));
}

/**
 * Reads a problem. Standard members of another JSON type are ignored, as RFC 9457 §3.1 asks; a missing type is
 * "about:blank".
 *
 * @param bytes - attacker-controlled; the caller bounds their number
 * @throws {@link DecodeError} `INVALID` unless it is a JSON object in UTF-8
 * @see RFC 9457 §3
 */
export function decodeProblem(bytes: Uint8Array): ProblemDetails {
  const members = parseObject(bytes);
  const extensions = withoutStandardMembers(members);
  const problem: { -readonly [K in keyof ProblemDetails]: ProblemDetails[K] } = { type: 'about:blank' };
  for (const name of ['type', 'title', 'detail', 'instance'] as const) {
    const value = members[name];
    if (typeof value === 'string') problem[name] = value;
  }
  const status = members['status'];
  if (Number.isInteger(status) && Number(status) >= 100 && Number(status) <= 599) problem.status = Number(status);
  if (Object.keys(extensions).length > 0) problem.extensions = extensions;
  return problem;
}

function parseObject(bytes: Uint8Array): Record<string, unknown> {
  const text = fromUtf8(bytes);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The engine's message quotes the input, which must not reach a log, so it is not kept as a cause.
    throw new DecodeError('INVALID', 'Cannot decode the problem: it is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new DecodeError('INVALID', 'Cannot decode the problem: it is not an object');
  }
  return value as Record<string, unknown>;
}

const STANDARD_MEMBERS = new Set(['type', 'status', 'title', 'detail', 'instance']);

/** `fromEntries` defines properties, so that a member called `__proto__` stays a member. */
function withoutStandardMembers(members: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([name]) => !STANDARD_MEMBERS.has(name)));
}
