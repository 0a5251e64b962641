/**
 * What one report costs in CPU time: for the client to shard, for the leader to start, and for the helper to verify. Beside
 * it, in the same run, the Rust crate `prio`, and the TypeScript package `@divviup/prio3`.
 *
 * Run: npm run bench -- vdaf [--only histogram] [--short]
 *
 * All three have the same parameters, chunk lengths included. What is measured begins with encoded input and ends with
 * encoded output, and takes in the randomness of the client; the aggregators work on batches of reports here, as jobs do.
 * The TypeScript package speaks version 08 of the document, with other circuits for sums, and gets its shares decoded and
 * expanded, because it has no decoder. Neither has a linear regression.
 */
import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { buildPrioPeer, ToolchainMissing } from '@privacy-edge/interop/toolchain';
import { jobOf, loadPrio3, type Prio3Instance, type PrioPeer, startPrio, written } from '@privacy-edge/interop/vdaf';
import { bestChunkLength, createVdaf, type ReportShare, type Vdaf, type VdafConfiguration } from '@privacy-edge/vdaf';
import { type Row, report } from './lib/report.ts';
import { bestOfSlices, type Slices } from './lib/slices.ts';

/** Reports that an aggregator works on at once. */
const BATCH = 32;

const { values: options } = parseArgs({
  options: { only: { type: 'string', default: '' }, short: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const SLICES: Slices = options.short ? { count: 3, milliseconds: 40 } : { count: 8, milliseconds: 100 };

/** What is measured of each implementation: CPU microseconds for one report. */
interface Costs {
  readonly shard: number;
  readonly leaderInit: number;
  readonly helperInit: number;
}

interface Case {
  readonly name: string;
  readonly configuration: VdafConfiguration;
  readonly measurement: unknown;
  /** The same for the TypeScript package. */
  readonly other?: unknown;
}

const fill = (length: number, value: number): number[] => Array.from({ length }, () => value);

const CASES: readonly Case[] = [
  { name: 'Count', configuration: { kind: 'count' }, measurement: 1, other: true },
  { name: 'Sum 8 bit', configuration: { kind: 'sum', maxMeasurement: 2 ** 8 - 1 }, measurement: 100 },
  { name: 'Sum 32 bit', configuration: { kind: 'sum', maxMeasurement: 2 ** 32 - 1 }, measurement: 100 },
  ...[10, 100, 1000].map((length): Case => {
    const configuration = { kind: 'histogram', length, chunkLength: bestChunkLength(length) } as const;
    return { name: `Histogram ${length}`, configuration, measurement: 3 };
  }),
  sumVec(100, 8),
  sumVec(1000, 1),
  {
    name: 'LinReg 3 features of 16 bit',
    configuration: { kind: 'linReg', maxValues: fill(4, 2 ** 16 - 1) },
    measurement: fill(4, 1000),
  },
];

function sumVec(length: number, bits: number): Case {
  const chunkLength = bestChunkLength(length * bits);
  const configuration = { kind: 'sumVec', length, maxMeasurement: 2 ** bits - 1, chunkLength } as const;
  return { name: `SumVec ${length} of ${bits} bit`, configuration, measurement: fill(length, 1) };
}

const context = {
  ctx: randomBytes(38),
  verifyKey: randomBytes(32),
  aggregationParameter: new Uint8Array(0),
};

/** This kit. */
async function measureOurs({ configuration, measurement }: Case): Promise<Costs> {
  const vdaf = createVdaf(configuration) as Vdaf<unknown, unknown>;
  const nonce = randomBytes(16);
  const sharded = Array.from({ length: BATCH }, () => {
    const id = randomBytes(16);
    return { nonce: id, ...vdaf.shard(context.ctx, measurement, id, randomBytes(vdaf.randSize)) };
  });
  const sharesOf = (side: 0 | 1): ReportShare[] =>
    sharded.map(({ nonce: id, publicShare, inputShares }) => ({
      nonce: id,
      publicShare,
      inputShare: inputShares[side],
    }));
  const forLeader = sharesOf(0);
  const sent = vdaf.leaderInit(context, forLeader);
  const forHelper = sharesOf(1).map((share, i) => {
    const transition = sent[i];
    if (transition?.kind !== 'continued') throw new Error('The leader does not go on');
    return { ...share, inbound: transition.outbound };
  });
  const verified = vdaf.helperInit(context, forHelper);
  if (!verified.every(({ kind }) => kind === 'finished')) throw new Error('The helper does not accept');
  return {
    shard: await bestOfSlices(() => vdaf.shard(context.ctx, measurement, nonce, randomBytes(vdaf.randSize)), SLICES),
    leaderInit: (await bestOfSlices(() => vdaf.leaderInit(context, forLeader), SLICES)) / BATCH,
    helperInit: (await bestOfSlices(() => vdaf.helperInit(context, forHelper), SLICES)) / BATCH,
  };
}

/** The crate, in a process of its own. */
async function measurePrio(peer: PrioPeer, { configuration, measurement }: Case): Promise<Costs | undefined> {
  if (configuration.kind === 'linReg') return undefined;
  const result = await peer.run({
    op: 'bench',
    ...jobOf({ configuration, ...context }),
    measurement: written(measurement),
    nonce: randomBytes(16).toString('hex'),
    slices: SLICES.count,
    slice_ms: SLICES.milliseconds,
  });
  if (result['error'] !== undefined) throw new Error(`prio says: ${JSON.stringify(result['error'])}`);
  return {
    shard: Number(result['shard']),
    leaderInit: Number(result['leader_init']),
    helperInit: Number(result['helper_init']),
  };
}

/** The TypeScript package. */
async function measurePrio3(instance: Prio3Instance | undefined, one: Case): Promise<Costs | undefined> {
  if (instance === undefined) return undefined;
  const [nonce, key] = [randomBytes(16), randomBytes(16)];
  const shard = async () => {
    const sharded = await instance.shard(one.other ?? one.measurement, nonce, randomBytes(instance.randSize));
    instance.encodePublicShare(sharded.publicShare);
    for (const share of sharded.inputShares) instance.encodeInputShare(share);
    return sharded;
  };
  const { publicShare, inputShares } = await shard();
  const init = async (id: 0 | 1) => {
    const prepared = await instance.prepareInit(key, id, null, nonce, publicShare, inputShares[id]);
    instance.encodePreparationShare(prepared.preparationShare);
    return prepared;
  };
  const { preparationShare: leaderShare } = await init(0);
  const helperInit = async () => {
    const { preparationState, preparationShare } = await init(1);
    const message = await instance.unshardPreparationShares(null, [leaderShare, preparationShare]);
    instance.encodePreparationMessage(message);
    return instance.prepareNext(preparationState, message);
  };
  return {
    shard: await bestOfSlices(shard, SLICES),
    leaderInit: await bestOfSlices(() => init(0), SLICES),
    helperInit: await bestOfSlices(helperInit, SLICES),
  };
}

const STEPS = [
  { step: 'shard', title: 'shard' },
  { step: 'leaderInit', title: 'leader starts' },
  { step: 'helperInit', title: 'helper verifies' },
] as const;

function rowsOf(name: string, ours: Costs, prio: Costs | undefined, prio3: Costs | undefined): Row[] {
  return STEPS.map(({ step, title }) => {
    const note = [
      ...(prio === undefined ? [] : [`prio ${prio[step].toFixed(1)} µs`]),
      ...(prio3 === undefined ? [] : [`prio3 (TS) ${prio3[step].toFixed(0)} µs, ${times(prio3[step] / ours[step])}`]),
    ].join(', ');
    return {
      name: `${name}: ${title}`,
      cpuMicros: ours[step],
      ratios: prio === undefined ? {} : { prio: ours[step] / prio[step] },
      note: note === '' ? 'nobody else has it' : note,
    };
  });
}

function times(factor: number): string {
  return `${factor.toFixed(0)} times as much`;
}

async function main(): Promise<void> {
  const say = (line: string): void => console.error(line);
  const peer = startPrio(buildPrioPeer(say));
  try {
    const prio3 = await loadPrio3(say);
    const rows: Row[] = [];
    for (const one of CASES.filter(({ name }) => name.toLowerCase().includes(options.only.toLowerCase()))) {
      say(one.name);
      const ours = await measureOurs(one);
      rows.push(
        ...rowsOf(one.name, ours, await measurePrio(peer, one), await measurePrio3(prio3(one.configuration), one)),
      );
    }
    const { prio } = await peer.run({ op: 'version' });
    report('VDAF, one report', rows, { prio: String(prio), prio3: '0.8.0 (VDAF 08)', batch: String(BATCH) });
  } finally {
    await peer.stop();
  }
}

try {
  await main();
} catch (error) {
  if (!(error instanceof ToolchainMissing)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
