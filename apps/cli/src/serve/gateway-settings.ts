/** From the words of a configuration to what the gateway role takes. */
import { type GatewayConfig, type PaddingPolicy, type TargetRule, targetRule } from '@privacy-edge/gateway-roles';
import { REPLAY_SKEW_MS } from '@privacy-edge/node';
import type { GatewaySection, PaddingSection, TargetSection } from '../config/types.ts';
import { parseDuration, parseSize } from '../config/units.ts';

/** The gateway's behaviour. */
export function gatewaySettings(section: GatewaySection): GatewayConfig {
  const { limits, replay } = section;
  return {
    gatewayPath: section.gatewayPath,
    keysPath: section.keysPath,
    keysMaxAgeSeconds: Math.floor(parseDuration(section.keysMaxAge) / 1000),
    targets: section.targets.map(ruleOf),
    chunked: section.chunked,
    replay: { protect: replay.protect, date: replay.date, toleranceMs: parseDuration(replay.tolerance) },
    responsePadding: paddingOf(section.padding),
    limits: {
      maxRequestBytes: parseSize(limits.maxRequest),
      maxResponseBytes: parseSize(limits.maxResponse),
      maxFieldSectionBytes: parseSize(limits.maxFieldSection),
      maxFields: limits.maxFields,
    },
    keyProblemStatus: section.keyProblemStatus,
    corsOrigins: section.corsOrigins,
  };
}

/** How long a nonce has to be remembered: a Date may be off by the tolerance in either direction. */
export function replayWindowMs(section: GatewaySection): number {
  return 2 * parseDuration(section.replay.tolerance);
}

/**
 * How much longer a store of several gateways remembers, because their clocks may differ. A gateway that is off by more than
 * the tolerance has no clients anyway.
 */
export function replaySkewMs(section: GatewaySection): number {
  return Math.min(REPLAY_SKEW_MS, parseDuration(section.replay.tolerance));
}

function ruleOf(target: TargetSection): TargetRule {
  // A pattern is no host name that URL would take.
  const wildcard = target.origin.includes('://*.');
  const rule = targetRule(`${target.origin.replace('://*.', '://')}${target.pathPrefix}`, {
    allowPrivate: target.allowPrivate,
    protocol: target.protocol,
    timeoutMs: parseDuration(target.timeout),
    ...(target.methods === undefined ? {} : { methods: target.methods }),
    ...(target.socketPath === undefined ? {} : { socketPath: target.socketPath }),
  });
  return { ...rule, pathPrefix: target.pathPrefix, host: wildcard ? `*.${rule.host}` : rule.host };
}

function paddingOf(padding: PaddingSection): PaddingPolicy {
  switch (padding.policy) {
    case 'none':
      return { kind: 'none' };
    case 'power-of-two':
      return { kind: 'power-of-two', minimumBytes: parseSize(padding.minimum) };
    case 'multiple':
      return { kind: 'multiple', bytes: parseSize(padding.multiple) };
    case 'buckets':
      return { kind: 'buckets', bytes: padding.buckets.map(parseSize) };
  }
}
