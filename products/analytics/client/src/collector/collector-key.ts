/** The collector's key. DAP §4.6.7. */
import { type Awaitable, replaceErrors, toBase64Url } from '@privacy-edge/bytes';
import { generateHpkeKey, type HpkeKey, importHpkeKey, type RandomSource, systemRandom } from '@privacy-edge/dap';
import { exportPrivateKey } from '@privacy-edge/hpke';
import { Fields, invalidTask } from '../task/fields.ts';
import { formatHpkeConfig, type HpkeConfigDocument, readHpkeConfig } from '../task/hpke-document.ts';

/** A key as JSON. Secret. */
export interface CollectorKeyDocument {
  readonly format: 'privacy-edge-collector-key';
  readonly version: 1;
  readonly hpke: HpkeConfigDocument;
  /** base64url */
  readonly privateKey: string;
}

/**
 * A new key. Whoever makes a task needs its `config`, and nobody but the collector the rest: printing it shows nothing,
 * and nothing in this package sends it anywhere.
 *
 * @param id - 0 to 255; default 1
 * @param random - cryptographic generator; default the runtime's
 */
export function generateCollectorKey(id: number = 1, random: RandomSource = systemRandom): Awaitable<HpkeKey> {
  return generateHpkeKey(id, random);
}

/** The key as plain data: whoever writes it down is in charge of it. */
export function formatCollectorKey({ config, privateKey }: HpkeKey): CollectorKeyDocument {
  return {
    format: 'privacy-edge-collector-key',
    version: 1,
    hpke: formatHpkeConfig(config),
    privateKey: toBase64Url(exportPrivateKey(privateKey)),
  };
}

/**
 * Reads a key.
 *
 * @param document - parsed JSON or YAML
 * @throws {@link AnalyticsError} `TASK_INVALID`; no value is told
 */
export function parseCollectorKey(document: unknown): Awaitable<HpkeKey> {
  const fields = new Fields(document, '');
  fields.choice('format', ['privacy-edge-collector-key']);
  fields.integer('version', 1, 1);
  const config = readHpkeConfig(fields.any('hpke'), 'hpke');
  const secret = fields.bytes('privateKey');
  fields.end();
  return replaceErrors(
    () => importHpkeKey(config, secret),
    () => invalidTask('privateKey', 'does not belong to the public key'),
  );
}
