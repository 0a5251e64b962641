/** What the messages of this package have in common: a reading and a writing half, so that one nests in another. */
import { type Codec, Reader, Writer } from '@privacy-edge/bytes';
import type { MessageName } from './media-type.ts';
import { mediaTypeOf } from './media-type.ts';

/** How a message is read and written inside of another. */
export interface Fields<T> {
  /** Takes exactly the bytes of one value; what it returns shares memory with the reader's input. */
  read(reader: Reader): T;
  /** Appends one value. */
  write(writer: Writer, value: T): void;
}

/**
 * The codec of a whole message.
 *
 * @param what - the message, for error messages
 * @param name - of the `message` parameter of its media type, where it has one
 */
export function codec<T>(what: string, { read, write }: Fields<T>, name?: MessageName): Codec<T> {
  return {
    ...(name !== undefined && { mediaType: mediaTypeOf(name) }),
    encode(value) {
      const writer = new Writer(256);
      write(writer, value);
      return writer.finish();
    },
    decode(bytes) {
      const reader = new Reader(bytes, what);
      const value = read(reader);
      reader.end();
      return value;
    },
  };
}

/** Values back to back to the end of the input: there is one for every few bytes at most, so memory is bounded by it. */
export function readToEnd<T>(reader: Reader, { read }: Fields<T>): T[] {
  const values: T[] = [];
  while (reader.remaining > 0) values.push(read(reader));
  return values;
}

/** Writes values back to back. */
export function writeEach<T>(writer: Writer, { write }: Fields<T>, values: readonly T[]): void {
  for (const value of values) write(writer, value);
}
