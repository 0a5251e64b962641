/**
 * The size of the browser clients: what a page must load before its first oblivious request, or its first report.
 *
 * node scripts/check-size.ts              one line each
 * node scripts/check-size.ts --modules    also what the initial load is made of
 */
import { join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';
import { requireNode } from './lib/node.ts';
import { ROOT } from './lib/workspace.ts';

const VIRTUAL = 'virtual:page';

/** A client that pages load. */
export interface Client {
  readonly name: string;
  /** Module that exports it, from the root. */
  readonly entry: string;
  /** What a page uses of it. */
  readonly uses: readonly string[];
  /** Limit of the initial load, gzipped bytes. */
  readonly maxBytes: number;
  /** Limit of everything that is loaded on demand together, gzipped bytes. */
  readonly maxLazyBytes: number;
}

/** The clients with a limit. */
export const CLIENTS: readonly Client[] = [
  {
    name: 'Oblivious client',
    entry: 'products/gateway/client/src/index.ts',
    uses: ['createObliviousFetch'],
    maxBytes: 12_000,
    maxLazyBytes: 60_000,
  },
  {
    name: 'Reporter',
    entry: 'products/analytics/client/src/index.ts',
    uses: ['createReporter', 'parseTask', 'taskOf'],
    maxBytes: 20_000,
    maxLazyBytes: 80_000,
  },
];

/** What was measured. */
export interface ClientSize {
  /** Entry and everything it imports statically, minified and gzipped, bytes. */
  readonly initialBytes: number;
  /** Chunks loaded on demand, gzipped bytes each. */
  readonly lazyBytes: readonly number[];
  /** Modules of the initial load, largest first; bytes before minification. */
  readonly modules: readonly (readonly [path: string, bytes: number])[];
  readonly client: Client;
  readonly fits: boolean;
}

/** Bundles a page that uses a client. A page exports nothing, so what its chunks have in common stays in the first one. */
export async function clientSize(root: string, client: Client): Promise<ClientSize> {
  const bundle = await rolldown({
    input: VIRTUAL,
    cwd: root,
    platform: 'browser',
    logLevel: 'silent',
    plugins: [
      {
        name: 'page',
        resolveId: (id) => (id === VIRTUAL ? id : undefined),
        load: (id) => (id === VIRTUAL ? page(root, client) : undefined),
      },
    ],
  });
  const { output } = await bundle.generate({ format: 'esm', minify: true });
  await bundle.close();
  const chunks = output.filter((item) => item.type === 'chunk');
  const initial = new Set<string>();
  const load = (fileName: string): void => {
    const chunk = chunks.find((candidate) => candidate.fileName === fileName);
    if (chunk === undefined || initial.has(fileName)) return;
    initial.add(fileName);
    for (const next of chunk.imports) load(next);
  };
  for (const chunk of chunks) if (chunk.isEntry) load(chunk.fileName);
  const sizeOf = (names: (fileName: string) => boolean): number[] =>
    chunks.filter((chunk) => names(chunk.fileName)).map((chunk) => gzipSync(chunk.code, { level: 9 }).length);
  const initialBytes = sizeOf((name) => initial.has(name)).reduce((a, b) => a + b, 0);
  const lazyBytes = sizeOf((name) => !initial.has(name));
  return {
    initialBytes,
    lazyBytes,
    modules: chunks
      .filter((chunk) => initial.has(chunk.fileName))
      .flatMap((chunk) => Object.entries(chunk.modules))
      .map(([path, { renderedLength }]) => [relative(root, path), renderedLength] as const)
      .sort(([, a], [, b]) => b - a),
    client,
    fits: initialBytes <= client.maxBytes && lazyBytes.reduce((a, b) => a + b, 0) <= client.maxLazyBytes,
  };
}

function page(root: string, { entry, uses }: Client): string {
  const names = uses.join(', ');
  return `import { ${names} } from ${JSON.stringify(join(root, entry))}; globalThis.page = { ${names} };`;
}

/** One line for people. */
export function describeSize({ client, initialBytes, lazyBytes, fits }: ClientSize): string {
  const lazy = lazyBytes.length === 0 ? '' : `, on demand ${lazyBytes.map(kibibytes).join(' + ')}`;
  return `${client.name}: ${initialBytes} bytes gzipped of ${client.maxBytes}${lazy}: ${fits ? 'fits' : 'TOO LARGE'}`;
}

function kibibytes(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} KiB`;
}

if (import.meta.main) {
  requireNode();
  for (const client of CLIENTS) {
    const size = await clientSize(ROOT, client);
    console.log(describeSize(size));
    if (process.argv.includes('--modules')) {
      for (const [path, bytes] of size.modules) console.log(`${String(bytes).padStart(7)}  ${path}`);
    }
    if (!size.fits) process.exitCode = 1;
  }
}
