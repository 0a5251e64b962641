/** What is different between the roles of a process: what they start from, and what they take up later. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import {
  createReplayTable,
  type LogEvent,
  loadReplayTable,
  type Metrics,
  type ReplayTable,
  RuntimeError,
  readSecretFile,
  systemClock,
  systemRandom,
} from '@privacy-edge/node';
import { type Environment, SECRET_VARIABLES } from '../config/environment.ts';
import type {
  AnalyticsHelperSection,
  AnalyticsLeaderSection,
  GatewaySection,
  RelaySection,
  SectionName,
} from '../config/types.ts';
import { type KeyMaterial, readKeyMaterial } from '../keys/source.ts';
import type { ReplayStart } from './gateway-role.ts';
import { replayWindowMs } from './gateway-settings.ts';
import { replayStateFile } from './paths.ts';
import { pruneKeys } from './reload.ts';
import type { PlainCertificate } from './role.ts';
import type { RoleStart, RoleUpdate } from './start.ts';

/** A role's own section, and the folder that its file names start from. */
export interface OwnSection {
  readonly role: SectionName;
  readonly folder: string;
  readonly settings: GatewaySection | RelaySection | AnalyticsLeaderSection | AnalyticsHelperSection;
}

/** What is different between the roles. */
export interface Duty {
  /** Reads what the threads start from. */
  prepare(
    section: OwnSection,
    port: number,
    certificate: PlainCertificate | undefined,
    metrics: Metrics,
  ): Promise<RoleStart>;
  /** Updates after a reload. */
  reload(before: OwnSection, after: OwnSection): Promise<readonly RoleUpdate[]>;
  /** Updates as time passes. */
  upkeep(log: LogEvent): Promise<readonly RoleUpdate[]>;
  /** After the last request. */
  afterDrain(section: OwnSection): Promise<void>;
  /** Further URLs for people and programs. */
  urls(section: OwnSection, url: string): Readonly<Record<string, unknown>>;
  /** Keys of the section that a reload takes up, besides the files of `tls`. */
  readonly reloadable: readonly string[];
}

/** Of a gateway: keys, replay window, targets. */
export function gatewayDuty(environment: Environment): Duty {
  let material: KeyMaterial | undefined;
  let table: ReplayTable | undefined;
  const own = (section: OwnSection): GatewaySection => section.settings as GatewaySection;
  return {
    reloadable: ['keys', 'targets'],
    prepare: async (section, port, certificate, metrics) => {
      const settings = own(section);
      material = await readKeyMaterial(settings.keys, section.folder, environment);
      const replay = await prepareReplay(settings, section.folder, environment);
      if (replay.table !== undefined) watchTable(replay.table, metrics);
      table = replay.table;
      const place = { port, reusePort: settings.sharePort || settings.workers > 1, certificate };
      const extraRoots = await readRoots(settings.caFile, section.folder);
      return { role: 'gateway', section: settings, place, keys: material, replay: replay.start, extraRoots };
    },
    reload: async (_before, after) => {
      material = await readKeyMaterial(own(after).keys, after.folder, environment);
      return [
        { kind: 'keys', keys: material },
        { kind: 'targets', targets: own(after).targets },
      ];
    },
    upkeep: async (log) => {
      const pruned = material === undefined ? undefined : await pruneKeys(material, log);
      if (pruned === undefined) return [];
      material = pruned;
      return [{ kind: 'keys', keys: pruned }];
    },
    afterDrain: async (section) => {
      const stateFile = replayStateFile(own(section));
      if (table !== undefined && stateFile !== undefined)
        await table.save(resolve(section.folder, stateFile), systemClock());
    },
    urls: (section, url) => ({ gatewayUrl: url + own(section).gatewayPath, keysUrl: url + own(section).keysPath }),
  };
}

/** Of a relay: its gateways. */
export function relayDuty(): Duty {
  const own = (section: OwnSection): RelaySection => section.settings as RelaySection;
  return {
    reloadable: ['gateways', 'rateLimit', 'corsOrigins', 'name'],
    prepare: async (section, port, certificate) => {
      const settings = own(section);
      const place = { port, reusePort: settings.sharePort || settings.workers > 1, certificate };
      const extraRoots = await readRoots(settings.caFile, section.folder);
      return { role: 'relay', section: settings, place, extraRoots };
    },
    reload: async (before, after) =>
      // A relay made anew knows no keys; one that goes on would serve those of before an emergency.
      isDeepStrictEqual(before.settings, after.settings)
        ? [{ kind: 'renew-keys' }]
        : [{ kind: 'gateways', section: own(after) }],
    upkeep: async () => [],
    afterDrain: async () => undefined,
    urls: (section, url) => ({
      relays: Object.fromEntries(own(section).gateways.map((gateway) => [gateway.name, relayUrls(gateway, url)])),
    }),
  };
}

function relayUrls(gateway: RelaySection['gateways'][number], url: string): Readonly<Record<string, string>> {
  const { path, keysUrl, discover } = gateway;
  const servesKeys = (keysUrl ?? discover) !== undefined;
  return { url: url + path, ...(servesKeys ? { keysUrl: `${url}${path === '/' ? '' : path}/keys` } : {}) };
}

interface PreparedReplay {
  readonly start: ReplayStart;
  readonly table: ReplayTable | undefined;
}

async function prepareReplay(
  section: GatewaySection,
  folder: string,
  environment: Environment,
): Promise<PreparedReplay> {
  const { replay } = section;
  if (replay.store === 'redis') {
    const url =
      replay.redisUrl ??
      environment[SECRET_VARIABLES.gatewayRedisUrl] ??
      (await secretText(replay.redisUrlFile, folder));
    return { start: { kind: 'redis', url }, table: undefined };
  }
  const windowMs = replayWindowMs(section);
  const stateFile = replayStateFile(section);
  const sizes = { capacity: replay.capacity, windowMs, clock: systemClock, random: systemRandom };
  const table =
    stateFile === undefined ? createReplayTable(sizes) : await loadReplayTable(resolve(folder, stateFile), sizes);
  return { start: { kind: 'table', handle: table.handle }, table };
}

function watchTable(table: ReplayTable, metrics: Metrics): void {
  metrics.observedGauge(
    'gateway_replay_window_fill',
    'Part of the replay window in use, 0 to 1',
    () => table.stats().fill,
  );
}

async function secretText(file: string | undefined, folder: string): Promise<string> {
  return new TextDecoder().decode(await readSecretFile(resolve(folder, file ?? ''))).trim();
}

/** Certificate authorities of a PEM file; none where there is no file. */
export async function readRoots(file: string | undefined, folder: string): Promise<readonly string[]> {
  if (file === undefined) return [];
  const path = resolve(folder, file);
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new RuntimeError('FILE_FAILED', `Cannot read ${path}`, { cause });
  });
  return text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
}
