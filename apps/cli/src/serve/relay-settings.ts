/** From the words of a configuration to what the relay role takes. */
import type { RelayConfig } from '@privacy-edge/gateway-roles';
import type { RelaySection } from '../config/types.ts';
import { parseDuration, parseSize } from '../config/units.ts';

/** The relay's behaviour. */
export function relaySettings(section: RelaySection): RelayConfig {
  return {
    name: section.name,
    gateways: section.gateways.map((gateway) => ({
      name: gateway.name,
      path: gateway.path,
      url: gateway.url,
      discover: gateway.discover,
      keysUrl: gateway.keysUrl,
      allowPrivate: gateway.allowPrivate,
      incremental: gateway.incremental,
      timeoutMs: parseDuration(gateway.timeout),
      maxRequestBytes: parseSize(gateway.maxRequest),
      maxResponseBytes: parseSize(gateway.maxResponse),
    })),
    rateLimit: section.rateLimit,
    corsOrigins: section.corsOrigins,
  };
}
