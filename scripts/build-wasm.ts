/**
 * Compiles the kernels, which are AssemblyScript, into the WebAssembly modules that are committed: `<name>.wasm` for
 * runtimes that import modules, and the same bytes as text in `<name>-wasm.ts` for all others.
 *
 * node scripts/build-wasm.ts            writes
 * node scripts/build-wasm.ts --check    compares with what is committed, byte for byte
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Finding, report } from './lib/finding.ts';
import { ROOT } from './lib/workspace.ts';

/** Each name is an entry file in `assembly` and a module in `src`. */
const MODULES: readonly string[] = ['prio3', 'poplar1'];

const FOLDER = 'crypto/vdaf';

const OPTIONS: readonly string[] = [
  '--runtime=stub',
  '--optimizeLevel=3',
  '--shrinkLevel=0',
  '--noAssert',
  '--enable=simd',
  '--initialMemory=2',
  // 256 MiB. Whether a computation fits is checked when its parameters are chosen.
  '--maximumMemory=4096',
];

/** A committed file and what it should hold. */
export interface Output {
  /** From the repository root. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** Compiles all modules. */
export function buildKernels(root: string): Output[] {
  const folder = mkdtempSync(join(tmpdir(), 'privacy-edge-wasm-'));
  try {
    return MODULES.flatMap((name) => {
      const out = join(folder, `${name}.wasm`);
      compile(join(root, FOLDER, 'assembly'), name, out);
      const bytes = readFileSync(out);
      return [
        { path: `${FOLDER}/src/${name}.wasm`, bytes },
        { path: `${FOLDER}/src/${name}-wasm.ts`, bytes: new TextEncoder().encode(asText(name, bytes)) },
      ];
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Files that differ from what was built. */
export function checkKernels(root: string): Finding[] {
  return buildKernels(root)
    .filter(({ path, bytes }) => !existsSync(join(root, path)) || !readFileSync(join(root, path)).equals(bytes))
    .map(({ path }) => ({ file: path, line: 0, message: 'is not what the sources compile to; run build-wasm' }));
}

function compile(folder: string, name: string, out: string): void {
  const compiler = join(ROOT, 'node_modules', 'assemblyscript', 'bin', 'asc.js');
  execFileSync(process.execPath, [compiler, `${name}.ts`, '--outFile', out, ...OPTIONS], {
    cwd: folder,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}

function asText(name: string, bytes: Buffer): string {
  const constant = `${name.toUpperCase()}_WASM`;
  return [
    `/** The module that assembly/${name}.ts compiles to, in Base64. Written by scripts/build-wasm.ts. */`,
    `export const ${constant}: string =`,
    `  '${bytes.toString('base64')}';`,
    '',
  ].join('\n');
}

if (import.meta.main) {
  if (process.argv.includes('--check')) {
    report('build-wasm', checkKernels(ROOT), 'the committed modules are what their sources compile to');
  } else {
    for (const { path, bytes } of buildKernels(ROOT)) {
      writeFileSync(join(ROOT, path), bytes);
      console.log(`${path}  ${bytes.length} bytes`);
    }
  }
}
