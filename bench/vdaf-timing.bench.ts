/**
 * Whether the time of VDAF steps depends on what must stay secret. Each row compares two inputs of the same operation that
 * are as far apart as they can be, called in random order: the means, the number of calls, and Welch's t.
 *
 * Run: npm run bench -- vdaf-timing [--only shard] [--seconds 3]
 *
 * A report and never a verdict. By custom a t beyond 4.5 either way calls for a look; the rows that begin with "control"
 * compare an input with itself and show what this machine does to t. A small t says that so many calls here did not show
 * a difference, and no more: not that there is none, and nothing about caches, branch predictors or other runtimes.
 */
import { randomBytes } from 'node:crypto';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { createVdaf, type Prio3Configuration, poplar1, type ReportShare, type Vdaf } from '@privacy-edge/vdaf';
import { type FieldSteps, fieldSteps64, fieldSteps128, fieldSteps255 } from '@privacy-edge/vdaf/steps';
import { compareTimes, type TimingPair } from './lib/welch.ts';

const { values: options } = parseArgs({
  options: { only: { type: 'string', default: '' }, seconds: { type: 'string', default: '2' } },
  allowPositionals: true,
});

const CTX = randomBytes(38);
const NOTHING = new Uint8Array(0);
const fill = <T>(length: number, value: T): T[] => Array.from({ length }, () => value);

/** The operation gets the one or the other input by the same code. */
function pairOf<T>(name: string, inputs: readonly [T, T], operation: (input: T) => unknown): TimingPair {
  let [input] = inputs;
  return {
    name,
    prepare: (kind) => {
      input = inputs[kind];
    },
    operation: () => operation(input),
  };
}

/** The same with bytes, which are copied to the same addresses. */
function bytesPair(
  name: string,
  inputs: readonly [readonly Uint8Array[], readonly Uint8Array[]],
  operation: (input: readonly Uint8Array[]) => unknown,
): TimingPair {
  const places = inputs[0].map((part) => part.slice());
  return {
    name,
    prepare: (kind) => {
      for (const [i, part] of inputs[kind].entries()) places[i]?.set(part);
    },
    operation: () => operation(places),
  };
}

/** Sharding of two measurements with the same randomness. */
function shardPair<M>(name: string, vdaf: Vdaf<M, unknown>, first: M, second: M): TimingPair {
  const [nonce, rand] = [randomBytes(16), randomBytes(vdaf.randSize)];
  return pairOf(`shard ${name}`, [first, second], (measurement) => vdaf.shard(CTX, measurement, nonce, rand));
}

function prio3Pair(name: string, configuration: Prio3Configuration, first: unknown, second: unknown): TimingPair {
  return shardPair(name, createVdaf(configuration) as Vdaf<unknown, unknown>, first, second);
}

function shardPairs(): TimingPair[] {
  const histogram = { kind: 'histogram', length: 100 } as const;
  return [
    prio3Pair('control: Histogram 100, bucket 0 twice', histogram, 0, 0),
    prio3Pair('Count, 0 or 1', { kind: 'count' }, 0, 1),
    prio3Pair('Sum 32 bit, 0 or all bits', { kind: 'sum', maxMeasurement: 2 ** 32 - 1 }, 0, 2 ** 32 - 1),
    prio3Pair('Histogram 100, first or last bucket', histogram, 0, 99),
    prio3Pair(
      'SumVec 100 of 8 bit, all 0 or all 255',
      { kind: 'sumVec', length: 100, maxMeasurement: 255 },
      fill(100, 0),
      fill(100, 255),
    ),
    prio3Pair(
      'MultihotCountVec 100, none or all',
      { kind: 'multihotCountVec', length: 100, maxWeight: 100 },
      fill(100, false),
      fill(100, true),
    ),
    prio3Pair('L1BoundSum 10, all 0 or all in one', { kind: 'l1BoundSum', length: 10, maxValue: 255 }, fill(10, 0), [
      ...fill(9, 0),
      255,
    ]),
    prio3Pair(
      'LinReg 3 features of 16 bit, all 0 or all bits',
      { kind: 'linReg', maxValues: fill(4, 2 ** 16 - 1) },
      fill(4, 0),
      fill(4, 2 ** 16 - 1),
    ),
    shardPair('Poplar1 64 bit, all 0 or all 1', poplar1(64), new Uint8Array(8), new Uint8Array(8).fill(255)),
  ];
}

/** Verification of reports that hold extreme measurements, on either side. */
function verifyPairs(): TimingPair[] {
  const vdaf = createVdaf({ kind: 'histogram', length: 100 });
  const context = { verifyKey: randomBytes(32), ctx: CTX, aggregationParameter: NOTHING };
  const nonce = randomBytes(16);
  const rand = randomBytes(vdaf.randSize);
  const made = [0, 99].map((bucket) => {
    const { publicShare, inputShares } = vdaf.shard(CTX, bucket, nonce, rand);
    const [leader, helper] = inputShares.map((inputShare) => ({ nonce, publicShare, inputShare }));
    if (leader === undefined || helper === undefined) throw new Error('There are two shares');
    const [sent] = vdaf.leaderInit(context, [leader]);
    if (sent?.kind !== 'continued') throw new Error('The leader does not go on');
    return { leader, helper: { ...helper, inbound: sent.outbound }, state: sent.state };
  });
  const [first, last] = made;
  if (first === undefined || last === undefined) throw new Error('There are two reports');
  const name = 'Histogram 100, first or last bucket';
  return [
    bytesPair(`verify, leader: ${name}`, [partsOf(first.leader), partsOf(last.leader)], (parts) =>
      vdaf.leaderInit(context, [shareOf(nonce, parts)]),
    ),
    bytesPair(
      `verify, helper: ${name}`,
      [
        [...partsOf(first.helper), first.helper.inbound],
        [...partsOf(last.helper), last.helper.inbound],
      ],
      (parts) => vdaf.helperInit(context, [{ ...shareOf(nonce, parts), inbound: parts[2] ?? NOTHING }]),
    ),
    comparisonPair(vdaf, context, first),
  ];
}

