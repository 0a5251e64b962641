/**
 * The static gate: format and lint, types, layers, doc comments, citations, unused code. One line a step, the full output of
 * failures only.
 *
 * npm run ok
 */
import { checkDocs } from './check-docs.ts';
import { checkLayers } from './check-layers.ts';
import { checkSpecs } from './check-specs.ts';
import { type Finding, formatFinding } from './lib/finding.ts';
import { type Ended, requireNode, run, secondsSince } from './lib/node.ts';
import { ROOT } from './lib/workspace.ts';

/** One step of the gate. */
interface Step {
  readonly name: string;
  readonly start: () => Promise<Ended> | Ended;
}

/** Longest first, so that two lanes end together. */
const STEPS: readonly Step[] = [
  { name: 'biome check', start: () => run('biome', ['check', '.']) },
  { name: 'knip', start: () => run('knip', ['--no-progress']) },
  { name: 'tsc', start: () => run('tsc', ['-p', 'tsconfig.json']) },
  { name: 'tsc, pure layers', start: () => run('tsc', ['-p', 'tsconfig.pure.json']) },
  { name: 'oxlint', start: () => run('oxlint', ['--type-aware', '--deny-warnings']) },
  { name: 'check-layers', start: () => check(checkLayers) },
  { name: 'check-docs', start: () => check(checkDocs) },
  { name: 'check-specs', start: () => check(checkSpecs) },
];
const LANES = 2;

/** Runs the gate and prints it; true when every step passed. */
export async function ok(): Promise<boolean> {
  const started = performance.now();
  const queue = [...STEPS];
  const failed: string[] = [];
  const lane = async (): Promise<void> => {
    for (let step = queue.shift(); step !== undefined; step = queue.shift()) {
      const stepStarted = performance.now();
      const { ok: passed, output } = await step.start();
      console.log(`${passed ? 'ok  ' : 'FAIL'} ${step.name.padEnd(18)} ${secondsSince(stepStarted)}`);
      if (!passed) failed.push(`\n--- ${step.name}\n${output.trimEnd()}`);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  for (const text of failed) console.log(text);
  console.log(
    `${failed.length === 0 ? 'Static gate passed' : `Static gate: ${failed.length} steps failed`}, ${secondsSince(started)}`,
  );
  return failed.length === 0;
}

function check(checker: (root: string) => readonly Finding[]): Ended {
  const findings = checker(ROOT);
  return { ok: findings.length === 0, output: findings.map(formatFinding).join('\n') };
}

if (import.meta.main) {
  requireNode();
  if (!(await ok())) process.exitCode = 1;
}
