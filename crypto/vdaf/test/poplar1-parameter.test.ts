/** Aggregation parameters, the plans of walks to them, and the collector's way down. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { poplar1 } from '../src/poplar1.ts';
import { firstPrefixes, heavyPrefixes, nextPrefixes, padString, unpadString } from '../src/poplar1-descent.ts';
import { decodePrefixes, encodePrefixes, MAX_NODES, MAX_PREFIXES, prefixAt } from '../src/poplar1-parameter.ts';
import { planWalk } from '../src/prefix-tree.ts';
import { VdafError } from '../src/vdaf-error.ts';
import { FUZZ_RUNS, hex, pack, parameterOf, unpack } from './poplar1-cases.ts';

const numRuns = Math.max(50, FUZZ_RUNS / 4);

function isInvalid(error: unknown): boolean {
  return error instanceof VdafError && error.code === 'PARAMETER_INVALID';
}

/** Strictly sorted texts of zeros and ones of one length. */
const texts = fc.integer({ min: 1, max: 40 }).chain((length) =>
  fc
    .array(fc.string({ unit: fc.constantFrom('0', '1'), minLength: length, maxLength: length }), {
      minLength: 1,
      maxLength: 60,
    })
    .map((list) => [...new Set(list)].sort()),
);

describe('decodePrefixes()', () => {
  it('reads what encodePrefixes() wrote', () => {
    fc.assert(
      fc.property(texts, (list) => {
        const level = list[0]!.length - 1;
        const set = decodePrefixes(encodePrefixes(level, list.map(pack)), level + 1);
        assert.equal(set.level, level);
        assert.deepEqual(
          Array.from({ length: set.count }, (_, index) => unpack(prefixAt(set, index), level + 1)),
          list,
        );
      }),
      { numRuns },
    );
  });

  const bad: readonly (readonly [string, string, number])[] = [
    ['nothing', '', 8],
    ['half a header', '00000000', 8],
    ['no prefix', '000000000000', 8],
    ['a prefix less than announced', '00000000000200', 8],
    ['a byte after the prefixes', '000000000001800000', 8],
    ['more prefixes than there is room for', '0000ffffffff00', 8],
    ['a level below the leaves', '00080000000100' + '00', 8],
    ['one bit after the prefix', '00000000000140', 8],
    ['the lowest bit after the prefix', '00000000000101', 8],
    ['a bit after a prefix of nine bits', '0008000000010040', 16],
    ['prefixes in the wrong order', '0000000000028000', 8],
    ['a repeated prefix', '0000000000028080', 8],
    ['a repeated prefix later on', '00020000000300' + '4040', 8],
  ];
  for (const [what, bytes, bits] of bad) {
    it(`refuses ${what}`, () => {
      assert.throws(() => decodePrefixes(hex(bytes), bits), isInvalid);
      assert.equal(poplar1(bits).isValidParameter(hex(bytes), []), false);
    });
  }

  it('refuses more prefixes than one report may cost, before it looks at them', () => {
    const most = Math.floor(MAX_NODES / 17);
    const count = most + 1;
    const bytes = new Uint8Array(6 + 3 * count);
    new DataView(bytes.buffer).setUint16(0, 16);
    new DataView(bytes.buffer).setUint32(2, count);
    for (let index = 0; index < count; index++) {
      bytes.set([index >> 9, (index >> 1) & 0xff, (index & 1) << 7], 6 + 3 * index);
    }
    assert.throws(() => decodePrefixes(bytes, 17), isInvalid);
    const fewer = bytes.slice(0, 6 + 3 * most);
    new DataView(fewer.buffer).setUint32(2, most);
    assert.equal(decodePrefixes(fewer, 17).count, most);
    const prefixes = Array.from({ length: count }, (_, index) => bytes.slice(6 + 3 * index, 9 + 3 * index));
    assert.throws(() => encodePrefixes(16, prefixes), RangeError);
    assert.deepEqual(encodePrefixes(16, prefixes.slice(0, most)), fewer);
    // Long strings: as much work with far fewer prefixes.
    const long = new Uint8Array(6 + 64 * 2049);
    new DataView(long.buffer).setUint16(0, 511);
    for (const [n, isRefused] of [
      [2048, false],
      [2049, true],
    ] as const) {
      new DataView(long.buffer).setUint32(2, n);
      for (let index = 0; index < n; index++) new DataView(long.buffer).setUint16(6 + 64 * index, index);
      assert.equal(poplar1(513).isValidParameter(long.slice(0, 6 + 64 * n), []), !isRefused);
    }
  });

  it('decodes or throws PARAMETER_INVALID, and encodes to the same bytes', () => {
    const valid = texts.map((list) => parameterOf(...list));
    const mutated = fc
      .tuple(valid, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }))
      .map(([bytes, changes]) => {
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        return bytes;
      });
    fc.assert(
      fc.property(
        fc.oneof(mutated, fc.uint8Array({ maxLength: 30 })),
        fc.integer({ min: 1, max: 40 }),
        (bytes, bits) => {
          try {
            const set = decodePrefixes(bytes, bits);
            const prefixes = Array.from({ length: set.count }, (_, index) => prefixAt(set, index));
            assert.deepEqual(encodePrefixes(set.level, prefixes), bytes);
            assert.ok(set.level < bits);
          } catch (error) {
            assert.ok(isInvalid(error), String(error));
          }
        },
      ),
      { numRuns: FUZZ_RUNS },
    );
  });
});

