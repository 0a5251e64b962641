/** No AES but the kernel's, as in browsers: WebCrypto has no call for single blocks, and none that does not wait. */
import type { PlatformAes } from './aes.ts';

export const platformAes: PlatformAes | undefined = undefined;
