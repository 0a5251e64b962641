import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { makePrivateFolder, readSecretFile, systemRandom, writeFileAtomic, writeSecretFile } from '../src/index.ts';
import { temporaryFolder, text } from './support.ts';

describe('writeFileAtomic', () => {
  it('replaces the content, sets the mode, and leaves nothing else behind', async (t) => {
    const folder = await temporaryFolder(t);
    const path = join(folder, 'f');
    await writeFileAtomic(path, 'one');
    await writeFileAtomic(path, new Uint8Array([1, 2]), 0o640);
    assert.deepEqual([...(await readFile(path))], [1, 2]);
    assert.equal((await stat(path)).mode & 0o777, 0o640);
    assert.deepEqual(await readdir(folder), ['f']);
  });

  it('says FILE_FAILED and leaves nothing behind when it cannot replace', async (t) => {
    const folder = await temporaryFolder(t);
    await mkdir(join(folder, 'is-a-folder', 'x'), { recursive: true });
    await assert.rejects(writeFileAtomic(join(folder, 'is-a-folder'), 'x'), { code: 'FILE_FAILED' });
    await assert.rejects(writeFileAtomic(join(folder, 'none', 'f'), 'x'), { code: 'FILE_FAILED' });
    assert.deepEqual(await readdir(folder), ['is-a-folder']);
  });
});

describe('readSecretFile', () => {
  it('reads what writeSecretFile wrote', async (t) => {
    const path = join(await temporaryFolder(t), 's');
    await writeSecretFile(path, 'secret');
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.equal(text(await readSecretFile(path)), 'secret');
  });

  it('refuses a file that others may read, also behind a link, a folder, and one that is absent', async (t) => {
    const folder = await temporaryFolder(t);
    const path = join(folder, 's');
    await writeFile(path, 'secret');
    for (const mode of [0o640, 0o604, 0o620, 0o601]) {
      await chmod(path, mode);
      await assert.rejects(readSecretFile(path), { code: 'FILE_EXPOSED' });
    }
    await symlink(path, join(folder, 'link'));
    await assert.rejects(readSecretFile(join(folder, 'link')), { code: 'FILE_EXPOSED' });
    await assert.rejects(readSecretFile(folder), { code: 'FILE_EXPOSED' });
    await assert.rejects(readSecretFile(join(folder, 'none')), { code: 'FILE_FAILED' });
  });
});

describe('makePrivateFolder', () => {
  it('makes a folder only its owner may enter', async (t) => {
    const path = join(await temporaryFolder(t), 'a', 'b');
    await makePrivateFolder(path);
    assert.equal((await stat(path)).mode & 0o777, 0o700);
  });
});

describe('systemRandom', () => {
  it('gives arrays of their own of the asked length, never twice the same', () => {
    const seen = new Set<string>();
    for (let round = 0; round < 2000; round++) {
      const bytes = systemRandom(round % 2 === 0 ? 32 : 600);
      assert.equal(bytes.length, round % 2 === 0 ? 32 : 600);
      assert.equal(bytes.buffer.byteLength, bytes.length, 'no view of a shared pool');
      seen.add(Buffer.from(bytes).toString('hex'));
    }
    assert.equal(seen.size, 2000);
    assert.equal(systemRandom(0).length, 0);
  });
});