describe('encodePrefixes()', () => {
  it('refuses what would not decode', () => {
    for (const [level, prefixes] of [
      [-1, ['']],
      [65535, ['0']],
      [0.5, ['0']],
      [0, []],
      [0, ['1', '0']],
      [0, ['0', '0']],
      [0, ['01']],
      [7, ['010101010']],
    ] as const) {
      assert.throws(() => encodePrefixes(level, prefixes.map(pack)), RangeError);
    }
  });
});

describe('isValidParameter()', () => {
  const vdaf = poplar1(16);
  const used = [parameterOf('00', '01', '11'), parameterOf('0001', '0110', '1111')];

  it('wants a deeper level', () => {
    assert.equal(vdaf.isValidParameter(parameterOf('0001'), used), false);
    assert.equal(vdaf.isValidParameter(parameterOf('000'), used), false);
    assert.equal(vdaf.isValidParameter(parameterOf('00010'), used), true);
    assert.equal(vdaf.isValidParameter(parameterOf('0001'.repeat(4)), used), true);
  });

  it('wants descendants of the last prefixes', () => {
    assert.equal(vdaf.isValidParameter(parameterOf('00010', '00011', '11111'), used), true);
    assert.equal(vdaf.isValidParameter(parameterOf('00010', '00100'), used), false);
    assert.equal(vdaf.isValidParameter(parameterOf('000000000'), used), false);
    assert.equal(vdaf.isValidParameter(parameterOf('111111111', '111111110'), used), true);
    // An ancestor two rounds before is not enough.
    assert.equal(vdaf.isValidParameter(parameterOf('01010'), used), false);
    assert.equal(vdaf.isValidParameter(parameterOf('010'), used.slice(0, 1)), true);
  });

  it('refuses to follow what it cannot read', () => {
    assert.equal(vdaf.isValidParameter(parameterOf('0001'), [new Uint8Array(3)]), false);
  });
});

/** The prefixes of each level that lead to some texts. */
function nodesAbove(list: readonly string[], level: number): Set<string> {
  return new Set(list.map((text) => text.slice(0, level + 1)));
}

/** Follows a plan as the kernel does. */
function follow(plan: NonNullable<ReturnType<typeof planWalk>>, start: readonly string[]): string[][] {
  const levels: string[][] = [];
  let parents = [...start];
  let at = 0;
  for (let level = plan.from; level <= plan.to; level++) {
    const children = parents.flatMap((parent, index) => {
      const wanted = plan.children[at + index]!;
      return [...(wanted & 1 ? [`${parent}0`] : []), ...(wanted & 2 ? [`${parent}1`] : [])];
    });
    at += parents.length;
    assert.equal(plan.nodes[level - plan.from], parents.length);
    levels.push(children);
    parents = children;
  }
  assert.equal(plan.nodes.at(-1), parents.length);
  assert.equal(at, plan.children.length);
  return levels;
}

