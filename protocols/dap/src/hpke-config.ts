/** HPKE configurations. DAP §4.4.1. */
import { type Codec, DecodeError, Reader, Writer } from '@privacy-edge/bytes';
import { AEAD_EXPORT_ONLY, isSuiteSupported, kemById } from '@privacy-edge/hpke';
import { codec, type Fields, readToEnd, writeEach } from './codec.ts';
import { DapError } from './dap-error.ts';

/** A public key, and the algorithms that go with it. */
export interface HpkeConfig {
  /** Chosen by the owner, distinct among its configurations: 8 bits. */
  readonly id: number;
  /** HPKE registries, 16 bits each. */
  readonly kemId: number;
  readonly kdfId: number;
  readonly aeadId: number;
  /** Serialised for the KEM. Not validated as a point until it is used; may be anything for an unknown KEM. */
  readonly publicKey: Uint8Array;
}

const hpkeConfigFields: Fields<HpkeConfig> = {
  read: (reader) => ({
    id: reader.u8(),
    kemId: reader.u16(),
    kdfId: reader.u16(),
    aeadId: reader.u16(),
    publicKey: reader.vector(2),
  }),
  write: (writer, { id, kemId, kdfId, aeadId, publicKey }) => {
    writer.u8(id).u16(kemId).u16(kdfId).u16(aeadId).vector(2, publicKey);
  },
};

/**
 * struct { HpkeConfigId id; HpkeKemId kem_id; HpkeKdfId kdf_id; HpkeAeadId aead_id; HpkePublicKey public_key; }
 *                                                                                                        DAP §4.4.1
 *
 * What is decoded shares memory with the input.
 */
export const HpkeConfig: Codec<HpkeConfig> = codec('HPKE configuration', hpkeConfigFields);

const hpkeConfigListFields: Fields<readonly HpkeConfig[]> = {
  read: (reader) => {
    const configs = readToEnd(new Reader(reader.vector(2), 'list of HPKE configurations'), hpkeConfigFields);
    if (configs.length === 0) throw new DecodeError('INVALID', 'The list of HPKE configurations is empty');
    return configs;
  },
  write: (writer, configs) => {
    if (configs.length === 0) throw new RangeError('A list of HPKE configurations has at least one');
    const list = new Writer(64 * configs.length);
    writeEach(list, hpkeConfigFields, configs);
    writer.vector(2, list.finish());
  },
};

/**
 * HpkeConfig HpkeConfigList<10..2^16-1>, in decreasing order of preference. An empty list is refused; entries with
 * algorithms that nobody here knows are decoded and passed over later.                                   DAP §4.4.1
 *
 * What is decoded shares memory with the input.
 */
export const HpkeConfigList: Codec<readonly HpkeConfig[]> = codec(
  'list of HPKE configurations',
  hpkeConfigListFields,
  'hpke-config-list',
);

/** Whether shares can be sealed to a configuration here, as far as can be told without using its key. */
export function isConfigUsable({ kemId, kdfId, aeadId, publicKey }: HpkeConfig): boolean {
  return (
    aeadId !== AEAD_EXPORT_ONLY && isSuiteSupported(kemId, kdfId, aeadId) && publicKey.length === kemById(kemId).Npk
  );
}

/**
 * The first configuration that can be used. One that shares its identifier with another is passed over: the aggregator
 * could not tell which key a share is for.
 *
 * @param configs - from an aggregator
 * @throws {@link DapError} `CONFIG_UNUSABLE` when there is none: the client must not upload
 * @see DAP §4.4.1
 */
export function selectHpkeConfig(configs: readonly HpkeConfig[]): HpkeConfig {
  const found = configs.find(
    (config) => isConfigUsable(config) && !configs.some((other) => other !== config && other.id === config.id),
  );
  if (found === undefined) {
    throw new DapError('CONFIG_UNUSABLE', 'Cannot seal shares: no HPKE configuration of the list is usable here');
  }
  return found;
}
