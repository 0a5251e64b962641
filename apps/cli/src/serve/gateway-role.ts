/** The gateway role composed with its ports. */

import { Secret } from '@privacy-edge/bytes';
import {
  createGateway,
  type FetchTarget,
  type GatewayKeys,
  type GatewayObserver,
  type GatewayOutcome,
  gatewayPrivacy,
  type ReplayStore,
} from '@privacy-edge/gateway-roles';
import type { RoleHandler } from '@privacy-edge/http-exchange';
import {
  attachReplayTable,
  createFetchTarget,
  createRedisReplayStore,
  type Metrics,
  type OutboundOptions,
  type RedisReplayStore,
  type ReplayTableHandle,
  serve,
  systemClock,
  systemRandom,
} from '@privacy-edge/node';
import type { GatewaySection, TargetSection } from '../config/types.ts';
import { type KeyMaterial, openKeys } from '../keys/source.ts';
import { gatewaySettings, replaySkewMs, replayWindowMs } from './gateway-settings.ts';
import { replayStateFile } from './paths.ts';
import {
  listenerOptions,
  type Place,
  type RoleHost,
  type RunningRole,
  runningRole,
  withPrivacyNotice,
} from './role.ts';

/** The shared memory of one process, or a store that several processes share. */
export type ReplayStart =
  | { readonly kind: 'table'; readonly handle: ReplayTableHandle }
  | { readonly kind: 'redis'; readonly url: string };

/** What a gateway thread starts from. Holds secrets. */
export interface GatewayStart {
  readonly role: 'gateway';
  readonly section: GatewaySection;
  readonly place: Place;
  readonly keys: KeyMaterial;
  readonly replay: ReplayStart;
  /** PEM certificates to trust for targets besides the usual ones. */
  readonly extraRoots: readonly string[];
}

/** What a gateway takes up while it runs. */
export type GatewayUpdate =
  | { readonly kind: 'keys'; readonly keys: KeyMaterial }
  | { readonly kind: 'targets'; readonly targets: readonly TargetSection[] };

/** Parts of a gateway that a demonstration replaces; nothing in a configuration leads here. */
export interface GatewayHooks {
  readonly wrap?: (handler: RoleHandler) => RoleHandler;
  readonly wrapFetchTarget?: (fetchTarget: FetchTarget) => FetchTarget;
  readonly outbound?: OutboundOptions;
}

/** Starts a gateway in this thread. */
export async function startGateway(
  start: GatewayStart,
  host: RoleHost,
  hooks: GatewayHooks = {},
): Promise<RunningRole<GatewayUpdate>> {
  let { section } = start;
  let keys = openKeys(start.keys);
  const current: GatewayKeys = { ringAt: (nowMs) => keys.ringAt(nowMs) };
  const replay = openReplay(start, host);
  const targets = createFetchTarget({ extraRoots: start.extraRoots, ...hooks.outbound });
  const fetchTarget = hooks.wrapFetchTarget?.(targets.fetchTarget) ?? targets.fetchTarget;
  const observer = gatewayMetrics(host.metrics, () => targets.inFlight);
  const make = (): RoleHandler => {
    const ports = {
      keys: current,
      fetchTarget,
      replay,
      clock: systemClock,
      random: systemRandom,
      observer,
    };
    return createGateway(ports, gatewaySettings(section));
  };
  let gateway = make();
  const handler = withPrivacyNotice(declaration(section), (request) => gateway(request));
  // Deriving the first keys here makes a schedule that cannot work a failure to start, not of the first request.
  await keys.ringAt(systemClock());
  if (isRedis(replay)) await replay.connected();
  const listener = await serve(hooks.wrap?.(handler) ?? handler, listenerOptions(section, start.place, host.log));
  return runningRole<GatewayUpdate>(listener, {
    update: (update) => {
      if (update.kind === 'keys') keys = openKeys(update.keys);
      else {
        section = { ...section, targets: update.targets };
        gateway = make();
      }
    },
    ready: () => !isRedis(replay) || replay.ready,
    close: async (graceMs) => {
      await targets.close(graceMs);
      if (isRedis(replay)) await replay.close();
    },
  });
}

function openReplay(start: GatewayStart, host: RoleHost): ReplayStore | RedisReplayStore {
  if (start.replay.kind === 'table') return attachReplayTable(start.replay.handle, systemClock);
  return createRedisReplayStore({
    url: new Secret(start.replay.url),
    fingerprintKey: new Secret(start.keys.shared),
    windowMs: replayWindowMs(start.section),
    skewMs: replaySkewMs(start.section),
    clock: systemClock,
    log: host.log,
  });
}

function isRedis(store: ReplayStore | RedisReplayStore): store is RedisReplayStore {
  return 'connected' in store;
}

function declaration(section: GatewaySection): ReturnType<typeof gatewayPrivacy> {
  const kept = replayStateFile(section) === undefined ? 'memory' : 'memory and file';
  const windowMs = replayWindowMs(section);
  return section.replay.store === 'redis'
    ? gatewayPrivacy({ replayStore: 'shared store', replayWindowMs: windowMs + replaySkewMs(section) })
    : gatewayPrivacy({ replayStore: kept, replayWindowMs: windowMs });
}

const OUTCOMES = [
  'answered',
  'not-found',
  'method',
  'media-type',
  'too-large',
  'body-timeout',
  'aborted',
  'malformed-message',
  'key-unknown',
  'open-failed',
  'replay-known',
  'malformed-request',
  'expect',
  'policy',
  'date',
  'replayed',
  'forgotten',
  'replay-full',
  'replay-unavailable',
  'target-failed',
  'response-too-large',
  'keys',
  'fault',
] as const satisfies readonly GatewayOutcome[];

/** Fails to compile when the role gets an outcome that is not counted. */
type Uncounted = Exclude<GatewayOutcome, (typeof OUTCOMES)[number]>;
const complete: Uncounted extends never ? true : Uncounted = true;
void complete;

const TARGET_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

function gatewayMetrics(metrics: Metrics, inFlight: () => number): GatewayObserver {
  const requests = metrics.counter({
    name: 'gateway_requests_total',
    help: 'Requests by outcome',
    labels: { outcome: OUTCOMES, message: ['whole', 'chunked'] },
  });
  const seconds = metrics.histogram(
    { name: 'gateway_target_seconds', help: 'Time until the header of a target response', labels: {} },
    TARGET_SECONDS,
  );
  metrics.observedGauge('gateway_target_requests_in_flight', 'Requests to targets under way', inFlight);
  const observed = seconds.at({});
  const counters = new Map(
    OUTCOMES.flatMap((outcome) =>
      (['whole', 'chunked'] as const).map((message) => [`${outcome} ${message}`, requests.at({ outcome, message })]),
    ),
  );
  return {
    ended: (outcome, chunked) => counters.get(`${outcome} ${chunked ? 'chunked' : 'whole'}`)?.add(),
    targetAnswered: (elapsedMs) => observed.observe(elapsedMs / 1000),
  };
}
