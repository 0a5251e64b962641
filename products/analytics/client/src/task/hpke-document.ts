/** HPKE configurations as they stand in task documents. */
import { toBase64Url } from '@privacy-edge/bytes';
import { type HpkeConfig, isConfigUsable } from '@privacy-edge/dap';
import { Fields, invalidTask } from './fields.ts';

/** An HPKE configuration, readable. */
export interface HpkeConfigDocument {
  readonly id: number;
  readonly kem: number;
  readonly kdf: number;
  readonly aead: number;
  /** base64url */
  readonly publicKey: string;
}

/** Writes a configuration. */
export function formatHpkeConfig({ id, kemId, kdfId, aeadId, publicKey }: HpkeConfig): HpkeConfigDocument {
  return { id, kem: kemId, kdf: kdfId, aead: aeadId, publicKey: toBase64Url(publicKey) };
}

/**
 * Reads a configuration.
 *
 * @param value - parsed JSON or YAML, from anywhere
 * @param path - where it stands
 * @throws {@link AnalyticsError} `TASK_INVALID`, also when nobody here can seal to it
 */
export function readHpkeConfig(value: unknown, path: string): HpkeConfig {
  const fields = new Fields(value, path);
  const config: HpkeConfig = {
    id: fields.integer('id', 0, 255),
    kemId: fields.integer('kem', 0, 65_535),
    kdfId: fields.integer('kdf', 0, 65_535),
    aeadId: fields.integer('aead', 0, 65_535),
    publicKey: fields.bytes('publicKey'),
  };
  fields.end();
  if (!isConfigUsable(config)) throw invalidTask(path, 'has algorithms or a key that are not usable here');
  return config;
}
