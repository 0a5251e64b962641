/** What the steps of a gateway share. */
import type { DecodeLimits } from '@privacy-edge/bhttp';
import type { GatewayConfig } from './gateway-config.ts';
import { type GatewayObserver, silentGatewayObserver } from './gateway-outcome.ts';
import type { GatewayPorts } from './gateway-ports.ts';
import { ReplayGuard } from './replay-guard.ts';
import { TargetPolicy } from './target-policy.ts';

/** Ports, configuration and what follows from them. */
export interface GatewayContext {
  readonly ports: GatewayPorts;
  readonly config: GatewayConfig;
  readonly observer: GatewayObserver;
  readonly policy: TargetPolicy;
  readonly guard: ReplayGuard;
  readonly decodeLimits: Partial<DecodeLimits>;
}

/** Prepares a gateway. */
export function createGatewayContext(ports: GatewayPorts, config: GatewayConfig): GatewayContext {
  const { maxFieldSectionBytes, maxFields } = config.limits;
  return {
    ports,
    config,
    observer: ports.observer ?? silentGatewayObserver,
    policy: new TargetPolicy(config.targets),
    guard: new ReplayGuard(config.replay, ports.replay, ports.clock),
    decodeLimits: { maxFieldSectionBytes, maxFields },
  };
}
