/** Chromium for the tests. */
import { accessSync, constants } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

/** Where a browser may be; the first is what `scripts/ensure-tools.ts` found. */
const PLACES = [process.env['PRIVACY_EDGE_CHROMIUM'], '/usr/bin/chromium', '/usr/bin/google-chrome'];

/** Path of a Chromium; undefined where there is none. */
const chromiumPath: string | undefined = PLACES.find((path) => path !== undefined && executable(path));

/** Why browser tests are skipped; false where they run. On a CI machine they always run, and fail without a browser. */
export const skipBrowser: string | false =
  chromiumPath === undefined && process.env['CI'] !== 'true' && 'Chromium is not installed (Debian package chromium)';

/**
 * Starts a browser that talks to nobody by itself.
 *
 * @param spkiList - certificates to accept, as `--ignore-certificate-errors-spki-list` takes them
 */
export function launchBrowser(spkiList: string): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumPath ?? '/usr/bin/chromium',
    headless: true,
    // It refuses to run as root inside of its sandbox.
    chromiumSandbox: false,
    args: [
      `--ignore-certificate-errors-spki-list=${spkiList}`,
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
