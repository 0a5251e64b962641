/** The checks on a page of an installed Chromium. */

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';
import { ToolchainMissing } from '../toolchain.ts';
import { bundle } from './bundle.ts';
import type { Outcome, World } from './checks.ts';
import type { Trust } from './network.ts';
import { listen } from './target.ts';

const PLACES = [process.env['PRIVACY_EDGE_CHROMIUM'], '/usr/bin/chromium', '/usr/bin/google-chrome'];
const SCRIPT = 'page.js';

/** @throws {ToolchainMissing} when there is none */
export async function chromiumVersion(): Promise<string> {
  const { stdout } = await promisify(execFile)(pathOfChromium(), ['--version']);
  return /[\d.]+/.exec(stdout)?.[0] ?? stdout.trim();
}

function pathOfChromium(): string {
  const path = PLACES.find((place) => place !== undefined && existsSync(place));
  if (path !== undefined) return path;
  throw new ToolchainMissing('Cannot run Chromium: it is not installed (Debian package chromium)');
}

/** Runs them on a page of another origin than all others, so that every request needs the permission of CORS. */
export async function runInChromium(world: World, { spkiList }: Trust): Promise<Outcome[]> {
  const files = await bundle((checks) => `export { runChecks } from ${checks};`, SCRIPT, ['browser', 'import']);
  const page = await listen(pageServer(files));
  const browser = await chromium.launch({
    executablePath: pathOfChromium(),
    // It refuses to run as root inside of its sandbox.
    chromiumSandbox: false,
    args: [`--ignore-certificate-errors-spki-list=${spkiList}`, '--disable-background-networking', '--no-first-run'],
  });
  try {
    const tab = await browser.newPage();
    await tab.goto(page.origin);
    return await tab.evaluate(
      async ([script, given]) => ((await import(script)) as typeof import('./checks.ts')).runChecks(given),
      [`/${SCRIPT}`, world] as const,
    );
  } finally {
    await browser.close();
    await page.close();
  }
}

function pageServer(files: ReadonlyMap<string, string>): RequestListener {
  return ({ url = '' }, response) => {
    const code = files.get(url.slice(1));
    response.setHeader('content-type', code === undefined ? 'text/html' : 'text/javascript');
    response.end(code ?? '<!doctype html><title>Checks</title>');
  };
}
