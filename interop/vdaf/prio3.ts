/**
 * The TypeScript package `@divviup/prio3`, which speaks an older version of the VDAF document (08): a yardstick of speed,
 * not a peer. It is installed into a git-ignored folder.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { VdafConfiguration } from '@privacy-edge/vdaf';
import { ToolchainMissing } from '../toolchain.ts';

const folder = join(import.meta.dirname, 'prio3');
const entry = join(folder, 'node_modules/@divviup/prio3/dist/index.js');

/** What the steps of the package pass on; nothing else looks into it. */
interface Opaque {
  readonly opaque: never;
}

/** The package's own interface, as far as it is measured. */
export interface Prio3Instance {
  readonly randSize: number;
  shard(
    measurement: unknown,
    nonce: Uint8Array,
    rand: Uint8Array,
  ): Promise<{ readonly publicShare: Opaque; readonly inputShares: readonly [Opaque, Opaque] }>;
  prepareInit(
    verifyKey: Uint8Array,
    aggregatorId: number,
    aggregationParameter: null,
    nonce: Uint8Array,
    publicShare: Opaque,
    inputShare: Opaque,
  ): Promise<{ readonly preparationState: Opaque; readonly preparationShare: Opaque }>;
  unshardPreparationShares(aggregationParameter: null, shares: readonly Opaque[]): Promise<Opaque>;
  prepareNext(state: Opaque, message: Opaque): unknown;
  encodeInputShare(share: Opaque): Uint8Array;
  encodePublicShare(share: Opaque): Uint8Array;
  encodePreparationShare(share: Opaque): Uint8Array;
  encodePreparationMessage(message: Opaque): Uint8Array;
}

type Constructor = new (parameters: Readonly<Record<string, number>>) => Prio3Instance;

/**
 * Installs the package where it is not, and loads it.
 *
 * @returns a function that makes an instance; undefined for what the package does not have
 * @throws {ToolchainMissing} when it cannot be installed
 */
export async function loadPrio3(
  report: (line: string) => void,
): Promise<(configuration: VdafConfiguration) => Prio3Instance | undefined> {
  if (!existsSync(entry)) install(report);
  const classes = (await import(pathToFileURL(entry).href)) as Readonly<Record<string, Constructor>>;
  return (configuration) => {
    const described = describe(configuration);
    const Class = described && classes[described.name];
    return Class && new Class({ shares: 2, ...described.parameters });
  };
}

function install(report: (line: string) => void): void {
  report('fetching @divviup/prio3');
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const { status } = spawnSync('npm', args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new ToolchainMissing('Cannot install @divviup/prio3: npm ci failed in interop/vdaf/prio3');
}

interface Described {
  readonly name: string;
  readonly parameters: Readonly<Record<string, number>>;
}

/** The package counts bits where newer versions of the document have a largest value. */
function describe(configuration: VdafConfiguration): Described | undefined {
  const bits = (max: number | bigint): number => max.toString(2).length;
  if (configuration.kind === 'count') return { name: 'Prio3Count', parameters: {} };
  if (configuration.kind === 'sum')
    return { name: 'Prio3Sum', parameters: { bits: bits(configuration.maxMeasurement) } };
  if (configuration.kind === 'sumVec') {
    const { length, maxMeasurement, chunkLength = 1 } = configuration;
    return { name: 'Prio3SumVec', parameters: { length, chunkLength, bits: bits(maxMeasurement) } };
  }
  if (configuration.kind !== 'histogram') return undefined;
  const { length, chunkLength = 1 } = configuration;
  return { name: 'Prio3Histogram', parameters: { length, chunkLength } };
}
