/**
 * Writes vectors that the reference makes, the same in every run:
 *
 * node crypto/vdaf/test/write-vectors.ts FOLDER
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { allVectors } from './reference-recipes.ts';

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new TypeError('Name the folder to write to');
mkdirSync(folder, { recursive: true });
for (const [name, value] of allVectors()) writeFileSync(join(folder, name), `${JSON.stringify(value, null, 1)}\n`);
