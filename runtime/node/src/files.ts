/** Files that must be whole or absent, and files that nobody else may read. */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, rename, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { RuntimeError } from './error.ts';

/** Permission bits of a secret file: owner only. */
export const SECRET_MODE = 0o600;

/**
 * Replaces a file so that a reader, or a crash at any moment, sees either the old or the new content, and so that the new
 * content survives a power cut once this returns.
 *
 * @param path - its folder must exist and be on the same file system
 * @param content - text is written as UTF-8
 * @param mode - permission bits of the new file; default 0o644
 * @throws {@link RuntimeError} `FILE_FAILED`
 */
export async function writeFileAtomic(path: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
  const folder = dirname(path);
  const temporary = join(folder, `.${randomBytes(8).toString('hex')}.tmp`);
  try {
    const file = await open(temporary, 'wx', mode);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncFolder(folder);
  } catch (cause) {
    await unlink(temporary).catch(() => undefined);
    throw new RuntimeError('FILE_FAILED', `Cannot write ${path}`, { cause });
  }
}

/**
 * Like {@link writeFileAtomic}, readable by the owner only.
 *
 * @throws {@link RuntimeError} `FILE_FAILED`
 */
export function writeSecretFile(path: string, content: string | Uint8Array): Promise<void> {
  return writeFileAtomic(path, content, SECRET_MODE);
}

/**
 * Reads a secret. Refuses a file that group or others may read, and anything but a regular file, judging the opened file
 * itself so that it cannot be swapped in between.
 *
 * @throws {@link RuntimeError} `FILE_EXPOSED` or `FILE_FAILED`
 */
export async function readSecretFile(path: string): Promise<Uint8Array> {
  const file = await open(path, constants.O_RDONLY).catch((cause: unknown) => {
    throw new RuntimeError('FILE_FAILED', `Cannot read ${path}`, { cause });
  });
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw new RuntimeError('FILE_EXPOSED', `Cannot use ${path} as a secret: not a regular file`);
    if (process.platform !== 'win32' && (stat.mode & 0o077) !== 0) {
      const mode = (stat.mode & 0o777).toString(8);
      throw new RuntimeError('FILE_EXPOSED', `Cannot use ${path} as a secret: mode ${mode}, run chmod 600 on it`);
    }
    return new Uint8Array(await file.readFile());
  } finally {
    await file.close();
  }
}

/**
 * Makes a folder, and its parents, that only the owner may enter.
 *
 * @throws {@link RuntimeError} `FILE_FAILED`
 */
export async function makePrivateFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
    throw new RuntimeError('FILE_FAILED', `Cannot make folder ${path}`, { cause });
  });
}

/** A rename is durable only when the folder that holds the name is on disk. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
