/** Choice of the chunk length. VDAF §7.4.3.1. */

/** Largest power of two that a wire polynomial may have values, as an exponent. */
const MAX_LOG = 16;

/**
 * The chunk length that gives the shortest proof for a number of checks: a power of two less one calls, and the
 * smallest chunk that does with them.
 *
 * @param checks - elements to check, 1 or more
 * @returns products of one call, 1 to `checks`
 * @see VDAF §7.4.3.1
 */
export function bestChunkLength(checks: number): number {
  let best = checks;
  let shortest = Number.POSITIVE_INFINITY;
  for (let log = 1; log <= MAX_LOG; log++) {
    const chunkLength = Math.ceil(checks / (2 ** log - 1));
    const proof = 2 * chunkLength + 2 * (2 ** log - 1) + 1;
    // Of equal ones the smaller chunk, which makes shorter verifier shares.
    if (proof <= shortest) [best, shortest] = [chunkLength, proof];
  }
  return best;
}
