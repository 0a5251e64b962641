/** MLKEM768-X25519, also called X-Wing. HPKE PQ §4 and X-Wing §5. */
import { type Awaitable, andThen, concatBytes, isAllZero, replaceErrors, uint16, utf8 } from '@privacy-edge/bytes';
import type { PrivateHandle, WideBackend } from './backend.ts';
import { type HpkeError, openFailed } from './error.ts';
import { type KemAlgorithm, keyInvalid } from './kem.ts';
import { drawBytes } from './random.ts';
import { kemSuiteId, VERSION } from './steps.ts';
import type { Kem } from './types.ts';

const LABEL = utf8('\\.//^\\');
const MLKEM_PUBLIC_BYTES = 1184;
const MLKEM_CIPHERTEXT_BYTES = 1088;
const MLKEM_SEED_BYTES = 64;

/** What a private key expands to. */
interface Halves {
  readonly mlKem: unknown;
  readonly x25519: unknown;
}

/**
 * X-Wing over one backend.
 *
 * @param kem - its row
 */
export function xWing(backend: WideBackend, kem: Kem): KemAlgorithm {
  const invalid = (): HpkeError => keyInvalid(kem);

  // The hybrid would stay as strong as ML-KEM with an X25519 point of low order, yet no honest peer sends one.
  const exchange = (handle: unknown, peer: Uint8Array, failure: () => HpkeError): Awaitable<Uint8Array> =>
    andThen(
      replaceErrors(() => backend.dh('X25519', handle, peer), failure),
      (shared) => {
        if (isAllZero(shared)) throw failure();
        return shared;
      },
    );

  const combine = (
    mlKemSecret: Uint8Array,
    x25519Secret: Uint8Array,
    x25519Enc: Uint8Array,
    publicBytes: Uint8Array,
  ): Awaitable<Uint8Array> =>
    backend.sha3(concatBytes(mlKemSecret, x25519Secret, x25519Enc, publicBytes.subarray(MLKEM_PUBLIC_BYTES), LABEL));

  const importX25519 = (secret: Uint8Array): Awaitable<PrivateHandle> =>
    replaceErrors(() => backend.dhPrivate('X25519', secret), invalid);

  // Every step starts after the one before has ended: a refusal then never leaves another promise behind unwatched.
  const importPrivate = (secret: Uint8Array): Awaitable<PrivateHandle> =>
    andThen(backend.shake(secret, MLKEM_SEED_BYTES + 32), (expanded) =>
      andThen(
        replaceErrors(() => backend.mlKemPrivate(expanded.slice(0, MLKEM_SEED_BYTES)), invalid),
        (mlKem) =>
          andThen(importX25519(expanded.slice(MLKEM_SEED_BYTES)), (x25519) => ({
            handle: { mlKem: mlKem.handle, x25519: x25519.handle } satisfies Halves,
            publicBytes: concatBytes(mlKem.publicBytes, x25519.publicBytes),
          })),
      ),
    );

  const checkPublic: KemAlgorithm['checkPublic'] = (bytes) =>
    andThen(
      replaceErrors(() => backend.mlKemCheck(bytes.slice(0, MLKEM_PUBLIC_BYTES)), invalid),
      () =>
        andThen(importX25519(new Uint8Array(32).fill(1)), ({ handle }) =>
          exchange(handle, bytes.slice(MLKEM_PUBLIC_BYTES), invalid),
        ),
    );

  const encap: KemAlgorithm['encap'] = (publicBytes, random) => {
    // A caller who passes the platform's own generator lets the platform's ML-KEM draw from it directly: no native
    // implementation takes the randomness as an argument, and the portable one is much slower.
    const native = random === backend.random;
    const seed = drawBytes(random, native ? 32 : 64);
    const message = native ? undefined : seed.slice(0, 32);
    return andThen(importX25519(native ? seed : seed.slice(32)), ({ handle, publicBytes: x25519Enc }) =>
      andThen(exchange(handle, publicBytes.slice(MLKEM_PUBLIC_BYTES), invalid), (x25519Secret) =>
        andThen(
          replaceErrors(() => backend.mlKemEncapsulate(publicBytes.slice(0, MLKEM_PUBLIC_BYTES), message), invalid),
          (mlKem) =>
            andThen(combine(mlKem.sharedSecret, x25519Secret, x25519Enc, publicBytes), (sharedSecret) => ({
              sharedSecret,
              enc: concatBytes(mlKem.ciphertext, x25519Enc),
            })),
        ),
      ),
    );
  };

  const decap: KemAlgorithm['decap'] = (handle, publicBytes, enc) => {
    const halves = handle as Halves;
    const x25519Enc = enc.slice(MLKEM_CIPHERTEXT_BYTES);
    return andThen(exchange(halves.x25519, x25519Enc, openFailed), (x25519Secret) =>
      andThen(
        replaceErrors(() => backend.mlKemDecapsulate(halves.mlKem, enc.slice(0, MLKEM_CIPHERTEXT_BYTES)), openFailed),
        (mlKemSecret) => combine(mlKemSecret, x25519Secret, x25519Enc, publicBytes),
      ),
    );
  };

  return {
    importPrivate,
    checkPublic,
    derive: (ikm) => backend.shake(labeledDeriveInput(kemSuiteId(kem.id), ikm, 'DeriveKeyPair', kem.Nsk), kem.Nsk),
    generate: (random) => drawBytes(random, kem.Nsk),
    encap,
    decap,
  };
}

/** Input of the one-stage LabeledDerive with an empty context. HPKE-BIS §4.4. */
function labeledDeriveInput(suiteId: Uint8Array, ikm: Uint8Array, label: string, length: number): Uint8Array {
  const name = utf8(label);
  return concatBytes(ikm, VERSION, suiteId, uint16(name.length), name, uint16(length));
}
