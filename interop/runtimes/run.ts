/**
 * `createObliviousFetch` in JavaScript runtimes, each against a relay and a gateway that are processes of this kit.
 *
 *     npm run interop:runtimes                  everything
 *     npm run interop:runtimes -- --only deno   one runtime
 *
 * Exit codes: 0 all passed, 1 something failed, 2 a runtime cannot be installed, or bad arguments.
 */

import { inspect, parseArgs } from 'node:util';
import { ToolchainMissing } from '../toolchain.ts';
import { type Network, startNetwork } from './network.ts';
import { findRuntimes, type Runtime } from './runtimes.ts';

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  const badArguments = error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
  process.exitCode = error instanceof ToolchainMissing || badArguments ? 2 : 1;
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { only: { type: 'string', default: '' } } });
  const runtimes = (await findRuntimes((line) => console.error(line))).filter(({ name }) => name.includes(values.only));
  const tally = { passed: 0, failed: 0 };
  const network = await startNetwork();
  try {
    for (const runtime of runtimes) await checkRuntime(runtime, network, tally);
  } finally {
    await network.stop();
  }
  console.log(`${tally.passed} passed, ${tally.failed} failed, 0 skipped`);
  return tally.failed === 0 && tally.passed > 0 ? 0 : 1;
}

async function checkRuntime(
  runtime: Runtime,
  network: Network,
  tally: { passed: number; failed: number },
): Promise<void> {
  const title = `${runtime.name} ${runtime.version}`;
  try {
    for (const { name, error } of await runtime.run(await network.world(runtime.name), network.trust)) {
      console.log(error === undefined ? `ok   ${title}, ${name}` : `FAIL ${title}, ${name}\n     ${error}`);
      tally[error === undefined ? 'passed' : 'failed'] += 1;
    }
  } catch (error) {
    console.log(`FAIL ${title}\n     ${error instanceof Error ? error.message : inspect(error)}`);
    tally.failed += 1;
  }
}
