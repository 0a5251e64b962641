/** The package.json of a built package, made from the one in the workspace. */
import type { Conditions, Manifest } from './workspace.ts';

/**
 * Points `exports`, `imports` and `bin` at emitted files and keeps only what users need.
 *
 * Dependencies stay as they are: every one is pinned to an exact version already.
 */
export function publishedManifest(manifest: Manifest): Record<string, unknown> {
  const { name, version, description, keywords, license, type, sideEffects, engines, bin } = manifest;
  const published: Record<string, unknown> = {
    name,
    version,
    description,
    keywords,
    license,
    type,
    sideEffects,
    // Left out in the workspace, where npm on an older Node would warn about every package of ours.
    engines: engines ?? { node: '>=26' },
    bin,
    exports: withTypes(manifest.exports ?? null),
    imports: manifest.imports === undefined ? undefined : emitted(manifest.imports),
    dependencies: manifest.dependencies,
    optionalDependencies: manifest.optionalDependencies,
    peerDependencies: manifest.peerDependencies,
  };
  return Object.fromEntries(Object.entries(published).filter(([, value]) => value !== undefined));
}

/** `./src/a.ts` becomes `{ types: './a.d.ts', default: './a.js' }`, at any depth. */
function withTypes(conditions: Conditions): Conditions {
  if (conditions === null) return null;
  if (typeof conditions === 'string') {
    if (!conditions.endsWith('.ts')) return conditions;
    return { types: emittedPath(conditions, '.d.ts'), default: emittedPath(conditions, '.js') };
  }
  return mapConditions(conditions, withTypes);
}

/** For `imports`: the condition `types` gets declarations, every other one gets code. */
function emitted(conditions: Conditions, key = ''): Conditions {
  if (conditions === null) return null;
  if (typeof conditions === 'string') return emittedPath(conditions, key === 'types' ? '.d.ts' : '.js');
  return mapConditions(conditions, emitted);
}

function mapConditions(
  conditions: { readonly [condition: string]: Conditions },
  change: (value: Conditions, key: string) => Conditions,
): Conditions {
  return Object.fromEntries(Object.entries(conditions).map(([key, value]) => [key, change(value, key)]));
}

function emittedPath(path: string, ending: string): string {
  return path.endsWith('.ts') ? path.replace('./src/', './').replace(/\.ts$/, ending) : path.replace('./src/', './');
}
