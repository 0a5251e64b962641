/** Sealed messages. DAP §4.1. */
import type { Codec } from '@privacy-edge/bytes';
import { codec, type Fields } from './codec.ts';
import { readNonEmpty, writeNonEmpty } from './field.ts';

/** A message sealed with HPKE and what is needed to open it. */
export interface HpkeCiphertext {
  /** Which of the recipient's configurations it is for: 8 bits. */
  readonly configId: number;
  /** Encapsulated secret. */
  readonly enc: Uint8Array;
  /** Ciphertext. */
  readonly payload: Uint8Array;
}

/** How an {@link HpkeCiphertext} stands inside of other messages. */
export const hpkeCiphertextFields: Fields<HpkeCiphertext> = {
  read: (reader) => ({
    configId: reader.u8(),
    enc: readNonEmpty(reader, 2, 'encapsulated secret'),
    payload: readNonEmpty(reader, 4, 'ciphertext'),
  }),
  write: (writer, { configId, enc, payload }) => {
    writer.u8(configId);
    writeNonEmpty(writer, 2, enc, 'encapsulated secret');
    writeNonEmpty(writer, 4, payload, 'ciphertext');
  },
};

/**
 * struct { HpkeConfigId config_id; opaque enc<1..2^16-1>; opaque payload<1..2^32-1>; } HpkeCiphertext;    DAP §4.1
 *
 * What is decoded shares memory with the input.
 */
export const HpkeCiphertext: Codec<HpkeCiphertext> = codec('sealed message', hpkeCiphertextFields);
