export { type Awaitable, andThen, isPromiseLike } from './awaitable.ts';
export type { Codec } from './codec.ts';
export { concatBytes, equalBytes, joinBytes } from './compare.ts';
export { DecodeError, type DecodeErrorCode } from './decode-error.ts';
export { Reader } from './reader.ts';
export { Secret } from './secret.ts';
export { fromBase64Url, fromHex, fromUtf8, latin1, toBase64Url, toHex, utf8, writeLatin1 } from './text.ts';
export { encodeVarint, type ReadVarint, tryReadVarint, varintLength, writeVarint } from './varint.ts';
export { Writer } from './writer.ts';
