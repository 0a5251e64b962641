/** What is inside of a sealed input share. DAP §4.4.2.1. */
import { type Codec, DecodeError } from '@privacy-edge/bytes';
import { codec, type Fields } from './codec.ts';
import { type Extension, extensionsFields, isSorted } from './extension.ts';
import { readNonEmpty, writeNonEmpty } from './field.ts';

/** One aggregator's part of a report. Secret to it and the client. */
export interface PlaintextInputShare {
  /** Extensions for this aggregator only, in strictly increasing order. */
  readonly privateExtensions: readonly Extension[];
  /** The VDAF's encoded input share. */
  readonly payload: Uint8Array;
}

const plaintextInputShareFields: Fields<PlaintextInputShare> = {
  read: (reader) => {
    const privateExtensions = extensionsFields.read(reader);
    if (!isSorted(privateExtensions)) throw new DecodeError('INVALID', 'The private extensions are out of order');
    return { privateExtensions, payload: readNonEmpty(reader, 4, 'input share') };
  },
  write: (writer, { privateExtensions, payload }) => {
    extensionsFields.write(writer, privateExtensions);
    writeNonEmpty(writer, 4, payload, 'input share');
  },
};

/**
 * struct { Extension private_extensions<0..2^16-1>; opaque payload<1..2^32-1>; } PlaintextInputShare;  DAP §4.4.2.1
 *
 * What is decoded shares memory with the input.
 */
export const PlaintextInputShare: Codec<PlaintextInputShare> = codec('input share', plaintextInputShareFields);
