/** The `gateway` section. */
import { z } from 'zod';
import { KEM_NAMES, SUITE_NAMES } from '../keys/algorithms.ts';
import { roleShape } from './role-schema.ts';
import type {
  GatewaySection,
  KeysSection,
  LimitsSection,
  PaddingSection,
  ReplaySection,
  TargetSection,
} from './types.ts';
import { duration, file, flag, integer, list, oneOf, path, pattern, size, text } from './values.ts';

/** Schema of the `gateway` section. */
export function gatewaySchema(): z.ZodType<GatewaySection> {
  return z.strictObject({
    ...roleShape({ port: 8443, adminPort: 9443 }),
    gatewayPath: path()
      .default('/.well-known/ohttp-gateway')
      .describe('Path of the gateway resource: POST takes messages. Default: /.well-known/ohttp-gateway.'),
    keysPath: path()
      .default('/ohttp-keys')
      .describe('Further path that answers GET with the key configurations. Default: /ohttp-keys.'),
    keysMaxAge: duration()
      .default('1d')
      .describe('Longest time that key configurations may be cached, never beyond their next change. Default: 1d.'),
    keys: keys(),
    targets: z
      .array(target())
      .default([])
      .describe(
        'What may be asked of whom; a request that no entry allows is refused. Default: [], which refuses all.',
      ),
    chunked: flag().default(true).describe('Whether chunked messages (streaming) are taken. Default: true.'),
    replay: replay(),
    padding: padding(),
    limits: limits(),
    keyProblemStatus: z
      .literal([400, 422])
      .default(400)
      .describe('Status for key problems and for messages that do not open: 400 or 422. Default: 400.'),
  });
}

function keys(): z.ZodType<KeysSection> {
  return z
    .strictObject({
      file: file()
        .optional()
        .describe(
          'Key file made by "privacy-edge keys generate"; it also holds the schedule, so no other key of this group goes with it. Default: none.',
        ),
      seedFile: file()
        .optional()
        .describe(
          'File with a seed (32 or more random bytes as hex or base64url) that all keys follow from, for many processes without a shared key file. Default: none.',
        ),
      epoch: duration().optional().describe('With a seed: how long one key set is active, with unit. Default: 7d.'),
      publishAhead: duration()
        .optional()
        .describe('With a seed: how long before its epoch a key set is published, with unit. Default: 1d.'),
      retain: duration()
        .optional()
        .describe('With a seed: how long after its epoch a key set still opens messages, with unit. Default: 2d.'),
      kems: list(oneOf(...KEM_NAMES), 1, `a list of ${KEM_NAMES.join(', ')}`)
        .optional()
        .describe('With a seed: KEMs offered, preferred first; x-wing is post-quantum. Default: [x25519].'),
      suites: list(oneOf(...SUITE_NAMES), 1, 'a list of KDF/AEAD pairs such as hkdf-sha256/aes-128-gcm')
        .optional()
        .describe(
          'With a seed: KDF and AEAD pairs offered with each key, preferred first. Default: [hkdf-sha256/aes-128-gcm, hkdf-sha256/chacha20-poly1305].',
        ),
    })
    .prefault({})
    .describe('Keys. Exactly one of file, seedFile and the variable PRIVACY_EDGE_GATEWAY_SEED is needed.');
}

