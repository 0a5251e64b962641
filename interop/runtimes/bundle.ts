/** The checks and all they import as few files that are loaded over a network or embedded. */

import { join } from 'node:path';
import { rolldown } from 'rolldown';

const VIRTUAL = 'virtual:entry';

/**
 * @param entry - the source of the first module, from the specifier of the checks as a literal
 * @param name - file name of that module
 * @param conditionNames - of `exports` and `imports` in package.json
 * @returns code by file name, the first module first
 */
export async function bundle(
  entry: (checks: string) => string,
  name: string,
  conditionNames: string[],
): Promise<ReadonlyMap<string, string>> {
  const source = entry(JSON.stringify(join(import.meta.dirname, 'checks.ts')));
  const build = await rolldown({
    input: VIRTUAL,
    cwd: import.meta.dirname,
    platform: 'browser',
    logLevel: 'silent',
    resolve: { conditionNames },
    preserveEntrySignatures: 'strict',
    plugins: [
      {
        name: 'entry',
        resolveId: (id) => (id === VIRTUAL ? id : undefined),
        load: (id) => (id === VIRTUAL ? source : undefined),
      },
    ],
  });
  const { output } = await build.generate({ format: 'esm', entryFileNames: name });
  await build.close();
  const chunks = output.filter((item) => item.type === 'chunk');
  const sorted = chunks.sort((a, b) => Number(b.isEntry) - Number(a.isEntry));
  return new Map(sorted.map(({ fileName, code }) => [fileName, code]));
}
