import { readFileSync } from 'node:fs';

/** Version of this package, from its own package.json. */
export function packageVersion(): string {
  const text = readFileSync(new URL(import.meta.resolve('privacy-edge/package.json')), 'utf8');
  const { version } = JSON.parse(text) as { version: string };
  return version;
}
