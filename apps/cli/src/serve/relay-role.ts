/** The relay role composed with its ports. */
import {
  createRelay,
  type Forward,
  type RelayEvent,
  type RelayHandler,
  type RelayOutcome,
  relayPrivacy,
  type SizeBucket,
  servePrivacyNotice,
} from '@privacy-edge/gateway-roles';
import { createForward, type Metrics, type OutboundOptions, serveRelay, systemClock } from '@privacy-edge/node';
import type { RelaySection } from '../config/types.ts';
import { isPath } from './gateway-role.ts';
import { PRIVACY_NOTICE_PATH } from './paths.ts';
import { relaySettings } from './relay-settings.ts';
import {
  type CertificateUpdate,
  listenerOptions,
  type Place,
  type RoleHost,
  type RunningRole,
  revive,
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
  const notice = servePrivacyNotice(relayPrivacy({ rateLimited: section.rateLimit !== undefined }));
  let relay = createRelay({ forward, clock: systemClock, observe }, relaySettings(section));
  const handler: RelayHandler = (request, client) =>
    isPath(request.path, PRIVACY_NOTICE_PATH) ? notice(request) : relay(request, client);
  const listener = await serveRelay(hooks.wrap?.(handler) ?? handler, listenerOptions(section, start.place, host.log));
  return {
    listener,
    apply: (update: RelayUpdate | CertificateUpdate) => {
      if (update.kind === 'certificate') listener.setCertificate(revive(update.certificate));
      else if (update.kind === 'renew-keys') relay.renewKeys();
      else relay = createRelay({ forward, clock: systemClock, observe }, relaySettings(update.section));
    },
    ready: () => true,
    drain: async (graceMs) => {
      const clean = await listener.close(graceMs);
      await forwarder.close(graceMs);
      return clean;
    },
  };
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
