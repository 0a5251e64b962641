/** Values on their way to another thread. */

/** A value that can be sent, and how many bytes it has. */
export interface Compacted<T> {
  readonly value: T;
  readonly bytes: number;
}

/**
 * Copies bytes that are a part of something larger: sending a view sends all of the memory behind it, and a report is often a view
 * into the body of a whole upload.
 *
 * @param value - plain objects, arrays, bytes and what has no parts
 */
export function compact<T>(value: T): Compacted<T> {
  let bytes = 0;
  const walk = (part: unknown): unknown => {
    if (part instanceof Uint8Array) {
      bytes += part.length;
      return part.length === part.buffer.byteLength && part.constructor === Uint8Array ? part : new Uint8Array(part);
    }
    if (Array.isArray(part)) return part.map(walk);
    if (typeof part !== 'object' || part === null || part instanceof Date) return part;
    return Object.fromEntries(Object.entries(part).map(([name, inner]) => [name, walk(inner)]));
  };
  // The copy has the shape of the original.
  return { value: walk(value) as T, bytes };
}
