/**
 * Writes each publishable package to `dist/<name>`: JavaScript and declarations, a package.json of its own, licence and
 * README. Then checks the result: publint, an import of every package from a folder that has only what was built, and the
 * size of the browser client.
 *
 * npm run build
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { CLIENTS, clientSize, describeSize } from './check-size.ts';
import { requireNode, run, secondsSince } from './lib/node.ts';
import { publishedManifest } from './lib/published-manifest.ts';
import { listFiles, type Manifest, type Package, ROOT, readPackages } from './lib/workspace.ts';

const DIST = join(ROOT, 'dist');
const EMITTED = join(DIST, '.emitted');

async function build(): Promise<boolean> {
  const started = performance.now();
  const packages = readPackages(ROOT).filter((item) => item.manifest.private !== true);
  rmSync(DIST, { recursive: true, force: true });
  if (!(await emit(packages))) return false;
  for (const item of packages) assemble(item);
  rmSync(EMITTED, { recursive: true, force: true });
  const problems = [...(await lint(packages)), ...(await tryImports(packages))];
  for (const problem of problems) console.log(problem);
  const sizes = await Promise.all(CLIENTS.map((client) => clientSize(ROOT, client)));
  for (const size of sizes) console.log(describeSize(size));
  const good = problems.length === 0 && sizes.every((size) => size.fits);
  console.log(
    `${packages.length} packages in dist/, ${good ? 'all checks passed' : 'FAILED'}, ${secondsSince(started)}`,
  );
  return good;
}

/** One compiler run over all sources; the packages see each other through their names, as users will. */
async function emit(packages: readonly Package[]): Promise<boolean> {
  mkdirSync(EMITTED, { recursive: true });
  const config = join(EMITTED, 'tsconfig.json');
  writeFileSync(
    config,
    JSON.stringify({
      extends: '../../tsconfig.json',
      compilerOptions: {
        noEmit: false,
        allowImportingTsExtensions: false,
        declaration: true,
        rootDir: '../..',
        outDir: '.',
        stripInternal: true,
      },
      include: packages.map((item) => `../../${item.dir}/src`),
    }),
  );
  const { ok, output } = await run('tsc', ['-p', config]);
  if (!ok) console.log(output);
  return ok;
}

function assemble(item: Package): void {
  const target = folderOf(item);
  renameSync(join(EMITTED, item.dir, 'src'), target);
  for (const path of listFiles(ROOT, `${item.dir}/src`, ['.wasm', '.json', '.js'])) {
    const copy = join(target, path.slice(item.dir.length + '/src/'.length));
    mkdirSync(dirname(copy), { recursive: true });
    cpSync(join(ROOT, path), copy);
  }
  const manifest = publishedManifest(item.manifest);
  for (const path of Object.values(item.manifest.bin ?? {})) {
    const text = readFileSync(join(ROOT, item.dir, path), 'utf8');
    mkdirSync(dirname(join(target, path)), { recursive: true });
    writeFileSync(join(target, path), text.replace(/\.\.\/src\/([\w/-]+)\.ts/g, '../$1.js'), { mode: 0o755 });
  }
  writeFileSync(join(target, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
  cpSync(join(ROOT, 'LICENSE'), join(target, 'LICENSE'));
  const readme = join(ROOT, item.dir, 'README.md');
  if (existsSync(readme)) cpSync(readme, join(target, 'README.md'));
  else writeFileSync(join(target, 'README.md'), `# ${item.manifest.name}\n\n${item.manifest.description ?? ''}\n`);
}

function folderOf(item: Package): string {
  return join(DIST, item.manifest.name.split('/').at(-1) ?? item.manifest.name);
}

async function lint(packages: readonly Package[]): Promise<string[]> {
  const problems: string[] = [];
  for (const item of packages) {
    const pkgDir = folderOf(item);
    const { messages } = await publint({ pkgDir, level: 'warning', strict: true });
    const manifest = JSON.parse(readFileSync(join(pkgDir, 'package.json'), 'utf8')) as Record<string, unknown>;
    for (const message of messages) {
      problems.push(`${item.manifest.name}: ${formatMessage(message, manifest) ?? message.code}`);
    }
  }
  return problems;
}

/** Imports every entry point outside of the workspace, where only the built packages and registry packages exist. */
async function tryImports(packages: readonly Package[]): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'privacy-edge-build-'));
  try {
    for (const item of packages) {
      const target = join(folder, 'node_modules', item.manifest.name);
      cpSync(folderOf(item), target, { recursive: true });
      for (const name of Object.keys(item.manifest.dependencies ?? {})) linkRegistryPackage(folder, name, packages);
    }
    const entries = packages.flatMap((item) => (item.manifest.bin === undefined ? specifiersOf(item.manifest) : []));
    const program = entries.map((entry) => `await import(${JSON.stringify(entry)});`).join('\n');
    writeFileSync(join(folder, 'try.mjs'), program);
    const imported = await run('node', ['try.mjs'], { cwd: folder });
    const started = await run('node', ['node_modules/privacy-edge/bin/privacy-edge.cjs', '--version'], { cwd: folder });
    return [imported, started]
      .filter((ended) => !ended.ok)
      .map((ended) => `The built packages do not run:\n${ended.output}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function linkRegistryPackage(folder: string, name: string, own: readonly Package[]): void {
  const link = join(folder, 'node_modules', name);
  if (existsSync(link) || own.some((item) => item.manifest.name === name)) return;
  mkdirSync(dirname(link), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules', name), link);
}

function specifiersOf(manifest: Manifest): string[] {
  const paths = typeof manifest.exports === 'object' ? Object.keys(manifest.exports ?? {}) : ['.'];
  return paths.filter((path) => !path.endsWith('.json')).map((path) => manifest.name + path.slice(1));
}

requireNode();
if (!(await build())) process.exitCode = 1;
