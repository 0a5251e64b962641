import assert from 'node:assert/strict';
import test from 'node:test';
import { CLIENTS, clientSize, describeSize } from '../check-size.ts';
import { publishedManifest } from '../lib/published-manifest.ts';
import { ROOT } from '../lib/workspace.ts';

test('publishedManifest() points at emitted files and drops what users do not need', () => {
  const manifest = publishedManifest({
    name: '@privacy-edge/hpke',
    version: '0.1.0',
    private: false,
    type: 'module',
    exports: { '.': './src/index.ts', './package.json': './package.json' },
    imports: {
      '#backend': { types: './src/backend.ts', node: './src/backend-node.ts', default: './src/backend-web.ts' },
    },
    engines: { node: '>=26' },
    dependencies: { '@privacy-edge/bytes': '0.1.0' },
    devDependencies: { 'fast-check': '4.10.2' },
  });
  assert.deepEqual(manifest, {
    name: '@privacy-edge/hpke',
    version: '0.1.0',
    type: 'module',
    exports: { '.': { types: './index.d.ts', default: './index.js' }, './package.json': './package.json' },
    imports: { '#backend': { types: './backend.d.ts', node: './backend-node.js', default: './backend-web.js' } },
    engines: { node: '>=26' },
    dependencies: { '@privacy-edge/bytes': '0.1.0' },
  });
});

test('each browser client fits its budget', async (t) => {
  for (const client of CLIENTS) {
    const size = await clientSize(ROOT, client);
    t.diagnostic(describeSize(size));
    assert.ok(size.initialBytes > 4096, 'something was bundled');
    assert.ok(size.fits, describeSize(size));
  }
});
