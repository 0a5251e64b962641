/** Media types. RFC 9110 §8.3.1 and §12.5.1. */
import { isQuotedString, isToken, splitList, splitOutsideQuotes } from './fields.ts';

/**
 * Type and subtype of a media type, without its parameters.
 *
 * @param value - of Content-Type, or one member of Accept; attacker-controlled
 * @returns lower case, such as "message/ohttp-req"; undefined when absent or anywhere malformed, parameters included
 * @see RFC 9110 §8.3.1
 */
export function mediaTypeEssence(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  const [range = '', ...parameters] = splitOutsideQuotes(value, ';');
  const slash = range.indexOf('/');
  if (slash < 0 || !isToken(range.slice(0, slash)) || !isToken(range.slice(slash + 1))) return undefined;
  return parameters.every(isParameter) ? range.toLowerCase() : undefined;
}

/** RFC 9110 §5.6.6: empty ones are allowed, white space around the equals sign is not. */
function isParameter(text: string): boolean {
  if (text === '') return true;
  const equals = text.indexOf('=');
  const value = text.slice(equals + 1);
  return equals > 0 && isToken(text.slice(0, equals)) && (isToken(value) || isQuotedString(value));
}

/**
 * Whether a Content-Type names a media type, whatever its parameters and case.
 *
 * @param value - attacker-controlled
 * @param essence - lower case, without parameters
 */
export function isMediaType(value: string | undefined, essence: string): boolean {
  return value === essence || mediaTypeEssence(value) === essence;
}

/**
 * Whether an Accept field allows a media type: the most specific range that matches has a weight above zero. Malformed
 * members are skipped; an absent field accepts everything.
 *
 * @param accept - attacker-controlled
 * @param essence - lower case, without parameters
 * @see RFC 9110 §12.5.1
 */
export function acceptsMediaType(accept: string | undefined, essence: string): boolean {
  if (accept === undefined || accept === essence) return true;
  const ranges = [essence, `${essence.slice(0, essence.indexOf('/'))}/*`, '*/*'];
  const weights: (number | undefined)[] = [undefined, undefined, undefined];
  for (const member of splitList(accept)) {
    const at = ranges.indexOf(mediaTypeEssence(member) ?? '');
    if (at >= 0) weights[at] = Math.max(weights[at] ?? 0, weight(member));
  }
  return (weights.find((candidate) => candidate !== undefined) ?? 0) > 0;
}

/** RFC 9110 §12.4.2; a malformed weight counts as 0. */
function weight(member: string): number {
  const [, ...parameters] = splitOutsideQuotes(member, ';');
  const parameter = parameters.find((text) => /^q=/i.test(text));
  if (parameter === undefined) return 1;
  const value = parameter.slice(2);
  return /^(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)$/.test(value) ? Number(value) : 0;
}
