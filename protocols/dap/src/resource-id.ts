/** Identifiers that a server gives to what it creates. DAP §3.2. */

import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, utf8 } from '@privacy-edge/bytes';
import { uint64 } from './uint64.ts';

/** What is created by a request. */
export type ResourceKind = 'aggregation_jobs' | 'collection_jobs' | 'aggregate_shares';

const RESOURCE_ID_BYTES = 16;

/**
 * Derives an identifier from the request that creates the resource, so that a repeated request finds the same one without a
 * search. It is keyed, so that nobody else can tell which request an identifier belongs to, or find one in advance.
 *
 * @param key - secret of this server, any length; the same as long as the task lives
 * @param taskId - 32 bytes
 * @param body - of the request; attacker-controlled
 * @param generation - how many resources of the same body were deleted before, where deletion makes room for another:
 *   all queries for the next batch of the leader's choice have the same bytes
 * @returns 16 bytes, opaque to everybody else
 * @see DAP §3.2
 */
export function resourceId(
  key: Uint8Array,
  kind: ResourceKind,
  taskId: Uint8Array,
  body: Uint8Array,
  generation = 0,
): Uint8Array {
  const input = concatBytes(utf8(`${kind}\0`), uint64(generation), taskId, body);
  return hmac(sha256, key, input).slice(0, RESOURCE_ID_BYTES);
}

/**
 * Digest of a request, for telling a repeated one from a changed one.
 *
 * @returns 32 bytes
 * @see DAP §4.5.4.4
 */
export function requestDigest(body: Uint8Array): Uint8Array {
  return sha256(body);
}
