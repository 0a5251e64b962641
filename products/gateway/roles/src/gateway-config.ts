/** What an operator decides about a gateway. Every field has a default in {@link defaultGatewayConfig} except the targets. */
import type { PaddingPolicy } from './padding.ts';
import type { TargetRule } from './target-policy.ts';

/** How replayed messages are refused (RFC 9458 §6.5). */
export interface ReplayConfig {
  /** `all` requests, only those with `unsafe` methods (RFC 9110 §9.2.1), or `none`. */
  readonly protect: 'all' | 'unsafe' | 'none';
  /** Whether a protected request must carry a Date. Without one, a replay is only caught inside the window. */
  readonly date: 'required' | 'optional';
  /** Milliseconds that a Date may be off in either direction. The store remembers for at least twice this. */
  readonly toleranceMs: number;
}

/** Sizes at which a gateway stops, bytes unless said otherwise. */
export interface GatewayLimits {
  /** Encapsulated request. */
  readonly maxRequestBytes: number;
  /** Target response content. */
  readonly maxResponseBytes: number;
  /** One inner header or trailer section. */
  readonly maxFieldSectionBytes: number;
  /** Field lines in one inner section. */
  readonly maxFields: number;
}

/** A gateway's behaviour; keys and ports are passed separately. */
export interface GatewayConfig {
  /** Path of the gateway resource: POST takes messages, GET answers the key configurations (RFC 9540 §5 and §6). */
  readonly gatewayPath: string;
  /** Further path that answers GET with the key configurations. */
  readonly keysPath: string;
  /** What may be asked of whom. Empty refuses everything. */
  readonly targets: readonly TargetRule[];
  /** Whether `message/ohttp-chunked-req` is taken. */
  readonly chunked: boolean;
  readonly replay: ReplayConfig;
  /** Padding of encapsulated responses. */
  readonly responsePadding: PaddingPolicy;
  readonly limits: GatewayLimits;
  /** Status for key problems and messages that do not open: 400 or 422 (RFC 9458 §5.3 and §6.4). */
  readonly keyProblemStatus: 400 | 422;
  /** Longest time that key configurations may be cached, seconds; they are never fresh beyond the next change. */
  readonly keysMaxAgeSeconds: number;
  /** Origins that browsers may fetch the key configurations from; `*` for all. */
  readonly corsOrigins: readonly string[];
}

/** Defaults of everything that has one. */
export const defaultGatewayConfig: GatewayConfig = {
  gatewayPath: '/.well-known/ohttp-gateway',
  keysPath: '/ohttp-keys',
  targets: [],
  chunked: true,
  replay: { protect: 'all', date: 'required', toleranceMs: 60_000 },
  responsePadding: { kind: 'power-of-two', minimumBytes: 256 },
  limits: {
    maxRequestBytes: 4 * 1024 * 1024,
    maxResponseBytes: 32 * 1024 * 1024,
    maxFieldSectionBytes: 64 * 1024,
    maxFields: 256,
  },
  keyProblemStatus: 400,
  keysMaxAgeSeconds: 86_400,
  corsOrigins: ['*'],
};
