/** `privacy-edge version`. */
import { ExitCode } from './exit-code.ts';
import { writeJson, writeOut } from './output.ts';
import { packageVersion } from './package-version.ts';
import { columns } from './table.ts';

/** Prints the versions that a bug report needs. */
export async function showVersion(options: { json?: boolean }): Promise<ExitCode> {
  const versions = {
    'privacy-edge': packageVersion(),
    node: process.versions.node,
    openssl: process.versions.openssl,
    platform: `${process.platform} ${process.arch}`,
  };
  if (options.json === true) writeJson(versions);
  else writeOut(columns(Object.entries(versions)));
  return ExitCode.OK;
}
