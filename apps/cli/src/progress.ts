/** Says what is going on while something takes long, and nothing while it does not. */
import { writeNote } from './output.ts';

/** Milliseconds of silence before the current step is named. */
const PATIENCE_MS = 800;

/** Steps under way, outermost first; the innermost is what is shown. */
const steps: string[] = [];
let shown: string | undefined;
let startedMs = 0;
let timer: NodeJS.Timeout | undefined;

/**
 * Runs a step; once the outermost step under way has taken more than a moment, the innermost is named on stderr. On a
 * terminal the line disappears at the end.
 *
 * @param what - such as "Making certificates"
 * @param step - the work
 */
export async function withProgress<T>(what: string, step: () => Promise<T>): Promise<T> {
  if (steps.length === 0) begin();
  steps.push(what);
  if (shown !== undefined) show();
  try {
    return await step();
  } finally {
    steps.pop();
    if (steps.length === 0) end();
  }
}

function begin(): void {
  startedMs = performance.now();
  timer = setTimeout(() => {
    show();
    if (process.stderr.isTTY === true) timer = setInterval(show, 1000).unref();
  }, PATIENCE_MS).unref();
}

function show(): void {
  const what = steps.at(-1) ?? '';
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  if (process.stderr.isTTY === true) writeNote(`\r\u001b[K${what} … ${seconds} s`);
  else if (shown !== what) writeNote(`${what} …\n`);
  shown = what;
}

function end(): void {
  clearTimeout(timer);
  clearInterval(timer);
  if (shown !== undefined && process.stderr.isTTY === true) writeNote('\r\u001b[K');
  shown = undefined;
}
