/** The `relay` section. */
import { z } from 'zod';
import { roleShape } from './role-schema.ts';
import type { RateLimitSection, RelayGatewaySection, RelaySection } from './types.ts';
import { duration, flag, integer, number, oneOf, path, pattern, size, url } from './values.ts';

/** Schema of the `relay` section. */
export function relaySchema(): z.ZodType<RelaySection> {
  return z.strictObject({
    ...roleShape({ port: 8442, adminPort: 9442 }),
    name: pattern(/^[A-Za-z*][A-Za-z0-9!#$%&'*+.^_`|~:/-]*$/, 'a token of letters, digits and hyphens')
      .default('oblivious-relay')
      .describe('How the relay calls itself in the Proxy-Status field. Default: oblivious-relay.'),
    gateways: z
      .array(gateway())
      .default([])
      .describe('Gateways behind this relay, one resource each. Default: [], which answers 404 to everything.'),
    rateLimit: rateLimit(),
  });
}

function gateway(): z.ZodType<RelayGatewaySection> {
  return z.strictObject({
    name: pattern(/^[a-z0-9][a-z0-9-]{0,62}$/, 'lower-case letters, digits and hyphens').describe(
      'Name in logs and metrics.',
    ),
    path: path().describe('Path of this relay resource, such as /health-app. Each maps to exactly one gateway.'),
    url: url()
      .optional()
      .describe('The gateway resource, such as https://gateway.example/.well-known/ohttp-gateway. This or discover.'),
    discover: pattern(/^https:\/\/[^\s/?#@]+$/, 'an https origin such as https://target.example')
      .optional()
      .describe('Origin of a target whose gateway is found at its well-known URI (RFC 9540). This or url.'),
    keysUrl: url()
      .optional()
      .describe('Where the gateway publishes its keys, for clients that ask the relay for them. Default: none, off.'),
    allowPrivate: flag()
      .default(false)
      .describe('Whether the gateway may be on a private or loopback address. Default: false.'),
    incremental: oneOf('forward', 'refuse')
      .default('forward')
      .describe('forward: pass chunks on as they arrive; refuse: answer 501 to a request for it. Default: forward.'),
    timeout: duration()
      .default('30s')
      .describe('From sending the request to the response header, with unit. Default: 30s.'),
    maxRequest: size().default('4MiB').describe('Most bytes of a request, with unit. Default: 4MiB.'),
    maxResponse: size().default('64MiB').describe('Most bytes of a response, with unit. Default: 64MiB.'),
  });
}

function rateLimit(): z.ZodType<RateLimitSection | undefined> {
  return z
    .strictObject({
      requestsPerSecond: number(0.001, 1_000_000)
        .default(10)
        .describe('Requests a second that one address prefix may make on average, of each worker. Default: 10.'),
      burst: integer(1, 1_000_000).default(50).describe('Requests that one prefix may make at once. Default: 50.'),
      concurrent: integer(1, 1_000_000)
        .default(256)
        .describe('Requests of one prefix under way at once, in each worker; more are answered 429. Default: 256.'),
      ipv4PrefixBits: integer(8, 32)
        .default(24)
        .describe('IPv4 clients that share this many bits share a bucket. Default: 24.'),
      ipv6PrefixBits: integer(16, 128)
        .default(56)
        .describe('IPv6 clients that share this many bits share a bucket. Default: 56.'),
      maxPrefixes: integer(16, 2 ** 24)
        .default(100_000)
        .describe('Buckets held in memory; when all are taken, the least recently used goes. Default: 100000.'),
    })
    .optional()
    .describe('Limits by client address prefix, in memory only. Default: none, no limit. {} takes the defaults below.');
}
