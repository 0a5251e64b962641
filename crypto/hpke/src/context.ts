/** Encryption contexts. RFC 9180 §5.2 and §5.3. */
import { type Awaitable, isPromiseLike } from '@privacy-edge/bytes';
import { exportOnly, HpkeError } from './error.ts';
import { labelPrefix, prefixedInfo } from './steps.ts';
import type { AeadKey, ExporterContext, Kdf, RecipientContext, SenderContext } from './types.ts';

/** The secrets of one context. */
export interface ContextKeys {
  readonly export: ExporterContext['export'];
  /** Absent in an export-only suite. */
  readonly aead?: AeadState;
}

/** An AEAD key with the nonce that sequence numbers are mixed into. */
export interface AeadState {
  readonly key: AeadKey;
  readonly baseNonce: Uint8Array;
}

/**
 * Numbers above this are not exact in JavaScript. RFC 9180 §5.2 would go on to 2^96 - 1, which no context reaches.
 */
const MAX_SEQUENCE = Number.MAX_SAFE_INTEGER;

/** Context.Export for one suite: takes the exporter secret, gives the function. */
export function exporter(kdf: Kdf, suiteId: Uint8Array): (secret: Uint8Array) => ExporterContext['export'] {
  const prefix = labelPrefix(suiteId, 'sec');
  return (secret) => (context, length) => kdf.expand(secret, prefixedInfo(prefix, context, length), length);
}

/** ComputeNonce: the base nonce with `sequence` XORed into its last bytes. */
function computeNonce(baseNonce: Uint8Array, sequence: number): Uint8Array {
  const nonce = new Uint8Array(baseNonce);
  let rest = sequence;
  for (let i = nonce.length - 1; rest > 0; i--) {
    nonce[i] = (nonce[i] as number) ^ (rest & 0xff);
    rest = Math.floor(rest / 256);
  }
  return nonce;
}

function checkSequence(sequence: number): void {
  if (sequence >= MAX_SEQUENCE) throw new HpkeError('MESSAGE_LIMIT', 'Cannot seal or open: the context is used up');
}

/**
 * @param keys - from the key schedule
 * @param firstSequence - 0 but in tests
 */
export function senderContext(keys: ContextKeys, firstSequence = 0): SenderContext {
  let sequence = firstSequence;
  const { aead } = keys;
  return {
    export: keys.export,
    seal(aad, plaintext) {
      if (aead === undefined) throw exportOnly();
      checkSequence(sequence);
      // Counted before the cipher runs: a call made while this one is pending must find the next number.
      const nonce = computeNonce(aead.baseNonce, sequence);
      sequence += 1;
      return aead.key.seal(nonce, aad, plaintext);
    },
  };
}

/**
 * @param keys - from the key schedule
 * @param firstSequence - 0 but in tests
 */
export function recipientContext(keys: ContextKeys, firstSequence = 0): RecipientContext {
  let sequence = firstSequence;
  // Ends with the last call on an asynchronous backend: its result decides which number the next one gets.
  let pending: Promise<unknown> | undefined;
  const { aead } = keys;

  const openNext = ({ key, baseNonce }: AeadState, aad: Uint8Array, ciphertext: Uint8Array): Awaitable<Uint8Array> => {
    checkSequence(sequence);
    const opened = key.open(computeNonce(baseNonce, sequence), aad, ciphertext);
    if (!isPromiseLike(opened)) {
      sequence += 1;
      return opened;
    }
    return opened.then((plaintext) => {
      sequence += 1;
      return plaintext;
    });
  };

  return {
    export: keys.export,
    open(aad, ciphertext) {
      if (aead === undefined) throw exportOnly();
      const result =
        pending === undefined ? openNext(aead, aad, ciphertext) : pending.then(() => openNext(aead, aad, ciphertext));
      if (!isPromiseLike(result)) return result;
      pending = Promise.resolve(result).then(ignore, ignore);
      return result;
    },
  };
}

function ignore(): void {}
