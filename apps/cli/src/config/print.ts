/** A configuration as it is used: defaults and environment filled in, secrets left out. */
import { stringify } from 'yaml';
import { type Environment, SECRET_VARIABLES } from './environment.ts';
import type { DeploymentConfig, PaddingSection } from './types.ts';

/**
 * The keys that count: those of padding policies that are not chosen say nothing about what a gateway does. It reads back as
 * a configuration that means the same.
 */
export function usedConfig(config: DeploymentConfig): object {
  const { gateway } = config;
  if (gateway === undefined) return config;
  const { policy, ...sizes } = gateway.padding;
  const key = POLICY_KEYS[policy];
  const padding = key === undefined ? { policy } : { policy, [key]: sizes[key] };
  return { ...config, gateway: { ...gateway, padding } };
}

const POLICY_KEYS: Readonly<Record<PaddingSection['policy'], Exclude<keyof PaddingSection, 'policy'> | undefined>> = {
  none: undefined,
  'power-of-two': 'minimum',
  multiple: 'multiple',
  buckets: 'buckets',
};

/**
 * YAML of a resolved configuration, as far as {@link usedConfig} keeps it.
 *
 * @param environment - variables with secrets are named, never shown
 */
export function printConfig(config: DeploymentConfig, environment: Environment): string {
  const notes = Object.values(SECRET_VARIABLES)
    .filter((variable) => environment[variable] !== undefined)
    .map((variable) => `# ${variable} is set: [secret]\n`);
  return notes.join('') + stringify(usedConfig(config), { lineWidth: 100 });
}
