/** The Rust crate `prio` among the implementations: a process that does one step for each line. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Shards, VdafConfiguration } from '@privacy-edge/vdaf';
import type { Batch, Implementation, ReceivedReport, Step } from './implementation.ts';

/** How long a step may take. */
const STEP_MS = 30_000;

/** What the process answers. */
export type PrioResult = Readonly<Record<string, unknown>>;

/** The process. */
export interface PrioPeer {
  /** Does one job. An `error` in the result is the crate's refusal. */
  run(job: object): Promise<PrioResult>;
  stop(): Promise<void>;
}

/** Starts the process. */
export function startPrio(program: string): PrioPeer {
  const child = spawn(program, [], { stdio: ['pipe', 'pipe', 'inherit'] });
  const waiting: PromiseWithResolvers<PrioResult>[] = [];
  createInterface({ input: child.stdout }).on('line', (line) =>
    waiting.shift()?.resolve(JSON.parse(line) as PrioResult),
  );
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const fail = (): void => {
    for (const one of waiting.splice(0)) one.reject(new Error(`${program} ended before it answered`));
  };
  child.once('close', fail);
  child.once('error', fail);
  return {
    run: (job) => {
      const answer = Promise.withResolvers<PrioResult>();
      const timer = setTimeout(() => child.kill('SIGKILL'), STEP_MS);
      waiting.push(answer);
      child.stdin.write(`${JSON.stringify(job)}\n`);
      return answer.promise.finally(() => clearTimeout(timer));
    },
    stop: () => {
      child.stdin.end();
      return ended;
    },
  };
}

/** The crate in every role. */
export function prio(peer: PrioPeer): Implementation {
  const run = (op: string, batch: Batch, members: object): Promise<PrioResult> =>
    peer.run({ op, ...jobOf(batch), ...members });
  const step = async (op: string, batch: Batch, members: object): Promise<Step> =>
    readStep(await run(op, batch, members));
  return {
    name: 'prio',
    shard: async (batch, measurement, nonce) => {
      const result = await run('shard', batch, { measurement: written(measurement), nonce: hex(nonce) });
      return readShards(succeeded(result));
    },
    leaderInit: (batch, report) => step('leader_init', batch, reportOf(report)),
    helperInit: (batch, report, inbound) => step('helper_init', batch, { ...reportOf(report), inbound: hex(inbound) }),
    resume: (batch, role, state, inbound) => step('resume', batch, { role, state, inbound: hex(inbound) }),
    aggregate: async (batch, outShares) => {
      const result = await run('aggregate', batch, { out_shares: outShares.map(hex) });
      return bytes(succeeded(result)['agg_share']);
    },
    unshard: async (batch, shares, reportCount) => {
      const result = await run('unshard', batch, { agg_shares: shares.map(hex), report_count: reportCount });
      return succeeded(result)['result'];
    },
  };
}

/** A VDAF and what goes with it as the process reads it. */
export function jobOf({ configuration, ctx, verifyKey, aggregationParameter }: Batch): object {
  return {
    vdaf: writtenConfiguration(configuration),
    ctx: hex(ctx),
    verify_key: hex(verifyKey),
    agg_param: hex(aggregationParameter),
  };
}

function writtenConfiguration(configuration: VdafConfiguration): object {
  return Object.fromEntries(Object.entries(configuration).map(([name, value]) => [name, written(value)]));
}

/** Numbers as decimal text, which has no limits; truth values as they are. */
export function written(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(written);
  return typeof value === 'number' || typeof value === 'bigint' ? String(value) : value;
}

function reportOf({ nonce, publicShare, inputShare }: ReceivedReport): object {
  return { nonce: hex(nonce), public_share: hex(publicShare), input_share: hex(inputShare) };
}

function readShards(result: PrioResult): Shards {
  const [leader, helper] = result['input_shares'] as readonly unknown[];
  return { publicShare: bytes(result['public_share']), inputShares: [bytes(leader), bytes(helper)] };
}

function readStep(result: PrioResult): Step {
  if (result['panic'] === true) throw new Error('prio panics');
  if (result['error'] !== undefined) return { kind: 'rejected' };
  const outbound = result['outbound'] === undefined ? undefined : bytes(result['outbound']);
  if (result['out_share'] !== undefined) return { kind: 'finished', outShare: bytes(result['out_share']), outbound };
  if (outbound === undefined) throw new Error('prio goes on without a message');
  return { kind: 'continued', state: result['state'], outbound };
}

function succeeded(result: PrioResult): PrioResult {
  if (result['error'] !== undefined) throw new Error(`prio refuses: ${JSON.stringify(result['error'])}`);
  return result;
}

function hex(value: Uint8Array): string {
  return Buffer.from(value).toString('hex');
}

function bytes(value: unknown): Uint8Array {
  if (typeof value !== 'string') throw new Error('prio answers without bytes');
  return new Uint8Array(Buffer.from(value, 'hex'));
}
