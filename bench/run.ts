/**
 * Runs one bench: `npm run bench -- gateway`. Each is a program that prints a table for people and JSON for machines; none is a
 * test, and none has a threshold.
 */
import { readdirSync } from 'node:fs';

const benches = readdirSync(import.meta.dirname)
  .filter((name) => name.endsWith('.bench.ts'))
  .map((name) => name.slice(0, -'.bench.ts'.length))
  .sort();

const [area] = process.argv.slice(2);
if (area === undefined || !benches.includes(area)) {
  console.error(`Usage: npm run bench -- ${benches.join('|')}`);
  process.exitCode = 2;
} else {
  await import(`./${area}.bench.ts`);
}
