/** What went on and what went wrong, in words that a person can act on. */
import { ObliviousError, type ObliviousErrorCode, type ObliviousEvent } from '@privacy-edge/gateway';
import { CliError, type CliErrorCode, type CliErrorParts, systemCode } from '../cli-error.ts';

/** What happened on the way, for --verbose. */
export function describeEvent(event: ObliviousEvent): string {
  switch (event.type) {
    case 'keys':
      return `${event.usable} usable key configurations, ${event.skipped} skipped`;
    case 'retry':
      return event.reason === 'keys' ? 'sent again with newer keys' : 'sent again with the date of the gateway';
    case 'redirect':
      return `redirect ${event.status} followed through the gateway`;
  }
}

const CODES: Readonly<Record<ObliviousErrorCode, CliErrorCode>> = {
  KEYS_UNAVAILABLE: 'UNREACHABLE',
  KEYS_REFUSED: 'UNTRUSTED',
  KEYS_UNUSABLE: 'FAILED',
  KEYS_REJECTED: 'FAILED',
  TARGET_FORBIDDEN: 'FAILED',
  RELAY_UNREACHABLE: 'UNREACHABLE',
  RELAY_STATUS: 'FAILED',
  UNENCAPSULATED: 'UNTRUSTED',
  OPEN_FAILED: 'UNTRUSTED',
  TRUNCATED: 'UNTRUSTED',
  TOO_LARGE: 'FAILED',
  REDIRECT: 'FAILED',
  TIMEOUT: 'UNREACHABLE',
};

const FIXES: Partial<Readonly<Record<ObliviousErrorCode, string>>> = {
  KEYS_UNAVAILABLE: 'check --gateway or --keys',
  KEYS_REFUSED: 'do not go on; ask the operator of the gateway for the right digest',
  KEYS_REJECTED: 'get the keys again',
  RELAY_UNREACHABLE: 'check --relay',
  RELAY_STATUS: 'check that --relay names the resource for this gateway',
  UNENCAPSULATED: 'check that --relay names an Oblivious HTTP relay',
  OPEN_FAILED: 'check that --keys belong to the gateway behind this relay',
  TIMEOUT: 'try again, or raise --max-time',
};

/** An error of the client as one of the command: what, why, what to do. Others come back unchanged. */
export function explain(cause: unknown): unknown {
  if (!(cause instanceof ObliviousError)) return cause;
  const root = rootCause(cause);
  const untrusted = root !== undefined && /CERT|SELF_SIGNED|UNABLE_TO_VERIFY/.test(root);
  const fix = fixOf(cause, untrusted);
  const { what, why } = reasonOf(cause);
  const parts = { what, why: root === undefined ? why : `${why} (${root})`, ...(fix === undefined ? {} : { fix }) };
  return new CliError(untrusted ? 'UNTRUSTED' : CODES[cause.code], parts, { cause });
}

/** What could not be done is said once: about keys in the words of the client, otherwise in those of the command. */
function reasonOf({ code, status, message }: ObliviousError): Pick<CliErrorParts, 'what' | 'why'> {
  const at = message.indexOf(': ');
  if (code.startsWith('KEYS_') && at > 0) return { what: message.slice(0, at), why: message.slice(at + 2) };
  const what = 'Cannot fetch through the relay';
  if (code === 'RELAY_STATUS' && gatewayWasAway(status))
    return { what, why: `the relay could not reach its gateway, status ${status}` };
  return { what, why: at > 0 ? message.slice(at + 2) : message };
}

function fixOf({ code, status }: ObliviousError, untrusted: boolean): string | undefined {
  if (code === 'RELAY_STATUS' && gatewayWasAway(status)) return 'try again later, or tell the operator of the relay';
  const fix = FIXES[code];
  return untrusted && fix !== undefined ? `${fix}, and --cacert for a private authority` : fix;
}

function gatewayWasAway(status: number | undefined): boolean {
  return status === 502 || status === 504;
}

/** Code of the system error at the bottom, which says what a person can act on. */
function rootCause(error: Error): string | undefined {
  let at: unknown = error.cause;
  let code: string | undefined;
  while (at instanceof Error) {
    code = systemCode(at) ?? code;
    at = at.cause;
  }
  return code;
}