function partsOf({ publicShare, inputShare }: ReportShare): Uint8Array[] {
  return [publicShare, inputShare];
}

function shareOf(nonce: Uint8Array, [publicShare = NOTHING, inputShare = NOTHING]: readonly Uint8Array[]): ReportShare {
  return { nonce, publicShare, inputShare };
}

/** The seed that the leader compares is wrong in its first byte, or in its last. */
function comparisonPair(
  vdaf: Vdaf<number, unknown>,
  context: Parameters<Vdaf<number, unknown>['resume']>[0],
  { helper, state }: { readonly helper: Parameters<Vdaf<number, unknown>['helperInit']>[1][number]; state: Uint8Array },
): TimingPair {
  const [answer] = vdaf.helperInit(context, [helper]);
  if (answer?.kind !== 'finished' || answer.outbound === undefined) throw new Error('The helper does not accept');
  const { outbound } = answer;
  const changed = (at: number): Uint8Array => outbound.map((byte, i) => (i === at ? byte ^ 1 : byte));
  // One byte of type and four of length stand before the seed.
  const inputs = [[changed(5)], [changed(outbound.length - 1)]] as const;
  return bytesPair('compare seeds: wrong in the first or the last byte', inputs, ([inbound = NOTHING]) =>
    vdaf.resume(context, 0, [{ state, inbound }]),
  );
}

/** Elements that are as small or as large as can be. */
function fieldPairs(): TimingPair[] {
  const fields: readonly (readonly [string, FieldSteps, bigint])[] = [
    ['Field64', fieldSteps64, 2n ** 64n - 2n ** 32n + 1n],
    ['Field128', fieldSteps128, 2n ** 128n - 28n * 2n ** 64n + 1n],
    ['Field255', fieldSteps255, 2n ** 255n - 19n],
  ];
  return fields.flatMap(([name, steps, modulus]) => {
    const vector = (value: bigint, count = 256): Uint8Array =>
      Uint8Array.from({ length: count * steps.size }, (_, i) =>
        Number((value >> BigInt(8 * (i % steps.size))) & 0xffn),
      );
    const [zeros, ones, largest] = [vector(0n), vector(1n), vector(modulus - 1n)];
    const [zero, last] = [vector(0n, 1), vector(modulus - 1n, 1)];
    const two =
      (operation: FieldSteps['add']) =>
      ([left = NOTHING, right = NOTHING]: readonly Uint8Array[]) =>
        operation(left, right);
    return [
      // From other addresses, as the inputs of the rows below.
      bytesPair(
        `${name} control: compare 256 of the smallest twice`,
        [[zeros], [zeros.slice()]],
        ([elements = NOTHING]) => steps.isVector(elements),
      ),
      bytesPair(
        `${name} control: multiply 0 twice`,
        [
          [zero, zero],
          [zero.slice(), zero.slice()],
        ],
        two(steps.multiply),
      ),
      bytesPair(
        `${name} compare with the modulus: 256 of the smallest or of the largest`,
        [[zeros], [largest]],
        ([elements = NOTHING]) => steps.isVector(elements),
      ),
      bytesPair(
        `${name} add: 256 times 0 + 1, or with a carry`,
        [
          [zeros, ones],
          [largest, ones],
        ],
        two(steps.add),
      ),
      bytesPair(
        `${name} subtract: 256 times 1 - 0, or with a borrow`,
        [
          [ones, zeros],
          [zeros, ones],
        ],
        two(steps.subtract),
      ),
      bytesPair(
        `${name} multiply: 0 or the largest, by itself`,
        [
          [zero, zero],
          [last, last],
        ],
        two(steps.multiply),
      ),
    ];
  });
}

const pairs = [...shardPairs(), ...verifyPairs(), ...fieldPairs()].filter(({ name }) => name.includes(options.only));
const results = pairs.map((pair) => compareTimes(pair, Number(options.seconds)));
const width = Math.max(9, ...results.map(({ name }) => name.length));
console.log(
  `\n${'operation'.padEnd(width)}  ${'calls'.padStart(15)}  ${'mean ns, each'.padStart(21)}  ${'apart'.padStart(8)}  ${'t'.padStart(8)}`,
);
for (const { name, samples, means, t } of results) {
  const apart = `${((100 * (means[1] - means[0])) / means[0]).toFixed(2)} %`;
  const each = means.map((mean) => mean.toFixed(0)).join(' / ');
  console.log(
    `${name.padEnd(width)}  ${samples.join(' / ').padStart(15)}  ${each.padStart(21)}  ${apart.padStart(8)}  ${t.toFixed(1).padStart(8)}`,
  );
}
const machine = { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, node: process.version };
console.log(`\n${JSON.stringify({ bench: 'VDAF timing', machine, results })}`);