describe('planWalk()', () => {
  it('visits each node above the prefixes once, in order', () => {
    fc.assert(
      fc.property(texts, (list) => {
        const set = decodePrefixes(parameterOf(...list), 40);
        const levels = follow(planWalk(set)!, ['']);
        for (const [level, nodes] of levels.entries()) assert.deepEqual(nodes, [...nodesAbove(list, level)]);
      }),
      { numRuns },
    );
  });

  it('goes on from known nodes, of which some may not be needed', () => {
    const cut = texts
      .filter((list) => list[0]!.length > 1)
      .chain((list) =>
        fc.tuple(
          fc.constant(list),
          fc.integer({ min: 1, max: list[0]!.length - 1 }),
          fc.array(fc.string({ unit: fc.constantFrom('0', '1'), minLength: 40, maxLength: 40 }), { maxLength: 5 }),
        ),
      );
    fc.assert(
      fc.property(cut, ([list, length, others]) => {
        const known = [...new Set([...list, ...others].map((text) => text.slice(0, length)))].sort();
        const set = decodePrefixes(parameterOf(...list), 40);
        const plan = planWalk(set, decodePrefixes(parameterOf(...known), 40))!;
        assert.equal(plan.from, length);
        for (const [index, nodes] of follow(plan, known).entries()) {
          assert.deepEqual(nodes, [...nodesAbove(list, length + index)]);
        }
      }),
      { numRuns },
    );
  });

  it('has no way from nodes that are not ancestors', () => {
    const set = decodePrefixes(parameterOf('0000', '0100'), 8);
    assert.equal(planWalk(set, decodePrefixes(parameterOf('00'), 8)), undefined);
    assert.equal(planWalk(set, decodePrefixes(parameterOf('01', '10'), 8)), undefined);
    assert.equal(planWalk(set, decodePrefixes(parameterOf('0000'), 8)), undefined);
    assert.notEqual(planWalk(set, decodePrefixes(parameterOf('00', '01', '11'), 8)), undefined);
  });
});

describe('the way down', () => {
  it('firstPrefixes() has all strings of a length', () => {
    assert.deepEqual(firstPrefixes(1), parameterOf('0', '1'));
    assert.deepEqual(firstPrefixes(3), parameterOf('000', '001', '010', '011', '100', '101', '110', '111'));
    assert.equal(decodePrefixes(firstPrefixes(16), 16).count, MAX_PREFIXES);
    for (const length of [0, 17, 1.5]) assert.throws(() => firstPrefixes(length), RangeError);
  });

  it('nextPrefixes() follows those that reach the threshold', () => {
    const round = parameterOf('001', '010', '111');
    assert.deepEqual(nextPrefixes(8, round, [5n, 4n, 9n], 5n), parameterOf('0010', '0011', '1110', '1111'));
    assert.deepEqual(nextPrefixes(8, round, [0n, 7n, 0n], 5n, 2), parameterOf('01000', '01001', '01010', '01011'));
    assert.deepEqual(nextPrefixes(4, round, [0n, 7n, 0n], 5n, 3), parameterOf('0100', '0101'));
    assert.equal(nextPrefixes(8, round, [4n, 4n, 4n], 5n), undefined);
    assert.equal(nextPrefixes(3, round, [9n, 9n, 9n], 5n), undefined);
    assert.throws(() => nextPrefixes(8, round, [9n, 9n], 5n), RangeError);
    assert.throws(() => nextPrefixes(30, round, [9n, 9n, 9n], 5n, 16), RangeError);
    assert.throws(() => nextPrefixes(2, round, [9n, 9n, 9n], 5n), isInvalid);
  });

  it('nextPrefixes() crosses bytes', () => {
    const round = parameterOf('01010101');
    assert.deepEqual(nextPrefixes(16, round, [1n], 1n), parameterOf('010101010', '010101011'));
    const next = nextPrefixes(16, parameterOf('0101011'), [1n], 1n, 3);
    const expected = ['000', '001', '010', '011', '100', '101', '110', '111'].map((end) => `0101011${end}`);
    assert.deepEqual(next, parameterOf(...expected));
  });

  it('heavyPrefixes() keeps prefixes with their counts', () => {
    assert.deepEqual(heavyPrefixes(parameterOf('001', '010', '111'), [5n, 4n, 9n], 5n), [
      { prefix: pack('001'), count: 5n },
      { prefix: pack('111'), count: 9n },
    ]);
  });

  it('padString() and unpadString() are each other', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 15 }), (bytes) => {
        const padded = padString(bytes, 128);
        assert.equal(padded.length, 16);
        assert.deepEqual(unpadString(padded), bytes);
      }),
    );
    assert.deepEqual(padString(hex('0102'), 32), hex('01020100'));
    assert.throws(() => padString(new Uint8Array(4), 32), RangeError);
    assert.throws(() => padString(new Uint8Array(1), 15), RangeError);
    assert.equal(unpadString(new Uint8Array(4)), undefined);
    assert.equal(unpadString(hex('01000200')), undefined);
  });
});
