/** Tasks that arrive with the first request about them. Taskprov §3. */
import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, DecodeError, latin1, utf8 } from '@privacy-edge/bytes';
import { TaskConfiguration } from './task-configuration.ts';

/** Name of the field that advertises a task. Taskprov §3.2. */
export const TASKPROV_FIELD = 'dap-taskprov';

/** A Byte Sequence of RFC 9651 §3.3.5; what follows are parameters, which mean nothing here. */
const BYTE_SEQUENCE = /^ *:([A-Za-z0-9+/]*={0,2}):(?: *|;[ -~]*)$/;

/**
 * The value of the field.
 *
 * @see Taskprov §3.2
 */
export function formatTaskprov({ encoded }: TaskConfiguration): string {
  return `:${btoa(latin1(encoded))}:`;
}

/**
 * Reads the field.
 *
 * @param value - attacker-controlled; several lines joined with ", "
 * @returns undefined when it is absent, or is no byte sequence, or holds no task configuration: then it must be ignored
 * @see Taskprov §3.2
 */
export function parseTaskprov(value: string | undefined): TaskConfiguration | undefined {
  const text = BYTE_SEQUENCE.exec(value ?? '')?.[1];
  if (text === undefined) return undefined;
  const bytes = decodeBase64(text);
  if (bytes === undefined) return undefined;
  try {
    return TaskConfiguration.decode(bytes);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

function decodeBase64(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    // Wrong length or padding: `atob` has no other reason to fail.
    return undefined;
  }
}

/**
 * The identifier of an advertised task: a hash of its configuration.
 *
 * @returns 32 bytes
 * @see Taskprov §3.3
 */
export function taskprovTaskId({ encoded }: TaskConfiguration): Uint8Array {
  return sha256(concatBytes(sha256(utf8('dap-taskprov task id')), encoded));
}

/**
 * Derives the verification key of an advertised task.
 *
 * @param verifyKeyInit - 32 bytes, secret of both aggregators
 * @param taskId - from {@link taskprovTaskId}
 * @param length - the VDAF's `verifyKeySize`
 * @returns secret
 * @throws {RangeError} for a secret of another length
 * @see Taskprov §3.4
 */
export function taskprovVerifyKey(verifyKeyInit: Uint8Array, taskId: Uint8Array, length: number): Uint8Array {
  if (verifyKeyInit.length !== 32) throw new RangeError('The secret of two aggregators has 32 bytes');
  return hkdf(sha256, verifyKeyInit, sha256(utf8('dap-taskprov')), taskId, length);
}
