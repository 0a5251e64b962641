/** key-configs.json: lists laid out by hand from RFC 9458 §3, each also read by the Rust crate for comparison. */

import { runVectorJobs } from '../toolchain.ts';
import { concat, hex, random, uint16, unhex } from './bytes.ts';
import { keyList, newRecipient } from './hpke.ts';
import { P256, P384, P521, X_WING, X25519 } from './suites.ts';

type Expectation = 'ok' | 'discard-collection' | 'parses-but-refused';

interface Entry {
  readonly keyId: number;
  readonly kem: number;
  readonly publicKey: Uint8Array;
  readonly suites: readonly (readonly [number, number])[];
}

interface Case {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly expect: Expectation;
  readonly usable?: readonly Entry[];
  readonly skipped?: number;
  readonly note: string;
}

function encode({ keyId, kem, publicKey, suites }: Entry): Uint8Array<ArrayBuffer> {
  const pairs = suites.map(([kdf, aead]) => concat(uint16(kdf), uint16(aead)));
  return concat(Uint8Array.of(keyId), uint16(kem), publicKey, uint16(4 * pairs.length), ...pairs);
}

async function publicKeyOf(kem: number): Promise<Uint8Array> {
  return (await newRecipient({ kem, kdf: 1, aead: 1 })).publicKey;
}

