/** XofTurboShake128 by itself, for comparison with test vectors: Prio3 runs it inside of the kernel. VDAF §6.2.1. */
import { Arena } from './prio3-arena.ts';

/** The domain separation byte of the XOF. */
const DOMAIN = 1;

/**
 * The first bytes of the stream.
 *
 * @param seed - at most 255 bytes
 * @param dst - domain separation tag, at most 65535 bytes
 * @param binder - binder string
 * @param length - bytes wanted
 * @see VDAF §6.2.1
 */
export function xofTurboShake128(seed: Uint8Array, dst: Uint8Array, binder: Uint8Array, length: number): Uint8Array {
  if (seed.length > 0xff) throw new RangeError('The seed is too long');
  if (dst.length > 0xffff) throw new RangeError('The domain separation tag is too long');
  return Arena.use((arena) => {
    const size = 3 + dst.length + seed.length + binder.length;
    const message = arena.reserve(size);
    const out = arena.reserve(length);
    arena.write(message, Uint8Array.of(dst.length & 0xff, dst.length >> 8));
    arena.write(message + 2, dst);
    arena.writeByte(message + 2 + dst.length, seed.length);
    arena.write(message + 3 + dst.length, seed);
    arena.write(message + 3 + dst.length + seed.length, binder);
    arena.kernel.turboShake128(message, size, DOMAIN, out, length);
    return arena.read(out, length);
  });
}
