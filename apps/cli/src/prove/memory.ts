/** The memory of another process, on Linux. */
import { open, readFile } from 'node:fs/promises';

const PIECE_BYTES = 1 << 24;
const OVERLAP_BYTES = 1 << 12;

/** Bytes to look for, or a look of one's own. */
export type Needle = Buffer | ((bytes: Buffer) => boolean);

/**
 * Which of these byte strings are in the writable memory of a process; undefined where the system does not let us look.
 *
 * @param needles - by name; each shorter than a page
 */
export async function findInMemory(
  pid: number,
  needles: ReadonlyMap<string, readonly Needle[]>,
): Promise<ReadonlySet<string> | undefined> {
  const maps = await readFile(`/proc/${pid}/maps`, 'utf8').catch(() => undefined);
  const memory = maps === undefined ? undefined : await open(`/proc/${pid}/mem`, 'r').catch(() => undefined);
  if (maps === undefined || memory === undefined) return undefined;
  const found = new Set<string>();
  const piece = Buffer.alloc(PIECE_BYTES);
  try {
    for (const [, from = '', to = ''] of maps.matchAll(/^([0-9a-f]+)-([0-9a-f]+) rw.p/gm)) {
      const end = Number.parseInt(to, 16);
      for (let at = Number.parseInt(from, 16); at < end; at += PIECE_BYTES - OVERLAP_BYTES) {
        const length = Math.min(PIECE_BYTES, end - at);
        // Mapped is not always readable.
        const read = await memory.read(piece, 0, length, at).catch(() => ({ bytesRead: 0 }));
        const bytes = piece.subarray(0, read.bytesRead);
        for (const [name, forms] of needles) {
          if (found.has(name)) continue;
          if (forms.some((form) => (typeof form === 'function' ? form(bytes) : bytes.includes(form)))) found.add(name);
        }
        if (length < PIECE_BYTES) break;
      }
    }
    return found;
  } finally {
    await memory.close();
  }
}

/** An address as the system keeps it beside a connection: family, port, address. */
export function socketAddress(address: string): Needle {
  const octets = Buffer.from(address.split('.').map(Number));
  return (bytes) => {
    for (let at = bytes.indexOf(octets); at >= 0; at = bytes.indexOf(octets, at + 1)) {
      if (at >= 4 && bytes.readUInt16LE(at - 4) === AF_INET) return true;
    }
    return false;
  };
}

const AF_INET = 2;
