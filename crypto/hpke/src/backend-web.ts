/**
 * Primitives of WebCrypto, for browsers, workers and every other runtime. What not every client needs is loaded when it is
 * first used, so one that keeps to X25519 and AES-GCM never downloads it.
 *
 * Service workers forbid loading anything later: what must run there with other algorithms has to be bundled into one file.
 */
import type { PlatformBackend } from './backend.ts';
import { HpkeError } from './error.ts';
import type { KemAlgorithm } from './kem.ts';
import { primitives } from './web-primitives.ts';

export const backend: PlatformBackend = {
  ...primitives,
  moreKem: async (id) => {
    try {
      return (await import('./web-kems.ts')).WEB_KEMS.get(id) as KemAlgorithm;
    } catch (cause) {
      throw new HpkeError('SUITE_UNSUPPORTED', 'Cannot use KEM: its code cannot be loaded here', { cause });
    }
  },
};
