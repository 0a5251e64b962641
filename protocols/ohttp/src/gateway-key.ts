/** A gateway's private key, prepared for every suite it offers. RFC 9458 §3. */
import { type Awaitable, andThen } from '@privacy-edge/bytes';
import { type PrivateKey, prepareRecipient, type RecipientSetup, type Suite, suiteOf } from '@privacy-edge/hpke';
import { isSuiteUsable, type KeyConfig, type SymmetricSuite } from './key-config.ts';
import { CHUNKED_LABELS, encodeHeader, type Labels, requestInfo, WHOLE_LABELS } from './labels.ts';
import { OhttpError } from './ohttp-error.ts';

/** What a gateway holds for one of the suites it offers with a key. */
export interface PreparedSuite {
  readonly suite: SymmetricSuite;
  readonly hpke: Suite;
  /** For `message/ohttp-req`. */
  readonly whole: RecipientSetup;
  /** For `message/ohttp-chunked-req`. */
  readonly chunked: RecipientSetup;
}

/** One key of a gateway. */
export class GatewayKey {
  /** The public half, as published. */
  readonly config: KeyConfig;
  /** Labels of whole messages. */
  readonly labels: Labels;
  readonly #prepared: readonly PreparedSuite[];

  /** Made by {@link createGatewayKey}. */
  constructor(config: KeyConfig, labels: Labels, prepared: readonly PreparedSuite[]) {
    this.config = config;
    this.labels = labels;
    this.#prepared = prepared;
  }

  /** The prepared suite, if this key offers it; a suite that would work but is not offered is refused (RFC 9458 §4.3). */
  find(kdfId: number, aeadId: number): PreparedSuite | undefined {
    for (const prepared of this.#prepared) {
      if (prepared.suite.kdfId === kdfId && prepared.suite.aeadId === aeadId) return prepared;
    }
    return undefined;
  }
}

/** What makes a gateway key. */
export interface GatewayKeyInit {
  /** 0 to 255, unique among the gateway's keys. */
  readonly keyId: number;
  readonly privateKey: PrivateKey;
  /** In order of preference, at least one. */
  readonly suites: readonly SymmetricSuite[];
  /** Only for protocols that carry something else than Binary HTTP. */
  readonly labels?: Labels;
}

/**
 * Prepares a key for all its suites.
 *
 * @throws {@link OhttpError} `CONFIG_UNUSABLE` for a key identifier out of range, no suites, or one Oblivious HTTP cannot use
 */
export function createGatewayKey(init: GatewayKeyInit): Awaitable<GatewayKey> {
  const { keyId, privateKey, suites, labels = WHOLE_LABELS } = init;
  const kemId = privateKey.kem.id;
  if (!Number.isInteger(keyId) || keyId < 0 || keyId > 255) {
    throw new OhttpError('CONFIG_UNUSABLE', 'Cannot create gateway key: its identifier must be 0 to 255');
  }
  if (suites.length === 0 || !suites.every((suite) => isSuiteUsable(kemId, suite))) {
    throw new OhttpError(
      'CONFIG_UNUSABLE',
      'Cannot create gateway key: it needs at least one suite, and only supported ones',
    );
  }
  const config: KeyConfig = { keyId, kemId, publicKey: privateKey.publicKey.bytes, suites };
  return andThen(prepareAll(privateKey, config, labels, 0, []), (prepared) => new GatewayKey(config, labels, prepared));
}

function prepareAll(
  privateKey: PrivateKey,
  config: KeyConfig,
  labels: Labels,
  from: number,
  prepared: PreparedSuite[],
): Awaitable<readonly PreparedSuite[]> {
  const suite = config.suites[from];
  if (suite === undefined) return prepared;
  const hpke = suiteOf(config.kemId, suite.kdfId, suite.aeadId);
  const header = encodeHeader(config.keyId, config.kemId, suite);
  return andThen(prepareRecipient(hpke, privateKey, requestInfo(labels.request, header)), (whole) =>
    andThen(prepareRecipient(hpke, privateKey, requestInfo(CHUNKED_LABELS.request, header)), (chunked) => {
      prepared.push({ suite, hpke, whole, chunked });
      return prepareAll(privateKey, config, labels, from + 1, prepared);
    }),
  );
}
