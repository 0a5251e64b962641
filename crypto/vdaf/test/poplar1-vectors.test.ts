/** Poplar1, its IDPF and its XOF against the test vectors of the draft, byte for byte. VDAF Appendix C. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  idpfEvaluate,
  idpfGenerate,
  poplar1SharesToMessage,
  poplar1VerifyInit,
  poplar1VerifyNext,
  xofFixedKeyAes128,
} from '../src/poplar1-steps.ts';
import { BACKENDS, collect, exchange, hex, outShares, pack, parameterOf, vector } from './poplar1-cases.ts';

interface Poplar1Vector {
  readonly agg_param: string;
  readonly agg_result: readonly number[];
  readonly agg_shares: readonly [string, string];
  readonly bits: number;
  readonly ctx: string;
  readonly verify_key: string;
  readonly reports: readonly {
    readonly input_shares: readonly [string, string];
    readonly measurement: readonly boolean[];
    readonly nonce: string;
    readonly out_shares: readonly [string, string];
    readonly public_share: string;
    readonly rand: string;
    readonly verifier_messages: readonly [string, string];
    readonly verifier_shares: readonly (readonly [string, string])[];
  }[];
}

const NAMES = [
  'official/Poplar1_0',
  'official/Poplar1_1',
  'official/Poplar1_3',
  'official/Poplar1_4',
  'generated/Poplar1_8_leaf',
];

for (const name of NAMES) {
  const file = vector<Poplar1Vector>(name);
  describe(name, { skip: file === undefined }, () => {
    const { agg_param, agg_result, agg_shares, bits, ctx, verify_key, reports } = file!;
    const context = { verifyKey: hex(verify_key), ctx: hex(ctx), aggregationParameter: hex(agg_param) };
    const parameter = context.aggregationParameter;

    for (const { name: backend, make } of BACKENDS) {
      const vdaf = make(bits);
      const sharded = () =>
        reports.map((one) => {
          const nonce = hex(one.nonce);
          return { nonce, ...vdaf.shard(context.ctx, pack(one.measurement), nonce, hex(one.rand)) };
        });

      it(`shard() with AES by ${backend}`, () => {
        for (const [index, { publicShare, inputShares }] of sharded().entries()) {
          assert.equal(publicShare.toHex(), reports[index]!.public_share);
          assert.deepEqual(
            inputShares.map((share) => share.toHex()),
            reports[index]!.input_shares,
          );
        }
      });

      it(`ping-pong to the result with AES by ${backend}`, () => {
        const all = sharded();
        for (const [index, one] of all.entries()) {
          const { out_shares, verifier_messages, verifier_shares } = reports[index]!;
          const steps = exchange(vdaf, context, one);
          assert.equal(outbound(steps.leader), `00${prefixed(verifier_shares[0]![0])}`);
          assert.equal(
            outbound(steps.helper),
            `01${prefixed(verifier_messages[0])}${prefixed(verifier_shares[1]![1])}`,
          );
          assert.equal(outbound(steps.leaderEnd), `02${prefixed(verifier_messages[1])}`);
          assert.deepEqual(
            outShares(steps)?.map((share) => share.toHex()),
            out_shares,
          );
        }
        assert.deepEqual(collect(vdaf, context, all).result, agg_result.map(BigInt));
      });

      it(`aggregate() and unshard() with AES by ${backend}`, () => {
        const totals = [0, 1].map((id) =>
          vdaf.aggregate(
            parameter,
            vdaf.emptyAggregate(parameter),
            reports.map((one) => hex(one.out_shares[id]!)),
          ),
        );
        assert.deepEqual(
          totals.map((total) => total.toHex()),
          agg_shares,
        );
        const shares = agg_shares.map(hex) as [Uint8Array, Uint8Array];
        assert.deepEqual(vdaf.unshard(parameter, shares, reports.length), agg_result.map(BigInt));
      });
    }

    it('single steps', () => {
      for (const { nonce, public_share, input_shares, verifier_shares, verifier_messages, out_shares } of reports) {
        const first = ([0, 1] as const).map((id) => {
          const inputShare = hex(input_shares[id]);
          return poplar1VerifyInit(bits, id, context, {
            nonce: hex(nonce),
            publicShare: hex(public_share),
            inputShare,
          })!;
        });
        assert.deepEqual(
          first.map(({ verifierShare }) => verifierShare.toHex()),
          verifier_shares[0],
        );
        assert.deepEqual(
          first.map(({ outShare }) => outShare.toHex()),
          out_shares,
        );
        const message = poplar1SharesToMessage(bits, parameter, [first[0]!.verifierShare, first[1]!.verifierShare])!;
        assert.equal(message.toHex(), verifier_messages[0]);
        const second = ([0, 1] as const).map((id) =>
          poplar1VerifyNext(bits, id, parameter, message, first[id]!.corrections),
        );
        assert.deepEqual(
          second.map((share) => share!.toHex()),
          verifier_shares[1],
        );
        assert.equal(poplar1SharesToMessage(bits, parameter, [second[0]!, second[1]!])!.toHex(), verifier_messages[1]);
      }
    });
  });
}

function outbound(transition: { readonly outbound?: Uint8Array } | { readonly kind: 'rejected' } | undefined): string {
  assert.ok(transition !== undefined && 'outbound' in transition && transition.outbound !== undefined);
  return transition.outbound.toHex();
}

/** A vector with four bytes of length. */
function prefixed(bytes: string): string {
  return `${(bytes.length / 2).toString(16).padStart(8, '0')}${bytes}`;
}

