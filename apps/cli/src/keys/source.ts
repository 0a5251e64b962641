/** Where the keys of a command or a gateway come from: a key file, a seed file, or a variable. */
import { resolve } from 'node:path';
import { utf8 } from '@privacy-edge/bytes';
import { type GatewayKeys, KeySchedule, type KeyScheduleState } from '@privacy-edge/gateway-roles';
import { KDF_HKDF_SHA256, kdfById } from '@privacy-edge/hpke';
import { CliError } from '../cli-error.ts';
import { type Environment, SECRET_VARIABLES } from '../config/environment.ts';
import { requireConfig } from '../config/load.ts';
import type { KeysSection } from '../config/types.ts';
import { readKeyFile, readSecret } from './key-file.ts';
import { parseSeed, parseSeedFile, type ScheduleSettings, SeedKeys, scheduleSettings } from './seed.ts';

/** Secrets that a gateway's keys are made from; can be given to another thread. */
export type KeyMaterial = {
  /** 32 secret bytes, the same in every process with the same keys. */
  readonly shared: Uint8Array;
} & (
  | { readonly kind: 'schedule'; readonly state: KeyScheduleState; readonly file: string }
  | { readonly kind: 'seed'; readonly seed: Uint8Array; readonly settings: ScheduleSettings }
);

/**
 * Reads the key material that a configuration names.
 *
 * @param keys - the `keys` section
 * @param folder - that relative file names start from
 * @throws {@link CliError} `USAGE`
 */
export async function readKeyMaterial(
  keys: KeysSection,
  folder: string,
  environment: Environment,
): Promise<KeyMaterial> {
  if (keys.file !== undefined) {
    const file = resolve(folder, keys.file);
    return { kind: 'schedule', file, ...(await readKeyFile(file)) };
  }
  const seed = await readSeed(keys, folder, environment);
  const kdf = kdfById(KDF_HKDF_SHA256);
  const label = utf8('privacy-edge ohttp shared');
  const shared = await kdf.expand(await kdf.extract(label, seed), label, 32);
  return { kind: 'seed', seed, settings: scheduleSettings(keys), shared };
}

/** The keys that follow from key material. */
export function openKeys(material: KeyMaterial): GatewayKeys {
  return material.kind === 'seed' ? new SeedKeys(material.seed, material.settings) : new KeySchedule(material.state);
}

async function readSeed(keys: KeysSection, folder: string, environment: Environment): Promise<Uint8Array> {
  if (keys.seedFile !== undefined) {
    const file = resolve(folder, keys.seedFile);
    return parseSeedFile(await readSecret(file, 'make one with "openssl rand -hex 32", mode 600'), file);
  }
  return parseSeed(environment[SECRET_VARIABLES.gatewaySeed] ?? '', SECRET_VARIABLES.gatewaySeed);
}

/**
 * Opens the keys that a command line names: a key file, or the configuration's.
 *
 * @throws {@link CliError} `USAGE`
 */
export async function openNamedKeys(file: string | undefined, config: string | undefined): Promise<GatewayKeys> {
  if (file !== undefined) return new KeySchedule((await readKeyFile(file)).state);
  const loaded = await requireConfig({ file: config, environment: process.env, sections: ['gateway'] });
  const { gateway } = loaded.config;
  if (gateway === undefined)
    throw new CliError('USAGE', {
      what: 'Cannot find keys',
      why: `${loaded.file} has no gateway section`,
      fix: 'name a key file',
    });
  return openKeys(await readKeyMaterial(gateway.keys, loaded.folder, process.env));
}