const ORIGIN = /^https?:\/\/(?:\*\.)?(?:\[[0-9a-f:.]+\]|[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?::[0-9]{1,5})?$/;

function target(): z.ZodType<TargetSection> {
  return z.strictObject({
    origin: pattern(
      ORIGIN,
      'an origin in lower case such as https://api.example, https://*.example or http://127.0.0.1:3000',
    ).describe('Scheme, host and port of the target; "*." in front of a domain allows every name below it.'),
    pathPrefix: path()
      .default('/')
      .describe('The request path must equal this or continue it at a slash. Default: /, every path.'),
    methods: list(pattern(/^[A-Z][A-Z-]*$/, 'an HTTP method such as GET'), 1, 'a list of HTTP methods such as [GET]')
      .optional()
      .describe('Methods allowed. Default: all but CONNECT and TRACE.'),
    protocol: oneOf('auto', 'http1', 'http2')
      .default('auto')
      .describe('auto negotiates on https and speaks HTTP/1.1 on http. Default: auto.'),
    socketPath: text('the absolute path of a unix socket')
      .optional()
      .describe('Unix socket to connect to instead of the host. Default: none.'),
    allowPrivate: flag()
      .default(false)
      .describe('Whether the target may be on a private or loopback address. Default: false.'),
    allowCleartext: flag()
      .default(false)
      .describe('Whether plain http to another machine is accepted. Default: false.'),
    timeout: duration()
      .default('30s')
      .describe('From sending the request to the response header, with unit. Default: 30s.'),
  });
}

function replay(): z.ZodType<ReplaySection> {
  return z
    .strictObject({
      protect: oneOf('all', 'unsafe', 'none')
        .default('all')
        .describe('Which requests are served once only: all, those with unsafe methods, or none. Default: all.'),
      date: oneOf('required', 'optional')
        .default('required')
        .describe(
          'Whether a protected request must carry a Date; without one, only the window helps. Default: required.',
        ),
      tolerance: duration()
        .default('60s')
        .describe('How far off a Date may be in either direction, with unit. Default: 60s.'),
      store: oneOf('memory', 'redis')
        .default('memory')
        .describe('memory: shared by the workers of one process; redis: shared by several processes. Default: memory.'),
      capacity: integer(1024, 2 ** 26)
        .default(2 ** 20)
        .describe('Requests remembered in memory during one window; further ones are refused. Default: 1048576.'),
      stateFile: file()
        .optional()
        .describe(
          'Where the memory store is kept over a clean restart. Default: the key file with .replay added, which "keys generate" makes; with a seed none, and then unsafe methods get 425 until one window after each start.',
        ),
      redisUrl: pattern(/^rediss?:\/\/[^\s@/]+(?:\/[0-9]+)?$/, 'a redis:// or rediss:// URL without password')
        .optional()
        .describe('Redis or Valkey without a password. Default: none.'),
      redisUrlFile: file()
        .optional()
        .describe('File with the URL of Redis or Valkey, when it has a password. Default: none.'),
    })
    .prefault({})
    .describe('Defence against replayed messages.');
}

function padding(): z.ZodType<PaddingSection> {
  return z
    .strictObject({
      policy: oneOf('power-of-two', 'multiple', 'buckets', 'none')
        .default('power-of-two')
        .describe('How encapsulated responses are padded. Default: power-of-two.'),
      minimum: size().default('256B').describe('Least size under power-of-two, with unit. Default: 256B.'),
      multiple: size().default('1KiB').describe('Step under multiple, with unit. Default: 1KiB.'),
      buckets: list(size(), 1, 'a list of sizes with units, ascending')
        .default(['1KiB', '4KiB', '16KiB', '64KiB'])
        .describe('Sizes under buckets, ascending, with units. Default: [1KiB, 4KiB, 16KiB, 64KiB].'),
    })
    .prefault({})
    .describe('Padding of encapsulated responses, so that their length says less about them.');
}

function limits(): z.ZodType<LimitsSection> {
  return z
    .strictObject({
      maxRequest: size().default('4MiB').describe('Largest encapsulated request, with unit. Default: 4MiB.'),
      maxResponse: size().default('32MiB').describe('Largest content of a target response, with unit. Default: 32MiB.'),
      maxFieldSection: size()
        .default('64KiB')
        .describe('Largest inner header or trailer section, with unit. Default: 64KiB.'),
      maxFields: integer(1, 10_000).default(256).describe('Most field lines in one inner section. Default: 256.'),
    })
    .prefault({})
    .describe('Sizes at which the gateway stops.');
}
