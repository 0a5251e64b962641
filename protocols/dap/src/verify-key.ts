/** Verification keys. DAP §8.6.2. */
import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { utf8 } from '@privacy-edge/bytes';

/**
 * Derives the verification key of a task from a secret that both aggregators agreed on before, so that it cannot depend on
 * a report.
 *
 * @param seed - secret, at least 32 bytes of entropy
 * @param taskId - 32 bytes
 * @param length - the VDAF's `verifyKeySize`
 * @returns secret
 * @see DAP §8.6.2
 */
export function deriveVerifyKey(seed: Uint8Array, taskId: Uint8Array, length: number): Uint8Array {
  return hkdf(sha256, seed, utf8('verify_key'), taskId, length);
}
