/** The rows about VDAFs: each kind, with either implementation as the leader and the other as the helper. */
import { randomBytes } from 'node:crypto';
import { exchange, expectSame, type SentReport, type Tamper, type Verdict } from './exchange.ts';
import type { Batch, Implementation } from './implementation.ts';
import { type Draw, drawFrom, drawInstance, type Instance, KINDS, type Kind } from './instances.ts';
import { OURS } from './ours.ts';
import { type PrioPeer, prio, startPrio } from './prio.ts';

/** Random parameters that a row tries. */
const INSTANCES = 12;
/** Reports of each client for each of them. */
const REPORTS = 3;
/** Spoiled reports for each part of a report that can be spoiled. */
const SPOILED = 2;

/** One kind of VDAF and who is who. */
export interface VdafRow {
  readonly title: string;
  readonly kind: Kind;
  readonly weLead: boolean;
}

/** All of them. */
export function vdafRows(): VdafRow[] {
  return KINDS.flatMap((kind) =>
    [true, false].map((weLead) => {
      const [leader, helper] = weLead ? ['privacy-edge', 'prio'] : ['prio', 'privacy-edge'];
      return { title: `vdaf ${kind}: leader ${leader}, helper ${helper}`, kind, weLead };
    }),
  );
}

/** Runs rows with one process of the peer; tells how each came out. */
export async function runVdafRows(
  rows: readonly VdafRow[],
  program: string,
  seed: number,
  tell: (row: VdafRow, error?: unknown) => void,
): Promise<number> {
  let failed = 0;
  for (const row of rows) {
    const peer = startPrio(program);
    try {
      await runRow(row, peer, seed);
      tell(row);
    } catch (error) {
      tell(row, new Error(`with seed ${seed}`, { cause: error }));
      failed++;
    } finally {
      await peer.stop();
    }
  }
  return failed;
}

async function runRow({ kind, weLead }: VdafRow, peer: PrioPeer, seed: number): Promise<void> {
  const draw = drawFrom(seed + KINDS.indexOf(kind));
  const theirs = prio(peer);
  const sides = weLead ? ([OURS, theirs] as const) : ([theirs, OURS] as const);
  for (let i = 0; i < INSTANCES; i++) {
    const instance = drawInstance(kind, draw, 2 * REPORTS);
    try {
      await runInstance(instance, sides, draw);
    } catch (error) {
      throw new Error(JSON.stringify(instance.configuration), { cause: error });
    }
  }
}

type Sides = readonly [Implementation, Implementation];

async function runInstance(instance: Instance, sides: Sides, draw: Draw): Promise<void> {
  const batch: Batch = { ...instance, ctx: randomBytes(draw(40)), verifyKey: randomBytes(32) };
  const reports = await makeReports(batch, instance, sides);
  const outShares: [Uint8Array[], Uint8Array[]] = [[], []];
  for (const [i, report] of reports.entries()) {
    // The other implementation than the one whose turn it is takes every step too.
    for (const witness of sides) {
      const verdict = await exchange(batch, sides, report, undefined, witness);
      if (verdict.kind === 'rejected') throw new Error(`Report ${i} is rejected at message ${verdict.message}`);
      if (witness !== sides[0]) continue;
      outShares[0].push(verdict.outShares[0]);
      outShares[1].push(verdict.outShares[1]);
    }
  }
  await checkResult(batch, instance, sides, outShares);
  for (const report of reports.slice(REPORTS - 1, REPORTS + 1)) await checkSpoiled(batch, report, sides, draw);
}

/** The first half by one client, the second by the other. */
async function makeReports(batch: Batch, { measurements }: Instance, sides: Sides): Promise<SentReport[]> {
  const reports: SentReport[] = [];
  for (const [i, measurement] of measurements.entries()) {
    const nonce = randomBytes(16);
    const client = i < measurements.length / 2 ? sides[0] : sides[1];
    reports.push({ nonce, ...(await client.shard(batch, measurement, nonce)) });
  }
  return reports;
}

