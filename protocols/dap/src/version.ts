/** The version tag, which goes into every HPKE `info` and into the application context of the VDAF. */
import { concatBytes, utf8 } from '@privacy-edge/bytes';
import { checkLength, TASK_ID_BYTES } from './field.ts';
import { type AggregatorRole, ROLE_CLIENT, ROLE_COLLECTOR } from './registry.ts';

/** Tags of the drafts that this package speaks; a task has one for life. */
export type VersionTag = 'dap-18' | 'dap-19';

/** The tag of a task that names none. */
export const DEFAULT_VERSION: VersionTag = 'dap-18';

/**
 * Whether a string from a task file or a database is a tag that is spoken here.
 *
 * @param tag - from anywhere
 */
export function isVersionTag(tag: string): tag is VersionTag {
  return tag === 'dap-18' || tag === 'dap-19';
}

/** `info` of a sealed input share. DAP §4.4.2.1. */
export function inputShareInfo(version: VersionTag, recipient: AggregatorRole): Uint8Array {
  return concatBytes(utf8(`${version} input share`), Uint8Array.of(ROLE_CLIENT, recipient));
}

/** `info` of a sealed aggregate share. DAP §4.6.7. */
export function aggregateShareInfo(version: VersionTag, sender: AggregatorRole): Uint8Array {
  return concatBytes(utf8(`${version} aggregate share`), Uint8Array.of(sender, ROLE_COLLECTOR));
}

/**
 * The application context that every step of a task's VDAF gets.
 *
 * @param taskId - 32 bytes
 * @see DAP §4.4.2.1
 */
export function vdafContext(version: VersionTag, taskId: Uint8Array): Uint8Array {
  checkLength(taskId, TASK_ID_BYTES, 'task identifier');
  return concatBytes(utf8(version), taskId);
}
