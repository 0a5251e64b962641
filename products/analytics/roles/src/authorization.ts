/** Who may ask for what. DAP §3.5. */
import { equalBytes, utf8 } from '@privacy-edge/bytes';
import { requestDigest } from '@privacy-edge/dap';
import type { TaskAccess } from './store-rows.ts';

/** What an adapter knows for certain about who asks. */
export interface AuthenticatedPeer {
  /** Names that the TLS client certificate is valid for, after its chain was verified. */
  readonly names: readonly string[];
}

/** Who has to ask. */
export type Requester = 'peer' | 'collector';

/**
 * Whether a request comes from the party it must come from. Takes the same steps for a task that does not exist.
 *
 * @param access - of the task; undefined when there is none
 * @param authorization - field value; attacker-controlled
 * @param peer - from the adapter
 * @see DAP §3.5 and §8.6.1
 */
export function isAuthorized(
  access: TaskAccess | undefined,
  requester: Requester,
  authorization: string | undefined,
  peer: AuthenticatedPeer | undefined,
): boolean {
  const names = (requester === 'peer' ? access?.peerNames : access?.collectorNames) ?? [];
  const hashes = (requester === 'peer' ? access?.peerTokenHashes : access?.collectorTokenHashes) ?? [];
  const token = BEARER.exec(authorization ?? '')?.[1];
  const digest = hashToken(token ?? '');
  let isKnown = false;
  // Every hash is compared, in constant time each, so that the time tells nothing about which one it was.
  for (const hash of hashes.length === 0 ? [NO_HASH] : hashes) isKnown = equalBytes(hash, digest) || isKnown;
  const isNamed = peer?.names.some((name) => names.includes(name)) ?? false;
  return (token !== undefined && isKnown) || isNamed;
}

/**
 * What is stored of a bearer token.
 *
 * @param token - secret, of high entropy: it is hashed without salt
 * @returns 32 bytes
 */
export function hashToken(token: string): Uint8Array {
  return requestDigest(utf8(token));
}

/** As bearer tokens are written. */
const BEARER = /^bearer +([A-Za-z0-9._~+/-]+=*) *$/i;

const NO_HASH = new Uint8Array(32);
