/** Extensions: of reports, tasks, aggregation jobs and collection jobs. DAP §4.2.2, §4.4.3, §4.5.1 and §4.6.2. */
import { Reader, Writer } from '@privacy-edge/bytes';
import { type Fields, readToEnd, writeEach } from './codec.ts';

/** One extension; which registry its type is from depends on where it stands. */
export interface Extension {
  /** 16 bits. */
  readonly extensionType: number;
  /** Encoded as the extension says. */
  readonly extensionData: Uint8Array;
}

const extensionFields: Fields<Extension> = {
  read: (reader) => ({ extensionType: reader.u16(), extensionData: reader.vector(2) }),
  write: (writer, { extensionType, extensionData }) => {
    writer.u16(extensionType).vector(2, extensionData);
  },
};

/**
 * A list of extensions behind a 16-bit length. Order and repetition are not judged here: each place answers with an error
 * of its own.
 */
export const extensionsFields: Fields<readonly Extension[]> = {
  read: (reader) => readToEnd(new Reader(reader.vector(2), 'list of extensions'), extensionFields),
  write: (writer, extensions) => {
    const list = new Writer();
    writeEach(list, extensionFields, extensions);
    writer.vector(2, list.finish());
  },
};

/** Whether types increase strictly, so that none is repeated either. */
export function isSorted(extensions: readonly Extension[]): boolean {
  let last = -1;
  for (const { extensionType } of extensions) {
    if (extensionType <= last) return false;
    last = extensionType;
  }
  return true;
}

/** Types that are not among those known, in the order in which they stand. */
export function unknownTypes(extensions: readonly Extension[], known: ReadonlySet<number>): number[] {
  return extensions.map(({ extensionType }) => extensionType).filter((type) => !known.has(type));
}
