/**
 * Secrets at rest. With keys, columns that hold secrets are sealed with AES-256-GCM under nonces of 192 bits: the first half of
 * a nonce derives a key, as in XAES-256-GCM, so that neither the number of messages nor of processes under one key needs counting.
 * What is sealed is tied to its place: a sealed value that is copied into another row or column does not open.
 *
 * A stored value is `0x00 ‖ secret` without keys, or `0x01 ‖ key name[4] ‖ nonce[24] ‖ ciphertext ‖ tag[16]`.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { concatBytes } from '@privacy-edge/bytes';
import { SqlError } from './sql-error.ts';

/** Bytes of a column key. */
export const COLUMN_KEY_BYTES = 32;

const PLAIN = 0x00;
const SEALED = 0x01;
const NAME_BYTES = 4;
const NONCE_BYTES = 24;
const TAG_BYTES = 16;
const BLOCK_BYTES = 16;
const HEADER_BYTES = 1 + NAME_BYTES + NONCE_BYTES;

/** Seals and opens columns. */
export interface SecretColumns {
  /**
   * Makes what is stored.
   *
   * @param place - column and row that the secret belongs to; the same when it is opened
   */
  seal(secret: Uint8Array, place: Uint8Array): Uint8Array;
  /**
   * Reads what was stored.
   *
   * @throws {@link SqlError} `KEY_UNKNOWN` when none of the keys opens it, or it was changed
   */
  open(stored: Uint8Array, place: Uint8Array): Uint8Array;
}

/**
 * Makes the columns' keys usable.
 *
 * @param keys - 32 bytes each; the first one seals, all of them open. Without keys secrets are stored as they are, and sealed
 *   ones do not open
 * @throws {RangeError} for a key of another length
 */
export function secretColumns(keys: readonly Uint8Array[]): SecretColumns {
  for (const key of keys) {
    if (key.length !== COLUMN_KEY_BYTES) throw new RangeError(`A column key has ${COLUMN_KEY_BYTES} bytes`);
  }
  const ring = keys.map((key) => ({ name: keyName(key), key, subkeyMask: subkeyMask(key) }));
  const [first] = ring;
  return {
    seal: (secret, place) =>
      first === undefined ? concatBytes(Uint8Array.of(PLAIN), secret) : seal(first, secret, place),
    open(stored, place) {
      if (stored[0] === PLAIN) return stored.slice(1);
      const name = stored.subarray(1, 1 + NAME_BYTES);
      const column = ring.find((candidate) => Buffer.compare(candidate.name, name) === 0);
      if (stored[0] !== SEALED || stored.length < HEADER_BYTES + TAG_BYTES || column === undefined) throw unknownKey();
      return open(column, stored, place);
    },
  };
}

interface ColumnKey {
  readonly name: Uint8Array;
  readonly key: Uint8Array;
  readonly subkeyMask: Uint8Array;
}

function seal(column: ColumnKey, secret: Uint8Array, place: Uint8Array): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', subkey(column, nonce), nonce.subarray(12));
  cipher.setAAD(place);
  const ciphertext = cipher.update(secret);
  cipher.final();
  return concatBytes(Uint8Array.of(SEALED), column.name, nonce, ciphertext, cipher.getAuthTag());
}

function open(column: ColumnKey, stored: Uint8Array, place: Uint8Array): Uint8Array {
  const nonce = stored.subarray(1 + NAME_BYTES, HEADER_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', subkey(column, nonce), nonce.subarray(12), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(place);
  decipher.setAuthTag(stored.subarray(-TAG_BYTES));
  try {
    const secret = decipher.update(stored.subarray(HEADER_BYTES, -TAG_BYTES));
    decipher.final();
    return new Uint8Array(secret);
  } catch {
    throw unknownKey();
  }
}

/** The key for one nonce: CMAC of two blocks, as a KDF in counter mode. */
function subkey({ key, subkeyMask }: ColumnKey, nonce: Uint8Array): Uint8Array {
  const blocks = new Uint8Array(2 * BLOCK_BYTES);
  for (const [at, counter] of [1, 2].entries()) {
    const block = blocks.subarray(at * BLOCK_BYTES, (at + 1) * BLOCK_BYTES);
    block.set([0, counter, 0x58, 0]);
    block.set(nonce.subarray(0, 12), 4);
    for (let i = 0; i < BLOCK_BYTES; i++) block[i] = (block[i] ?? 0) ^ (subkeyMask[i] ?? 0);
  }
  return encryptBlocks(key, blocks);
}

/** What CMAC adds to a last block that is full: the encryption of zeros, doubled in GF(2^128). */
function subkeyMask(key: Uint8Array): Uint8Array {
  const zero = encryptBlocks(key, new Uint8Array(BLOCK_BYTES));
  const mask = zero.map((byte, i) => (byte << 1) | ((zero[i + 1] ?? 0) >> 7));
  mask[BLOCK_BYTES - 1] = (mask[BLOCK_BYTES - 1] ?? 0) ^ (((zero[0] ?? 0) >> 7) * 0x87);
  return mask;
}

function encryptBlocks(key: Uint8Array, blocks: Uint8Array): Uint8Array {
  const cipher = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false);
  return new Uint8Array(cipher.update(blocks));
}

/** Public: tells keys apart, and nothing about them. */
function keyName(key: Uint8Array): Uint8Array {
  return createHash('sha256').update('privacy-edge column key').update(key).digest().subarray(0, NAME_BYTES);
}

function unknownKey(): SqlError {
  return new SqlError('KEY_UNKNOWN', 'Cannot read a stored secret: it does not open with the column keys');
}
