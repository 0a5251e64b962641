/** Paths that a role serves itself, and where it keeps things. */
import type { GatewaySection } from '../config/types.ts';

/** Where each role tells what it sees, keeps and never learns. */
export const PRIVACY_NOTICE_PATH = '/.well-known/privacy-notice';

/** The replay state that belongs to a key file: made with it, so that a missing one always means that something was lost. */
export function replayStateOf(keyFile: string): string {
  return `${keyFile}.replay`;
}

/** Where a gateway keeps its replay window over a clean restart; undefined where it does not. */
export function replayStateFile({ replay, keys }: GatewaySection): string | undefined {
  if (replay.store !== 'memory') return undefined;
  return replay.stateFile ?? (keys.file === undefined ? undefined : replayStateOf(keys.file));
}
