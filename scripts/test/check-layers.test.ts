import assert from 'node:assert/strict';
import test from 'node:test';
import { checkLayers } from '../check-layers.ts';
import { formatFinding } from '../lib/finding.ts';
import { graphOf, spliceGraph } from '../lib/graph.ts';
import { importsOf } from '../lib/imports.ts';
import { mask } from '../lib/mask.ts';
import { worldUses } from '../lib/purity.ts';
import { fixtureTree } from './fixture-tree.ts';

const manifest = (name: string, dependencies: Record<string, string>, more: object = {}): string =>
  JSON.stringify({ name: `@privacy-edge/${name}`, version: '0.1.0', dependencies, ...more });

test('checkLayers() accepts a sound tree', (t) => {
  assert.deepEqual(checkLayers(fixtureTree(t)), []);
});

const planted: readonly [title: string, changes: Record<string, string>, expected: RegExp][] = [
  [
    'a dependency on a higher layer',
    { 'wire/bytes/package.json': manifest('bytes', { '@privacy-edge/ohttp': '0.1.0' }) },
    /wire\/bytes\/package\.json {2}dependencies: @privacy-edge\/ohttp is above, in layer "protocols"/,
  ],
  [
    'a dependency on a sibling',
    {
      'wire/fields/package.json': manifest('fields', { '@privacy-edge/bhttp': '0.1.0' }),
      'wire/fields/src/index.ts': '',
    },
    /is a sibling in layer "wire"/,
  ],
  [
    'a dependency on testing',
    { 'protocols/ohttp/package.json': manifest('ohttp', { '@privacy-edge/testing': '0.1.0' }) },
    /testing may only be a devDependency/,
  ],
  [
    'a cycle of packages',
    { 'wire/bytes/package.json': manifest('bytes', { '@privacy-edge/bhttp': '0.1.0' }) },
    /Packages form a cycle: @privacy-edge\/bytes -> @privacy-edge\/bhttp -> @privacy-edge\/bytes/,
  ],
  [
    'a dependency with another version',
    { 'protocols/ohttp/package.json': manifest('ohttp', { '@privacy-edge/bhttp': '^0.1.0' }) },
    /pins @privacy-edge\/bhttp to \^0\.1\.0 instead of 0\.1\.0/,
  ],
  [
    'a dependency nobody has',
    { 'protocols/ohttp/package.json': manifest('ohttp', { '@privacy-edge/hpkee': '0.1.0' }) },
    /hpkee, which is no package here/,
  ],
  [
    'a package outside of all layers',
    {
      'package.json': JSON.stringify({ version: '0.1.0', workspaces: ['wire/*', 'protocols/*', 'testing', 'extra'] }),
      'extra/package.json': manifest('extra', {}),
    },
    /extra\/package\.json {2}belongs to no layer/,
  ],
  [
    'an undeclared import in src',
    { 'wire/bytes/src/index.ts': "import type { two } from '@privacy-edge/bhttp';\n" },
    /wire\/bytes\/src\/index\.ts:1 {2}imports @privacy-edge\/bhttp, which wire\/bytes\/package\.json does not declare/,
  ],
  [
    'a devDependency imported by src',
    { 'wire/bhttp/src/two.ts': "\nexport * from '@privacy-edge/testing';\n" },
    /two\.ts:2 {2}imports @privacy-edge\/testing, which/,
  ],
  [
    'a relative import that leaves the package',
    { 'wire/bhttp/src/two.ts': "import { one } from '../../bytes/src/index.ts';\n" },
    /imports \.\.\/\.\.\/bytes\/src\/index\.ts, which leaves wire\/bhttp/,
  ],
  [
    'a reach into a package from outside',
    { 'e2e/a.test.ts': "import { one } from '../wire/bytes/src/index.ts';\n" },
    /e2e\/a\.test\.ts:1 .* use @privacy-edge\/bytes/,
  ],
  [
    'a Node module in a pure layer',
    { 'wire/bhttp/src/two.ts': "import { readFileSync } from 'node:fs';\n" },
    /imports node:fs in pure layer "wire"/,
  ],
  [
    'a clock in a pure layer',
    { 'protocols/ohttp/src/index.ts': '\n\nexport const now = Date.now();\n' },
    /index\.ts:3 {2}uses Date\.now in pure layer "protocols"/,
  ],
  [
    'a cycle of files',
    { 'wire/bytes/src/index.ts': "import './a.ts';\n", 'wire/bytes/src/a.ts': "import { one } from './index.ts';\n" },
    /is part of a cycle: wire\/bytes\/src\/a\.ts -> wire\/bytes\/src\/index\.ts -> wire\/bytes\/src\/a\.ts/,
  ],
  [
    'a graph that is out of date',
    { 'ARCHITECTURE.md': '<!-- layers:start -->\nold\n<!-- layers:end -->\n' },
    /ARCHITECTURE\.md {2}The graph of packages is out of date/,
  ],
];

