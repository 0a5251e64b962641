/** `privacy-edge prove`. */
import { messageOf } from '../cli-error.ts';
import { ExitCode } from '../exit-code.ts';
import { styled, writeJson, writeOut } from '../output.ts';
import { columns } from '../table.ts';
import { PARTIES, type Party } from '../up/knowledge.ts';
import { type Check, type GatewayProof, isProved, proveGateway } from './audit.ts';
import type { Row } from './judge.ts';

/** Options of the command. */
export interface ProveOptions {
  readonly json?: boolean;
}

/**
 * Runs the audit and prints what came out.
 *
 * @param audit - what to run; a test passes its own
 */
export async function prove(options: ProveOptions, audit: typeof proveGateway = proveGateway): Promise<ExitCode> {
  const stop = new AbortController();
  const onSignal = (): void => {
    // Children end with this process, so leaving at once leaves nothing running.
    if (stop.signal.aborted) process.exit(130);
    stop.abort(new Error('Stopped by a signal'));
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, onSignal);
  try {
    return await (options.json === true ? proveAsJson(audit, stop.signal) : proveAsText(audit, stop.signal));
  } finally {
    for (const signal of signals) process.off(signal, onSignal);
  }
}

async function proveAsText(audit: typeof proveGateway, signal: AbortSignal): Promise<ExitCode> {
  try {
    const proof = await audit(signal);
    writeOut(proofText(proof));
    return isProved(proof) ? ExitCode.OK : ExitCode.FAILED;
  } catch (error) {
    // Ctrl-C in a terminal reaches the children as well, so whatever is under way fails because of it.
    if (!signal.aborted) throw error;
    return ExitCode.FAILED;
  }
}

/** Exactly one document on standard output, whatever happens. */
async function proveAsJson(audit: typeof proveGateway, signal: AbortSignal): Promise<ExitCode> {
  let outcome: Readonly<Record<string, unknown>>;
  try {
    outcome = asJson(await audit(signal));
  } catch (error) {
    outcome = { ok: false, error: messageOf(signal.aborted ? signal.reason : error) };
  }
  writeJson({ products: { gateway: outcome } });
  return outcome['ok'] === true ? ExitCode.OK : ExitCode.FAILED;
}

/** The proof as one JSON object. */
function asJson(proof: GatewayProof): Readonly<Record<string, unknown>> {
  return {
    ok: isProved(proof),
    knowledge: proof.rows.map(({ fact, cells, wrong }) => ({ fact, ...cells, ok: wrong.length === 0, wrong })),
    checks: proof.checks.map(({ name, what, wrong, skipped }) => ({
      name,
      what,
      ok: wrong.length === 0,
      wrong,
      ...(skipped === undefined ? {} : { skipped }),
    })),
  };
}

/** The proof for people. */
function proofText(proof: GatewayProof): string {
  const head = ['who may know what', ...PARTIES].map((title) => styled('bold', title));
  const body = proof.rows.map((row) => [row.fact, ...PARTIES.map((party) => cell(row, party))]);
  const wrong = [...proof.rows.flatMap((row) => row.wrong.map((one) => `${row.fact}: ${one}`)), ...wrongOf(proof)];
  const verdict =
    wrong.length === 0
      ? 'No party could link who with what.\n'
      : `${styled('red', 'A promise is broken, or was not tested:')}\n${wrong.map((one) => `  ${one}\n`).join('')}`;
  return `${columns([head, ...body], '  ')}\n${columns(proof.checks.map(checkLine))}\n${verdict}`;
}

function cell(row: Row, party: Party): string {
  const { expected, found } = row.cells[party];
  if (expected === 'not judged') return styled('dim', '·');
  if (expected === 'known') return found === 'all' ? styled('green', 'yes') : styled('red', 'MISSING');
  return found === 'none' ? styled('dim', 'no') : styled('red', 'LEAK');
}

function checkLine({ what, wrong, skipped }: Check): readonly string[] {
  if (skipped !== undefined) return [styled('yellow', '-'), what, `not looked at: ${skipped}`];
  if (wrong.length > 0) return [styled('red', '✗'), what, styled('red', 'not as promised')];
  return [styled('green', '✓'), what, 'as promised'];
}

function wrongOf({ checks }: GatewayProof): readonly string[] {
  return checks.flatMap(({ wrong }) => wrong);
}
