/**
 * A role that serves, in the main thread or in a worker thread. Everything it starts from can be given to a thread; what it
 * takes up later arrives as updates.
 */
import { Secret } from '@privacy-edge/bytes';
import type { Listener, ListenerOptions, LogEvent, Metrics } from '@privacy-edge/node';
import type { RoleSection } from '../config/types.ts';
import { parseDuration } from '../config/units.ts';

/** A certificate in a form that can be given to a thread. */
export interface PlainCertificate {
  readonly certificatePem: string;
  readonly keyPem: string;
}

/** Where a role listens, decided by the main thread. */
export interface Place {
  readonly port: number;
  /** True where several threads share the port. */
  readonly reusePort: boolean;
  readonly certificate: PlainCertificate | undefined;
}

/** What a role needs of the thread it runs in. */
export interface RoleHost {
  readonly log: LogEvent;
  readonly metrics: Metrics;
}

/** A serving role. */
export interface RunningRole<Update> {
  readonly listener: Listener;
  /** Takes up new keys, targets or certificates; requests under way keep the old ones. */
  apply(update: Update | CertificateUpdate): void;
  /** Whether everything that the role depends on is there. */
  ready(): boolean;
  /** Stops accepting, lets requests finish. True when none had to be broken. */
  drain(graceMs: number): Promise<boolean>;
}

/** A renewed certificate. */
export interface CertificateUpdate {
  readonly kind: 'certificate';
  readonly certificate: PlainCertificate;
}

/** Options of the listener of a role. */
export function listenerOptions(section: RoleSection, place: Place, log: LogEvent): ListenerOptions {
  const { certificate } = place;
  return {
    host: section.host,
    port: place.port,
    reusePort: place.reusePort,
    limits: {
      maxConnections: section.maxConnections,
      maxInFlight: section.maxInFlight,
      headersTimeoutMs: parseDuration(section.headerTimeout),
      bodyTimeoutMs: parseDuration(section.bodyTimeout),
    },
    log,
    ...(section.socketPath === undefined ? {} : { socketPath: section.socketPath }),
    ...(certificate === undefined ? {} : { certificate: revive(certificate) }),
  };
}

/** The certificate as a listener takes it. */
export function revive(certificate: PlainCertificate): { certificatePem: string; keyPem: Secret<string> } {
  return { certificatePem: certificate.certificatePem, keyPem: new Secret(certificate.keyPem) };
}
