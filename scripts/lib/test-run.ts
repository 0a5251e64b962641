/** Runs files of node:test and prints one line a file, failures in full. */
import { relative } from 'node:path';
import { type EventData, run } from 'node:test';
import { inspect } from 'node:util';
import { secondsSince } from './node.ts';
import { ROOT } from './workspace.ts';

/** Counts of tests. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Nothing ran. */
export const NOTHING: Tally = { passed: 0, failed: 0, skipped: 0 };

/** Settings of {@link runTests}. */
export interface TestRunOptions {
  /** Files at work at the same time. */
  readonly concurrency: number;
  /** A file that runs longer than this is ended and has failed. */
  readonly timeoutMs: number;
}

/** Sum of several tallies. */
export function sum(...tallies: readonly Tally[]): Tally {
  return tallies.reduce(
    (a, b) => ({ passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped }),
    NOTHING,
  );
}

/**
 * Runs each file in a process of its own, in the environment of this process.
 *
 * @param files - absolute paths
 */
export async function runTests(files: readonly string[], options: TestRunOptions): Promise<Tally> {
  if (files.length === 0) return NOTHING;
  const started = performance.now();
  const queue = [...files];
  const failures: string[] = [];
  const tallies: Tally[] = [];
  const lane = async (): Promise<void> => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      const outcome = await runFile(file, options.timeoutMs);
      tallies.push(outcome.tally);
      failures.push(...outcome.failures);
    }
  };
  await Promise.all(Array.from({ length: options.concurrency }, lane));
  const tally = sum(...tallies);
  for (const text of failures) console.log(`\n${text}`);
  console.log(
    `ℹ tests ${tally.passed + tally.failed + tally.skipped}\nℹ pass ${tally.passed}\nℹ fail ${tally.failed}\n` +
      `ℹ skipped ${tally.skipped}\nℹ duration ${secondsSince(started)}`,
  );
  return tally;
}

/** What a file came to. */
interface Outcome {
  readonly tally: Tally;
  readonly failures: readonly string[];
}

/** One file; what it prints is shown in one piece, above its line. */
async function runFile(file: string, timeoutMs: number): Promise<Outcome> {
  const started = performance.now();
  const failures: string[] = [];
  const notes: string[] = [];
  let counts: EventData.TestSummary['counts'] | undefined;
  const timeout = AbortSignal.timeout(timeoutMs);
  for await (const { type, data } of run({ files: [file], isolation: 'process', signal: timeout })) {
    if (type === 'test:fail' && isLeaf(data)) failures.push(describeFailure(data, timeout.aborted));
    else if (type === 'test:pass' && data.skip !== undefined && data.skip !== false) notes.push(describeSkip(data));
    else if (type === 'test:stdout' || type === 'test:stderr') notes.push(data.message.trimEnd());
    else if (type === 'test:diagnostic' && data.file !== undefined) notes.push(data.message);
    else if (type === 'test:summary' && data.file === undefined) counts = data.counts;
  }
  const tally = {
    passed: counts?.passed ?? 0,
    // Whatever else a process does wrong, such as ending with a code, has a failure but no count.
    failed: Math.max(
      failures.length,
      counts === undefined ? 1 : counts.tests - counts.passed - counts.skipped - counts.todo,
    ),
    skipped: (counts?.skipped ?? 0) + (counts?.todo ?? 0),
  };
  for (const note of notes) console.log(note.replace(/^/gm, '     '));
  const words = [`${String(tally.passed).padStart(4)} passed`];
  if (tally.failed > 0) words.push(`${tally.failed} FAILED`);
  if (tally.skipped > 0) words.push(`${tally.skipped} skipped`);
  const verdict = tally.failed === 0 ? 'ok  ' : 'FAIL';
  console.log(`${verdict} ${relative(ROOT, file).padEnd(62)} ${words.join(', ')}  ${secondsSince(started)}`);
  return { tally, failures };
}

/** A suite fails because a test in it did; only the test is worth reading. */
function isLeaf(data: EventData.TestFail): boolean {
  return (data.details.error as { failureType?: string } | undefined)?.failureType !== 'subtestsFailed';
}

function describeFailure(data: EventData.TestFail, timedOut: boolean): string {
  const place = data.file === undefined ? '' : `${relative(ROOT, data.file)}:${data.line ?? 0}  `;
  const why = inspect(reasonOf(data, timedOut), { colors: false, depth: 5 }).replace(/^/gm, '    ');
  return `✖ ${place}${data.name}\n${why}`;
}

function reasonOf(data: EventData.TestFail, timedOut: boolean): unknown {
  const error: Error & { readonly exitCode?: number | null; readonly signal?: string | null } = data.details.error;
  if (timedOut) return 'the file took too long and was ended';
  const left = error.exitCode ?? error.signal;
  return left === undefined || left === null ? (error.cause ?? error) : `the process ended with ${left}`;
}

function describeSkip(data: EventData.TestPass): string {
  return `skipped: ${data.name} (${typeof data.skip === 'string' ? data.skip : 'no reason given'})`;
}
