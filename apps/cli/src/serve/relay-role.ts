/** The relay role composed with its ports. */
import { isDeepStrictEqual } from 'node:util';
import {
  ClientLimits,
  createRelay,
  type Forward,
  type RelayEvent,
  type RelayHandler,
  type RelayOutcome,
  type RelayRole,
  relayPrivacy,
  type SizeBucket,
} from '@privacy-edge/gateway-roles';
import { createForward, type Metrics, type OutboundOptions, serveRelay, systemClock } from '@privacy-edge/node';
import type { RelaySection } from '../config/types.ts';
import { relaySettings } from './relay-settings.ts';
import {
  listenerOptions,
  type Place,
  type RoleHost,
  type RunningRole,
  runningRole,
  withPrivacyNotice,
} from './role.ts';

/** What a relay thread starts from. */
export interface RelayStart {
  readonly role: 'relay';
  readonly section: RelaySection;
  readonly place: Place;
  /** PEM certificates to trust for gateways besides the usual ones. */
  readonly extraRoots: readonly string[];
}

/** What a relay takes up while it runs. */
export type RelayUpdate =
  | { readonly kind: 'gateways'; readonly section: RelaySection }
  /** Gateways may have other keys now. */
  | { readonly kind: 'renew-keys' };

/** Parts of a relay that a demonstration replaces; nothing in a configuration leads here. */
export interface RelayHooks {
  readonly wrap?: (handler: RelayHandler) => RelayHandler;
  readonly wrapForward?: (forward: Forward) => Forward;
  readonly outbound?: OutboundOptions;
}

/** Starts a relay in this thread. */
export async function startRelay(
  start: RelayStart,
  host: RoleHost,
  hooks: RelayHooks = {},
): Promise<RunningRole<RelayUpdate>> {
  const { section } = start;
  const forwarder = createForward({ extraRoots: start.extraRoots, ...hooks.outbound });
  const forward = hooks.wrapForward?.(forwarder.forward) ?? forwarder.forward;
  const observe = relayMetrics(host.metrics, section, () => forwarder.inFlight);
  let { rateLimit } = section;
  let limits = limitsOf(section);
  const make = (current: RelaySection): RelayRole =>
    createRelay({ forward, clock: systemClock, observe, limits }, relaySettings(current));
  let relay = make(section);
  const declaration = relayPrivacy({ rateLimited: section.rateLimit !== undefined });
  const handler: RelayHandler = withPrivacyNotice(declaration, (request, client) => relay(request, client));
  const listener = await serveRelay(hooks.wrap?.(handler) ?? handler, listenerOptions(section, start.place, host.log));
  return runningRole<RelayUpdate>(listener, {
    update: (update) => {
      if (update.kind === 'renew-keys') relay.renewKeys();
      else {
        // Whoever is held back must not be let go by a change of something else.
        if (!isDeepStrictEqual(update.section.rateLimit, rateLimit)) limits = limitsOf(update.section);
        rateLimit = update.section.rateLimit;
        relay = make(update.section);
      }
    },
    ready: () => true,
    close: (graceMs) => forwarder.close(graceMs),
  });
}

function limitsOf({ rateLimit }: RelaySection): ClientLimits | undefined {
  return rateLimit === undefined ? undefined : new ClientLimits(rateLimit);
}

const OUTCOMES = [
  'answered',
  'gateway-refused',
  'gateway-failed',
  'cut-short',
  'refused',
  'unroutable',
  'rate-limited',
  'not-admitted',
  'client-gone',
  'preflight',
  'failed',
] as const satisfies readonly RelayOutcome[];

/** Fails to compile when the role gets an outcome that is not counted. */
type Uncounted = Exclude<RelayOutcome, (typeof OUTCOMES)[number]>;
const complete: Uncounted extends never ? true : Uncounted = true;
void complete;

const RESOURCES = ['messages', 'keys', 'none'] as const satisfies readonly RelayEvent['resource'][];
const BUCKETS = ['0', '1Ki', '16Ki', '256Ki', '4Mi', 'more'] as const satisfies readonly SizeBucket[];
/** Gateways that get a label value of their own. */
const MAX_NAMES = 100;

function relayMetrics(metrics: Metrics, section: RelaySection, inFlight: () => number): (event: RelayEvent) => void {
  const names = [...section.gateways.slice(0, MAX_NAMES).map((gateway) => gateway.name), 'other'];
  const requests = metrics.counter({
    name: 'relay_requests_total',
    help: 'Requests by outcome',
    labels: { resource: RESOURCES, outcome: OUTCOMES },
  });
  const byGateway = metrics.counter({
    name: 'relay_gateway_requests_total',
    help: 'Requests by gateway, and whether they were answered',
    labels: { gateway: names, answered: ['true', 'false'] },
  });
  const sizes = metrics.counter({
    name: 'relay_messages_total',
    help: 'Messages by direction and upper bound of their size',
    labels: { direction: ['request', 'response'], size: BUCKETS },
  });
  metrics.observedGauge('relay_gateway_requests_in_flight', 'Requests to gateways under way', inFlight);
  const known = new Set(names);
  return (event) => {
    requests.at({ resource: event.resource, outcome: event.outcome }).add();
    const gateway = known.has(event.gateway) ? event.gateway : 'other';
    byGateway.at({ gateway, answered: event.outcome === 'answered' ? 'true' : 'false' }).add();
    if (event.resource !== 'messages') return;
    sizes.at({ direction: 'request', size: event.requestBytes }).add();
    sizes.at({ direction: 'response', size: event.responseBytes }).add();
  };
}