interface IdpfVector {
  readonly alpha: readonly boolean[];
  readonly beta_inner: readonly (readonly string[])[];
  readonly beta_leaf: readonly string[];
  readonly bits: number;
  readonly ctx: string;
  readonly keys: readonly [string, string];
  readonly nonce: string;
  readonly public_share: string;
}

const idpf = vector<IdpfVector>('official/IdpfBBCGGI21_0');

describe('official/IdpfBBCGGI21_0', { skip: idpf === undefined }, () => {
  const { alpha, beta_inner, beta_leaf, bits, ctx, keys, nonce, public_share } = idpf!;
  const little = (value: string, size: number) =>
    BigInt(value)
      .toString(16)
      .padStart(2 * size, '0');
  const element = (value: string, size: number) => [...hex(little(value, size))].reverse();
  const inner = beta_inner.map((values) => Uint8Array.from(values.flatMap((value) => element(value, 8))));
  const leaf = Uint8Array.from(beta_leaf.flatMap((value) => element(value, 32)));

  it('idpfGenerate()', () => {
    const beta = Uint8Array.from([...inner.flatMap((values) => [...values]), ...leaf]);
    const made = idpfGenerate(bits, pack(alpha), beta, hex(ctx), hex(nonce), hex(keys.join('')));
    assert.equal(made.publicShare.toHex(), public_share);
    assert.deepEqual(
      made.keys.map((key) => key.toHex()),
      keys,
    );
  });

  it('idpfEvaluate(): the values on the path, and zero beside it', () => {
    for (let level = 0; level < bits; level++) {
      const onPath = '0'.repeat(level + 1);
      const parameter = parameterOf(onPath, `${onPath.slice(1)}1`);
      const [first, second] = ([0, 1] as const).map((id) =>
        idpfEvaluate(bits, id, hex(public_share), hex(keys[id]), parameter, hex(ctx), hex(nonce)),
      );
      const size = level === bits - 1 ? 32 : 8;
      const values = elements(first!, size).map((value, at) => sum(value, elements(second!, size)[at]!, size));
      const expected = (level === bits - 1 ? beta_leaf : beta_inner[level]!).map(BigInt);
      assert.deepEqual(values, [...expected, 0n, 0n]);
    }
  });
});

function elements(bytes: Uint8Array, size: number): bigint[] {
  return Array.from({ length: bytes.length / size }, (_, at) =>
    BigInt(
      `0x${bytes
        .slice(at * size, (at + 1) * size)
        .reverse()
        .toHex()}`,
    ),
  );
}

function sum(left: bigint, right: bigint, size: number): bigint {
  return (left + right) % (size === 8 ? 2n ** 64n - 2n ** 32n + 1n : 2n ** 255n - 19n);
}

interface XofVector {
  readonly binder: string;
  readonly derived_seed: string;
  readonly dst: string;
  readonly expanded_vec_field128: string;
  readonly seed: string;
}

const xof = vector<XofVector>('official/XofFixedKeyAes128');

describe('official/XofFixedKeyAes128', { skip: xof === undefined }, () => {
  const { binder, derived_seed, dst, expanded_vec_field128, seed } = xof!;

  it('xofFixedKeyAes128()', () => {
    assert.equal(xofFixedKeyAes128(hex(seed), hex(dst), hex(binder), 16).toHex(), derived_seed);
    // No candidate of this stream is out of range, so that the elements are the stream.
    const length = expanded_vec_field128.length / 2;
    assert.equal(xofFixedKeyAes128(hex(seed), hex(dst), hex(binder), length).toHex(), expanded_vec_field128);
  });
});
