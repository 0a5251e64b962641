/** A configuration as it is used: defaults and environment filled in, secrets left out. */
import { stringify } from 'yaml';
import { type Environment, SECRET_VARIABLES } from './environment.ts';
import type { DeploymentConfig } from './types.ts';

/**
 * YAML of a resolved configuration. It reads back as the same configuration.
 *
 * @param environment - variables with secrets are named, never shown
 */
export function printConfig(config: DeploymentConfig, environment: Environment): string {
  const notes = Object.values(SECRET_VARIABLES)
    .filter((variable) => environment[variable] !== undefined)
    .map((variable) => `# ${variable} is set: [secret]\n`);
  return notes.join('') + stringify(config, { lineWidth: 100 });
}
