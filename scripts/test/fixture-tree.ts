import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';

const pkg = (name: string, more: object = {}): string =>
  JSON.stringify({ name: `@privacy-edge/${name}`, version: '0.1.0', exports: { '.': './src/index.ts' }, ...more });

/** A repository of four packages in which every rule holds. */
const SOUND: Readonly<Record<string, string>> = {
  'package.json': JSON.stringify({ name: 'root', version: '0.1.0', workspaces: ['wire/*', 'protocols/*', 'testing'] }),
  'layers.json': JSON.stringify({
    layers: [
      { name: 'bytes', packages: ['wire/bytes'], pure: true },
      { name: 'wire', packages: ['wire/*'], pure: true },
      { name: 'protocols', packages: ['protocols/*'], pure: true },
      { name: 'testing', packages: ['testing'], pure: false },
    ],
    nodeBackends: ['protocols/ohttp/src/backend-node.ts'],
    ambientDefaults: ['protocols/ohttp/src/platform.ts'],
  }),
  'wire/bytes/package.json': pkg('bytes'),
  'wire/bytes/src/index.ts': '/** One. */\nexport const one = 1;\n',
  'wire/bhttp/package.json': pkg('bhttp', {
    dependencies: { '@privacy-edge/bytes': '0.1.0' },
    devDependencies: { '@privacy-edge/testing': '0.1.0' },
  }),
  'wire/bhttp/src/index.ts': "export { two } from './two.ts';\n",
  'wire/bhttp/src/two.ts': "import { one } from '@privacy-edge/bytes';\n/** Two. */\nexport const two = one + 1;\n",
  'wire/bhttp/test/two.test.ts': "import '@privacy-edge/testing';\nimport '../src/two.ts';\nsetTimeout(() => {}, 1);\n",
  'protocols/ohttp/package.json': pkg('ohttp', { dependencies: { '@privacy-edge/bhttp': '0.1.0' } }),
  'protocols/ohttp/src/index.ts': '/** Now. */\nexport type Now = () => number;\n',
  'protocols/ohttp/src/backend-node.ts': "import 'node:crypto';\n",
  'protocols/ohttp/src/platform.ts': 'export const now = (): number => Date.now();\n',
  'testing/package.json': pkg('testing', { dependencies: { '@privacy-edge/ohttp': '0.1.0' } }),
  'testing/src/index.ts': "import 'node:fs';\n",
};

/** Writes the sound repository with `changes` on top into a temporary folder that goes away with the test. */
export function fixtureTree(t: TestContext, changes: Readonly<Record<string, string>> = {}): string {
  const root = mkdtempSync(join(tmpdir(), 'privacy-edge-scripts-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  for (const [path, text] of Object.entries({ ...SOUND, ...changes })) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}
