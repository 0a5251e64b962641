export { type ApplicationHandler, fetchFromApplication } from './application.ts';
export { toFetchHandler } from './fetch-adapter.ts';
export { createGateway } from './gateway.ts';
export { defaultGatewayConfig, type GatewayConfig, type GatewayLimits, type ReplayConfig } from './gateway-config.ts';
export { type GatewayObserver, type GatewayOutcome, silentGatewayObserver } from './gateway-outcome.ts';
export type { GatewayKeys, GatewayPorts } from './gateway-ports.ts';
export { streamFromIterable } from './iterable-stream.ts';
export {
  advanceKeySchedule,
  type KeyEpoch,
  type KeyRing,
  KeySchedule,
  KeyScheduleError,
  type KeyScheduleState,
  type KeySegment,
  type KeyState,
  rotateKeySchedule,
} from './key-schedule.ts';
export { withGateway } from './middleware.ts';
export { type PaddingPolicy, paddedLength } from './padding.ts';
export {
  type Clock,
  type FetchTarget,
  type Forward,
  ForwardError,
  type ForwardErrorCode,
  type ForwardRequest,
  type ForwardResponse,
  type RandomSource,
  type ReplayOutcome,
  type ReplayStore,
  TargetError,
  type TargetErrorCode,
  type TargetInformational,
  type TargetRequest,
  type TargetResponse,
  type TargetRoute,
} from './ports.ts';
export {
  type GatewayPrivacyOptions,
  gatewayPrivacy,
  type KeptFact,
  type PrivacyDeclaration,
  type RelayPrivacyOptions,
  relayPrivacy,
  servePrivacyNotice,
} from './privacy-notice.ts';
export { ClientLimits, ConcurrencyLimiter, prefixOf, RateLimiter } from './rate-limit.ts';
export {
  type Admission,
  type AdmissionRequest,
  createRelay,
  type RelayClient,
  type RelayHandler,
  type RelayPorts,
  type RelayRole,
} from './relay.ts';
export type { RateLimitConfig, RelayConfig, RelayGateway } from './relay-config.ts';
export { type LookupService, type ServiceHint, WELL_KNOWN_GATEWAY_PATH } from './relay-discovery.ts';
export { RelayError, type RelayErrorCode } from './relay-error.ts';
export {
  type ObserveRelay,
  type RelayEvent,
  type RelayOutcome,
  type SizeBucket,
  sizeBucket,
} from './relay-observation.ts';
export { type DiscoveredGateway, type ProbePorts, probeGateway } from './relay-probe.ts';
export {
  TargetPolicy,
  type TargetQuestion,
  type TargetRule,
  type TargetRuleOptions,
  targetRule,
} from './target-policy.ts';
