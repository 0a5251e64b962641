/** AES by OpenSSL. */
import { createCipheriv } from 'node:crypto';
import type { PlatformAes } from './aes.ts';

/** The threshold is measured: one update costs about a microsecond, a block in the kernel about 0.05. */
export const platformAes: PlatformAes | undefined = {
  worthwhileFrom: 32,
  blockCipher: (key) => {
    const cipher = createCipheriv('aes-128-ecb', key, null).setAutoPadding(false);
    return (blocks) => cipher.update(blocks);
  },
};