for (const [title, changes, expected] of planted) {
  test(`checkLayers() finds ${title}`, (t) => {
    assert.match(checkLayers(fixtureTree(t, changes)).map(formatFinding).join('\n'), expected);
  });
}

test('checkLayers() lets type imports form a cycle of files', (t) => {
  const root = fixtureTree(t, {
    'wire/bytes/src/index.ts': "import './a.ts';\n",
    'wire/bytes/src/a.ts': "import type { one } from './index.ts';\nimport { type two } from './index.ts';\n",
  });
  assert.deepEqual(checkLayers(root), []);
});

test('worldUses() finds each way to reach the world', () => {
  const uses = [
    'await fetch(url);',
    'setTimeout(f, 1);',
    'setInterval(f, 1);',
    'globalThis.fetch;',
    'Date.now();',
    'new Date();',
    'new Date;',
    'Math.random();',
    'performance.now();',
    'process.env;',
    'AbortSignal.timeout(1);',
    'const t = `\x24{Date.now()}`;',
    'return a ? fetch(b) : c;',
  ];
  assert.deepEqual(
    worldUses(uses.join('\n')).map((use) => use.line),
    uses.map((_, i) => i + 1),
  );
});

test('worldUses() leaves alone what was passed in, declared, commented or quoted', () => {
  const harmless = [
    'ports.fetch(url);',
    'this.#fetch(url);',
    'new Date(seconds * 1000);',
    '  fetch(url: string): Promise<Response>;',
    '  async fetch(url) {',
    '  }',
    'export function setTimeout(ms: number): void {}',
    '// Date.now() is forbidden',
    "const text = 'Date.now()';",
    'const word = `process.env`;',
    'const pattern = /Math.random()/;',
    'clock.performance.now();',
    'const { process } = step;',
    'interface A { readonly process: number }',
  ];
  assert.deepEqual(worldUses(harmless.join('\n')), []);
});

test('importsOf() reads every form and tells types from values', () => {
  const source = [
    "import a from 'a';",
    "import type { B } from 'b';",
    "import { type C, type D } from 'c';",
    "import { type E, f } from 'e';",
    "import 'g';",
    "export { h } from 'h';",
    "export type { I } from 'i';",
    "import {\n  j,\n} from 'j';",
    "// import k from 'k';",
    'const text = "import l from \'l\'";',
    "export const m = 'm';",
    "const n = await import('n');",
    "import * as o from 'o';",
  ].join('\n');
  const found = importsOf(source).map((item) => `${item.specifier}${item.typeOnly ? ' type' : ''}`);
  assert.deepEqual(found.sort(), ['a', 'b type', 'c type', 'e', 'g', 'h', 'i type', 'j', 'n', 'o']);
});

test('mask() keeps offsets and knows strings, templates, regular expressions and comments', () => {
  const source = 'a("x//y", `t\x24{b(`u`)}v`, /[/"]\'/g, c / d / e); // "end\n/* f */ g';
  const masked = mask(source, { strings: true });
  assert.equal(masked.length, source.length);
  assert.equal(masked.replace(/ +/g, ' '), 'a(" ", ` \x24{b(` `)} `, / /g, c / d / e); \n g');
});

test('graphOf() leaves out implied arrows and spliceGraph() keeps the rest of the document', () => {
  const layer = { name: 'wire', packages: [], pure: true };
  const item = (name: string, ...needs: string[]) => ({
    dir: `wire/${name}`,
    layer,
    manifest: { name, version: '0', dependencies: Object.fromEntries(needs.map((need) => [need, '0'])) },
  });
  const graph = graphOf([item('a'), item('b', 'a'), item('c', 'a', 'b')]);
  assert.match(graph, /b --> a/);
  assert.match(graph, /c --> b/);
  assert.doesNotMatch(graph, /c --> a/);
  const document = 'Before\n<!-- layers:start -->\n\nold\n\n<!-- layers:end -->\nAfter\n';
  const spliced = spliceGraph(document, graph);
  assert.equal(spliced, `Before\n<!-- layers:start -->\n\n${graph}\n\n<!-- layers:end -->\nAfter\n`);
  assert.equal(spliceGraph(spliced ?? '', graph), spliced);
  assert.equal(spliceGraph('no markers', graph), undefined);
});
