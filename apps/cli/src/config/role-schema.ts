/** What the sections of every role have in common: where it listens, its certificate, its admin port, its log. */
import { z } from 'zod';
import type { AdminSection, LogSection, RoleSection, TlsFiles } from './types.ts';
import { duration, file, flag, integer, list, oneOf, origins, pattern, port, text } from './values.ts';

/** Shape of the common keys, to be spread into a role's own. */
export type RoleShape = {
  [K in keyof RoleSection]-?: undefined extends RoleSection[K]
    ? z.ZodOptional<z.ZodType<NonNullable<RoleSection[K]>>>
    : z.ZodType<RoleSection[K]>;
};

/**
 * The common keys.
 *
 * @param fallback - ports used when the file names none
 */
export function roleShape(fallback: { readonly port: number; readonly adminPort: number }): RoleShape {
  return {
    host: host('127.0.0.1'),
    port: port()
      .default(fallback.port)
      .describe(`TCP port to listen on; 0 for any free one. Default: ${fallback.port}.`),
    socketPath: text('the absolute path of a unix socket')
      .optional()
      .describe('Unix socket to listen on instead of host and port. Default: none.'),
    tls: tls(),
    admin: admin(fallback.adminPort),
    log: log(),
    workers: integer(1, 64)
      .default(1)
      .describe(
        'Threads that serve requests on the same port, 1 to 64; more than there are cores is no use. Default: 1.',
      ),
    sharePort: flag()
      .default(false)
      .describe(
        'Whether other processes may listen on the same port, so that a new one starts before the old one stops; several workers always share it. Default: false.',
      ),
    drain: duration()
      .default('30s')
      .describe('How long running requests may go on after SIGTERM, with unit. Default: 30s.'),
    maxConnections: integer(1, 1_000_000)
      .default(10_000)
      .describe('Connections held at once by one worker; more are closed at once. Default: 10000.'),
    maxInFlight: integer(1, 1_000_000)
      .default(4096)
      .describe('Requests under way at once in one worker; more are answered 503. Default: 4096.'),
    headerTimeout: duration()
      .default('10s')
      .describe('How long the header of a request, and a TLS handshake, may take, with unit. Default: 10s.'),
    bodyTimeout: duration()
      .default('30s')
      .describe(
        'How long a message may take to arrive; where it is streamed, how long each pause in it may be, and after how much waiting it must average 512 bytes a second, with unit. Default: 30s.',
      ),
    caFile: file()
      .optional()
      .describe(
        'PEM file with certificate authorities to trust besides the usual ones when connecting. Default: none.',
      ),
    corsOrigins: origins()
      .default(['*'])
      .describe('Origins of web pages that may call this role; ["*"] for all, [] for none. Default: ["*"].'),
  };
}

function host(fallback: string): z.ZodDefault<z.ZodString> {
  return text('a host name or an address')
    .default(fallback)
    .describe(`Address to listen on; 0.0.0.0 or "::" for all. Default: ${fallback}.`);
}

function tls(): z.ZodOptional<z.ZodType<TlsFiles>> {
  return z
    .strictObject({
      certFile: file().describe('PEM file with the certificate, then its chain. Read again on SIGHUP.'),
      keyFile: file().describe('PEM file with the private key of certFile. Read again on SIGHUP.'),
    })
    .optional()
    .describe('Certificate to serve HTTPS with (HTTP/1.1 and HTTP/2). Default: none, which means plain HTTP.');
}

function admin(fallbackPort: number): z.ZodType<AdminSection> {
  return z
    .strictObject({
      enabled: flag().default(true).describe('Whether the admin listener exists. Default: true.'),
      host: host('127.0.0.1'),
      port: port()
        .default(fallbackPort)
        .describe(`TCP port of the admin listener; 0 for any free one. Default: ${fallbackPort}.`),
      names: list(pattern(/^[^\s:@/?#[\]]+$/, 'a host name without port'), 0, 'a list of host names')
        .default([])
        .describe(
          'Host names by which it may be asked, besides that of host; localhost and addresses always may. Others are refused, against DNS rebinding. Default: [].',
        ),
    })
    .prefault({})
    .describe('Separate plain HTTP listener for /healthz, /readyz and /metrics. Keep it off the internet.');
}

function log(): z.ZodType<LogSection> {
  return z
    .strictObject({
      level: oneOf('debug', 'info', 'warn', 'error', 'silent')
        .default('info')
        .describe('Least severe entry that is written. No level logs addresses, paths or content. Default: info.'),
      format: oneOf('auto', 'json', 'human')
        .default('auto')
        .describe('json: one object a line; human: for people; auto: human on a terminal. Default: auto.'),
    })
    .prefault({})
    .describe('The log, on standard error.');
}
