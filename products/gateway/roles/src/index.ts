export { type ApplicationHandler, fetchFromApplication } from './application.ts';
export {
  BodyError,
  type BodyErrorCode,
  type BodySource,
  type RoleHandler,
  type RoleRequest,
  type RoleResponse,
} from './exchange.ts';
export { toFetchHandler } from './fetch-adapter.ts';
export { createGateway } from './gateway.ts';
export { defaultGatewayConfig, type GatewayConfig, type GatewayLimits, type ReplayConfig } from './gateway-config.ts';
export { type GatewayObserver, type GatewayOutcome, silentGatewayObserver } from './gateway-outcome.ts';
export type { GatewayKeys, GatewayPorts } from './gateway-ports.ts';
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
  TargetPolicy,
  type TargetQuestion,
  type TargetRule,
  type TargetRuleOptions,
  targetRule,
} from './target-policy.ts';