async function cases(): Promise<Case[]> {
  const [x, other, p256, p384, p521, wing] = await Promise.all(
    [X25519, X25519, P256, P384, P521, X_WING].map(publicKeyOf),
  );
  const aes: Entry = { keyId: 9, kem: X25519, publicKey: x!, suites: [[1, 1]] };
  const two: Entry = {
    ...aes,
    keyId: 10,
    publicKey: other!,
    suites: [
      [1, 1],
      [1, 3],
    ],
  };
  const hybrid: Entry = {
    keyId: 11,
    kem: X_WING,
    publicKey: wing!,
    suites: [
      [1, 1],
      [1, 3],
    ],
  };
  const curve = (keyId: number, kem: number, publicKey: Uint8Array): Entry => ({
    keyId,
    kem,
    publicKey,
    suites: [[1, 1]],
  });
  const all = [aes, curve(1, P256, p256!), curve(2, P384, p384!), curve(3, P521, p521!), hybrid];
  const foreign = concat(Uint8Array.of(77), uint16(0x7a7a), random(40));
  const grease = (kdf: number, aead: number): Entry => ({
    ...aes,
    suites: [
      [kdf, aead],
      [1, 1],
    ],
  });
  const list = (...entries: readonly Entry[]): Uint8Array => keyList(...entries.map(encode));
  const good = encode(aes);
  const lowOrder = unhex('00'.repeat(32));
  const one = unhex(`01${'00'.repeat(31)}`);
  const offCurve = Uint8Array.from(p256!);
  offCurve[64]! ^= 1;
  const ok = (name: string, entries: readonly Entry[], note: string): Case => ({
    name,
    bytes: list(...entries),
    expect: 'ok',
    usable: entries,
    note,
  });
  const bad = (name: string, bytes: Uint8Array, note: string): Case => ({
    name,
    bytes,
    expect: 'discard-collection',
    note,
  });
  const refused = (name: string, bytes: Uint8Array, note: string): Case => ({
    name,
    bytes,
    expect: 'parses-but-refused',
    note,
  });
  const withSuites = (length: number, ...suites: readonly number[]): Uint8Array =>
    concat(Uint8Array.of(9), uint16(X25519), x!, uint16(length), ...suites.map(uint16));

  return [
    ok('one-entry-one-suite', [aes], ''),
    ok('one-entry-two-suites', [two], 'the order of the suites is the order of preference'),
    ok('two-entries', [aes, two], 'the order of the entries is kept'),
    ok('every-supported-kem', all, ''),
    ok('hybrid-alone', [hybrid], 'public key of 1216 bytes'),
    ok(
      'key-ids-0-and-255',
      [
        { ...aes, keyId: 0 },
        { ...two, keyId: 255 },
      ],
      'every byte is a key id',
    ),
    ok('unknown-kdf-beside-known', [grease(0x0a0a, 1)], 'pairs that are not supported are passed over when choosing'),
    ok('unknown-aead-beside-known', [grease(1, 0x1a1a)], 'pairs that are not supported are passed over when choosing'),
    ok(
      'one-stage-kdf-beside-known',
      [grease(0x0010, 1)],
      'a KDF without Extract and Expand cannot be used with Oblivious HTTP: passed over when choosing',
    ),
    {
      name: 'unknown-kem-skipped',
      bytes: keyList(foreign, good),
      expect: 'ok',
      usable: [aes],
      skipped: 1,
      note: 'a well framed entry of an unknown KEM is not malformed: its length prefix tells where the next begins',
    },
    {
      name: 'unknown-kem-last',
      bytes: keyList(good, foreign),
      expect: 'ok',
      usable: [aes],
      skipped: 1,
      note: 'as above, at the end of the list',
    },
    {
      name: 'shortest-unknown-entry',
      bytes: keyList(good, foreign.slice(0, 3)),
      expect: 'ok',
      usable: [aes],
      skipped: 1,
      note: 'nothing is known about what follows an unknown KEM id',
    },
    ok(
      'suites-of-64-pairs',
      [{ ...aes, suites: Array.from({ length: 64 }, (_, i) => [1, i === 63 ? 1 : 0x2000 + i] as const) }],
      'the only supported pair is the last one',
    ),

    bad('bare-configuration', good, 'the two-byte length of the list form is missing'),
    bad('length-one-too-large', concat(uint16(good.length + 1), good), 'the entry would end after the list'),
    bad('length-one-too-small', concat(uint16(good.length - 1), good), 'the entry ends inside its suites'),
    bad('list-cut-inside-key', keyList(good).slice(0, 20), ''),
    bad('list-cut-after-first-length-byte', Uint8Array.of(0), ''),
    bad('second-entry-cut', list(aes, two).slice(0, -1), 'a part of a list is not used: it would split clients'),
    bad('stray-byte-at-the-end', concat(list(aes), Uint8Array.of(0)), 'half a length'),
    bad('bytes-after-the-suites', keyList(concat(good, Uint8Array.of(1, 2))), 'left-over bytes inside an entry'),
    bad('entry-of-length-zero', concat(list(aes), uint16(0)), ''),
    bad('entry-of-two-bytes', keyList(Uint8Array.of(1, 0)), 'ends inside the KEM id'),
    bad('suites-length-zero', keyList(withSuites(0)), 'at least one pair is needed'),
    bad('suites-length-six', keyList(withSuites(6, 1, 1, 1)), 'pairs are four bytes'),
    bad('suites-length-two', keyList(withSuites(2, 1)), 'pairs are four bytes'),
    bad('suites-length-past-entry', keyList(withSuites(8, 1, 1)), 'the second pair is missing'),
    bad('suites-missing', keyList(concat(Uint8Array.of(9), uint16(X25519), x!)), 'the entry ends after the key'),
    bad(
      'public-key-one-byte-short',
      keyList(concat(Uint8Array.of(9), uint16(X25519), x!.slice(1), uint16(4), uint16(1), uint16(1))),
      'the length of the suites is read one byte late',
    ),
    bad('bad-entry-after-good', concat(list(aes), keyList(withSuites(0))), 'one malformed entry spoils the list'),

    refused('x25519-key-of-zeros', list({ ...aes, publicKey: lowOrder }), 'every shared secret would be zero'),
    refused('x25519-key-of-order-four', list({ ...aes, publicKey: one }), 'every shared secret would be zero'),
    refused('p256-point-off-the-curve', list({ ...aes, kem: P256, publicKey: offCurve }), 'the point must be checked'),
    refused(
      'p256-point-compressed-marker',
      list({ ...aes, kem: P256, publicKey: concat(Uint8Array.of(2), p256!.slice(1)) }),
      'only the uncompressed form is allowed',
    ),
    refused('only-export-only-aead', list({ ...aes, suites: [[1, 0xffff]] }), 'nothing can be sealed with it'),
    refused('only-unknown-pairs', list({ ...aes, suites: [[0x3a3a, 0x4a4a]] }), 'no pair can be used'),
    refused(
      'same-key-id-same-kem-twice',
      list(aes, { ...two, keyId: aes.keyId }),
      'ambiguous: a gateway must not publish it, a client may use the first',
    ),
  ];
}

/**
 * Makes key-configs.json.
 *
 * @param note - told where the Rust crate reads a list differently.
 */
export async function keyConfigs(rust: string, source: string, note: (line: string) => void): Promise<unknown[]> {
  const all = await cases();
  const { results } = runVectorJobs<{ configs: number }>(
    rust,
    all.map(({ bytes }) => ({ op: 'key-list', hex: hex(bytes) })),
  );
  return all.map(({ name, bytes, expect, usable, skipped, note: why }, i) => {
    const refused = results[i]!.error !== undefined;
    if (refused !== (expect === 'discard-collection'))
      note(`Rust ${refused ? 'refuses' : 'accepts'} key list ${name} (expected ${expect})`);
    return {
      name,
      source,
      hex: hex(bytes),
      expect,
      ...(usable === undefined ? {} : { usable: usable.map(plain), skipped_unknown: skipped ?? 0 }),
      note: why,
    };
  });
}

function plain({ keyId, kem, publicKey, suites }: Entry): Record<string, unknown> {
  return {
    key_id: keyId,
    kem_id: kem,
    public_key: hex(publicKey),
    suites: suites.map(([kdf_id, aead_id]) => ({ kdf_id, aead_id })),
  };
}
