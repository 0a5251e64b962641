/**
 * The size of the browser client: what a page must load before its first oblivious request.
 *
 * node scripts/check-size.ts              one line
 * node scripts/check-size.ts --modules    also what the initial load is made of
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';
import { requireNode } from './lib/node.ts';
import { ROOT } from './lib/workspace.ts';

const ENTRY = 'products/gateway/client/src/index.ts';
const EXPORT = 'createObliviousFetch';
const VIRTUAL = 'virtual:page';
const MAX_BYTES = 12_000;

/** What was measured. */
export interface ClientSize {
  /** Entry and everything it imports statically, minified and gzipped, bytes. */
  readonly initialBytes: number;
  /** Chunks loaded on demand, gzipped bytes each. */
  readonly lazyBytes: readonly number[];
  /** Modules of the initial load, largest first; bytes before minification. */
  readonly modules: readonly (readonly [path: string, bytes: number])[];
  readonly maxBytes: number;
  readonly fits: boolean;
}

/**
 * Bundles a page that uses the client; undefined while the client is not there yet. A page exports nothing, so what its
 * chunks have in common stays in the first one.
 */
export async function clientSize(root: string): Promise<ClientSize | undefined> {
  const entry = join(root, ENTRY);
  if (!existsSync(entry) || !readFileSync(entry, 'utf8').includes(EXPORT)) return undefined;
  const bundle = await rolldown({
    input: VIRTUAL,
    cwd: root,
    platform: 'browser',
    logLevel: 'silent',
    plugins: [
      {
        name: 'page',
        resolveId: (id) => (id === VIRTUAL ? id : undefined),
        load: (id) => (id === VIRTUAL ? page(entry) : undefined),
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
  return {
    initialBytes,
    lazyBytes: sizeOf((name) => !initial.has(name)),
    modules: chunks
      .filter((chunk) => initial.has(chunk.fileName))
      .flatMap((chunk) => Object.entries(chunk.modules))
      .map(([path, { renderedLength }]) => [relative(root, path), renderedLength] as const)
      .sort(([, a], [, b]) => b - a),
    maxBytes: MAX_BYTES,
    fits: initialBytes <= MAX_BYTES,
  };
}

function page(entry: string): string {
  return `import { ${EXPORT} } from ${JSON.stringify(entry)}; globalThis.${EXPORT} = ${EXPORT};`;
}

/** One line for people. */
export function describeSize(size: ClientSize | undefined): string {
  if (size === undefined) return `Browser client: ${EXPORT} is not exported yet`;
  const lazy = size.lazyBytes.length === 0 ? '' : `, on demand ${size.lazyBytes.map(kibibytes).join(' + ')}`;
  const verdict = size.fits ? 'fits' : 'TOO LARGE';
  return `Browser client: ${size.initialBytes} bytes gzipped of ${size.maxBytes}${lazy}: ${verdict}`;
}

function kibibytes(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} KiB`;
}

if (import.meta.main) {
  requireNode();
  const size = await clientSize(ROOT);
  console.log(describeSize(size));
  if (process.argv.includes('--modules')) {
    for (const [path, bytes] of size?.modules ?? []) console.log(`${String(bytes).padStart(7)}  ${path}`);
  }
  if (size?.fits === false) process.exitCode = 1;
}