async function checkResult(
  batch: Batch,
  { measurements, result }: Instance,
  sides: Sides,
  [leader, helper]: readonly [Uint8Array[], Uint8Array[]],
): Promise<void> {
  const shares = [await sides[0].aggregate(batch, leader), await sides[1].aggregate(batch, helper)] as const;
  for (const [i, outShares] of [leader, helper].entries()) {
    const other = await (i === 0 ? sides[1] : sides[0]).aggregate(batch, outShares);
    expectSame(`aggregate share ${i}`, Buffer.from(other), Buffer.from(shares[i === 0 ? 0 : 1]));
  }
  for (const collector of sides)
    expectSame(`result of ${collector.name}`, await collector.unshard(batch, shares, measurements.length), result);
}

/** Whoever has which role, a spoiled report comes to the same end. */
async function checkSpoiled(batch: Batch, report: SentReport, [first, second]: Sides, draw: Draw): Promise<void> {
  for (const part of PARTS) {
    for (let i = 0; i < SPOILED; i++) {
      const spoiled = part.spoil(report, draw);
      if (spoiled === undefined) continue;
      const verdicts = [];
      for (const sides of [
        [first, second],
        [second, first],
        [first, first],
        [second, second],
      ] as const)
        verdicts.push(end(await exchange(batch, sides, spoiled.report, spoiled.tamper)));
      const what = `end of a report with a spoiled ${part.name}`;
      for (const verdict of verdicts) expectSame(what, verdict, verdicts[0]);
      // A string is one among many in Poplar1: what was spoiled may be about others than those asked about.
      if (batch.configuration.kind !== 'poplar1' || part.isAlwaysFatal)
        expectSame(what, verdicts[0] === 'verified', false);
    }
  }
}

function end(verdict: Verdict): string {
  return verdict.kind === 'verified' ? 'verified' : `rejected at message ${verdict.message}`;
}

/** Something that can be spoiled. */
interface Part {
  readonly name: string;
  /** Whether it is noticed in every VDAF. */
  readonly isAlwaysFatal: boolean;
  /** Undefined when there is nothing to spoil. */
  spoil(report: SentReport, draw: Draw): { readonly report: SentReport; readonly tamper?: Tamper } | undefined;
}

const PARTS: readonly Part[] = [
  {
    name: 'public share',
    isAlwaysFatal: false,
    spoil: (report, draw) =>
      report.publicShare.length === 0
        ? undefined
        : { report: { ...report, publicShare: flipped(report.publicShare, draw) } },
  },
  {
    name: "leader's share",
    isAlwaysFatal: false,
    spoil: (report, draw) => {
      const [leader, helper] = report.inputShares;
      return { report: { ...report, inputShares: [flipped(leader, draw), helper] } };
    },
  },
  {
    name: "helper's share",
    isAlwaysFatal: false,
    spoil: (report, draw) => {
      const [leader, helper] = report.inputShares;
      return { report: { ...report, inputShares: [leader, flipped(helper, draw)] } };
    },
  },
  {
    name: 'first message',
    isAlwaysFatal: true,
    spoil: (report, draw) => ({ report, tamper: changing(0, draw(1 << 30)) }),
  },
  {
    name: 'second message',
    // A leader of Poplar1 has no use for all of it: VDAF §8.2.2 gives that part to the helper.
    isAlwaysFatal: false,
    spoil: (report, draw) => ({ report, tamper: changing(1, draw(1 << 30)) }),
  },
];

/** Changes one bit of one message: always the same one for the same choice. */
function changing(number: number, choice: number): Tamper {
  return (message, at) => (at === number ? flipped(message, (limit) => choice % limit) : message);
}

function flipped(bytes: Uint8Array, draw: Draw): Uint8Array {
  const bit = draw(8 * bytes.length);
  return bytes.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
}
