/**
 * A role that serves, in the main thread or in a worker thread. Everything it starts from can be given to a thread; what it
 * takes up later arrives as updates.
 */

import { Secret } from '@privacy-edge/bytes';
import { servePrivacyNotice } from '@privacy-edge/gateway-roles';
import type { RoleRequest, RoleResponse } from '@privacy-edge/http-exchange';
import type { Listener, ListenerOptions, LogEvent, Metrics } from '@privacy-edge/node';
import type { RoleSection } from '../config/types.ts';
import { parseDuration } from '../config/units.ts';
import { PRIVACY_NOTICE_PATH } from './paths.ts';

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
function revive(certificate: PlainCertificate): { certificatePem: string; keyPem: Secret<string> } {
  return { certificatePem: certificate.certificatePem, keyPem: new Secret(certificate.keyPem) };
}

/** Answers for a role; the relay's also takes its client. */
type Answers<Rest extends readonly unknown[]> = (request: RoleRequest, ...rest: Rest) => Promise<RoleResponse>;

/** A role that also tells what it sees, keeps and never learns. */
export function withPrivacyNotice<Rest extends readonly unknown[]>(
  declaration: Parameters<typeof servePrivacyNotice>[0],
  role: Answers<Rest>,
): Answers<Rest> {
  const notice = servePrivacyNotice(declaration);
  return (request, ...rest) => (isNotice(request.path) ? notice(request) : role(request, ...rest));
}

function isNotice(path: string): boolean {
  return path === PRIVACY_NOTICE_PATH || path.startsWith(`${PRIVACY_NOTICE_PATH}?`);
}

/** What is different between roles that serve. */
export interface RoleParts<Update> {
  /** Takes up everything but a certificate. */
  readonly update: (update: Update) => void;
  readonly ready: () => boolean;
  /** Lets go of what the role uses, once its last request is answered. */
  readonly close: (graceMs: number) => Promise<unknown>;
}

/** A role that serves at its listener. */
export function runningRole<Update extends { readonly kind: string }>(
  listener: Listener,
  parts: RoleParts<Update>,
): RunningRole<Update> {
  return {
    listener,
    apply: (update) => {
      if (isCertificate(update)) listener.setCertificate(revive(update.certificate));
      else parts.update(update);
    },
    ready: parts.ready,
    drain: async (graceMs) => {
      const clean = await listener.close(graceMs);
      await parts.close(graceMs);
      return clean;
    },
  };
}

function isCertificate(update: { readonly kind: string }): update is CertificateUpdate {
  return update.kind === 'certificate';
}
