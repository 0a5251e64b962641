/** Key configurations. RFC 9458 §3. */
import { type Codec, concatBytes, DecodeError, joinBytes, Reader, uint16 } from '@privacy-edge/bytes';
import { AEAD_EXPORT_ONLY, isKemSupported, isSuiteSupported, kemById } from '@privacy-edge/hpke';
import { MEDIA_TYPE_KEYS } from './media-types.ts';

/** A KDF and an AEAD that go together, by their HPKE registry numbers. */
export interface SymmetricSuite {
  readonly kdfId: number;
  readonly aeadId: number;
}

/** A gateway's public key and what may be used with it. RFC 9458 §3.1. */
export interface KeyConfig {
  /** 0 to 255. */
  readonly keyId: number;
  /** HPKE KEM, 16 bits. */
  readonly kemId: number;
  /** Serialised for the KEM, `Npk` bytes. Not validated as a point until it is used. */
  readonly publicKey: Uint8Array;
  /** In the gateway's order; may hold pairs this implementation does not know. */
  readonly suites: readonly SymmetricSuite[];
}

/** What a list of key configurations holds. */
export interface KeyConfigCollection {
  /** Configurations whose KEM is known here, in the gateway's order of preference. */
  readonly usable: readonly KeyConfig[];
  /** How many others were skipped. */
  readonly skipped: number;
}

/**
 * HPKE Symmetric Algorithms { HPKE KDF ID (16), HPKE AEAD ID (16) }
 *
 * Key Config { Key Identifier (8), HPKE KEM ID (16), HPKE Public Key (Npk * 8),
 *              HPKE Symmetric Algorithms Length (16) = 4..65532, HPKE Symmetric Algorithms (32) ... }    RFC 9458 §3.1
 */
export const KeyConfig: Codec<KeyConfig> = { encode: encodeKeyConfig, decode: decodeKeyConfig };

/**
 * `KeyConfig.encode`, for who needs nothing else.
 *
 * @param config - numbers in their ranges
 * @throws {RangeError} for a number that is too large
 */
export function encodeKeyConfig({ keyId, kemId, publicKey, suites }: KeyConfig): Uint8Array {
  if (keyId !== (keyId & 0xff)) throw new RangeError(`A key identifier is 0 to 255, not ${keyId}`);
  const pairs = suites.flatMap(({ kdfId, aeadId }) => [kdfId, aeadId]);
  return concatBytes(Uint8Array.of(keyId), uint16(kemId), publicKey, uint16(2 * pairs.length, ...pairs));
}

function decodeKeyConfig(bytes: Uint8Array): KeyConfig {
  const config = decodeIfKnown(bytes);
  if (config === undefined) throw new DecodeError('INVALID', 'The key configuration uses an unknown KEM');
  return config;
}

/** Undefined for a KEM that is unknown here: without its key length the rest cannot be read. */
function decodeIfKnown(bytes: Uint8Array): KeyConfig | undefined {
  const reader = new Reader(bytes, 'key configuration');
  const keyId = reader.u8();
  const kemId = reader.u16();
  if (!isKemSupported(kemId)) return undefined;
  const publicKey = reader.bytes(kemById(kemId).Npk).slice();
  const list = reader.vector(2);
  reader.end();
  if (list.length < 4 || list.length % 4 !== 0) {
    throw new DecodeError('INVALID', 'The key configuration has no whole number of symmetric algorithms');
  }
  const pairs = new Reader(list, 'list of symmetric algorithms');
  const suites: SymmetricSuite[] = [];
  while (pairs.remaining > 0) suites.push({ kdfId: pairs.u16(), aeadId: pairs.u16() });
  return { keyId, kemId, publicKey, suites };
}

/** A list of key configurations, each behind a 16-bit length: `application/ohttp-keys`. RFC 9458 §3.2. */
export const KeyConfigList: {
  readonly mediaType: string;
  encode(configs: readonly KeyConfig[]): Uint8Array;
  /** {@link decodeKeyConfigList} */
  decode(bytes: Uint8Array): KeyConfigCollection;
} = { mediaType: MEDIA_TYPE_KEYS, encode: encodeKeyConfigList, decode: decodeKeyConfigList };

function encodeKeyConfigList(configs: readonly KeyConfig[]): Uint8Array {
  return joinBytes(configs.map(encodeKeyConfig).flatMap((bytes) => [uint16(bytes.length), bytes]));
}

/**
 * `KeyConfigList.decode`, for who needs nothing else.
 *
 * It throws for any malformed entry, and the caller must then use none of the list: gateways could otherwise tell clients
 * apart by which damaged entries they manage to read.
 *
 * @param bytes - attacker-controlled
 * @throws {@link DecodeError}
 * @see RFC 9458 §3.2
 */
export function decodeKeyConfigList(bytes: Uint8Array): KeyConfigCollection {
  const reader = new Reader(bytes, 'list of key configurations');
  const usable: KeyConfig[] = [];
  let skipped = 0;
  // RFC 9458 §3.2: one or more.
  if (reader.remaining === 0) throw new DecodeError('TRUNCATED', 'The list of key configurations is empty');
  while (reader.remaining > 0) {
    const config = decodeIfKnown(reader.vector(2));
    if (config === undefined) skipped++;
    else usable.push(config);
  }
  return { usable, skipped };
}

/** A configuration and the one of its suites that a client will use. */
export interface SelectedSuite {
  readonly config: KeyConfig;
  readonly suite: SymmetricSuite;
}

/**
 * Whether Oblivious HTTP can use a combination: one this kit's HPKE has, and whose AEAD can seal.
 *
 * @see RFC 9458 §4.4: responses need a two-stage KDF and an AEAD key, which export-only lacks
 */
export function isSuiteUsable(kemId: number, suite: SymmetricSuite): boolean {
  return suite.aeadId !== AEAD_EXPORT_ONLY && isSuiteSupported(kemId, suite.kdfId, suite.aeadId);
}

/**
 * Chooses the first usable configuration and, in it, the first usable suite.
 *
 * Configurations that share a key identifier are passed over: a gateway could not tell which key a request is for.
 *
 * @param accept - narrows the choice, for clients with a preference; default takes everything usable
 * @returns undefined when nothing in the list can be used
 */
export function selectSuite(
  configs: readonly KeyConfig[],
  accept: (kemId: number, suite: SymmetricSuite) => boolean = () => true,
): SelectedSuite | undefined {
  for (const config of configs) {
    if (configs.some((other) => other !== config && other.keyId === config.keyId)) continue;
    const suite = config.suites.find((pair) => isSuiteUsable(config.kemId, pair) && accept(config.kemId, pair));
    if (suite !== undefined) return { config, suite };
  }
  return undefined;
}
