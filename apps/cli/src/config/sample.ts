/** The commented configuration that `privacy-edge config init` writes. */

/** Which roles a sample is for. */
export type SampleKind = (typeof SAMPLE_KINDS)[number];

/** Kinds of sample; `both` is gateway and relay. */
export const SAMPLE_KINDS = ['gateway', 'relay', 'both', 'leader', 'helper'] as const;

/**
 * Text of a sample.
 *
 * @param kind - roles that it should have
 */
export function sampleConfig(kind: SampleKind): string {
  const parts = [HEADER];
  if (kind === 'leader') parts.push(LEADER);
  else if (kind === 'helper') parts.push(HELPER);
  else {
    parts.push(PEERS);
    if (kind !== 'relay') parts.push(GATEWAY);
    if (kind !== 'gateway') parts.push(RELAY);
  }
  return parts.join('');
}

const HEADER = `# yaml-language-server: $schema=./privacy-edge.schema.json
#
# privacy-edge configuration. Every role reads its own section.
#   privacy-edge config check     says what is wrong, with line and column
#   privacy-edge config print     shows all keys with defaults filled in
#   privacy-edge config schema    writes the JSON Schema that editors use
# Each key can be overridden: PRIVACY_EDGE_GATEWAY_PORT=443, PRIVACY_EDGE_RELAY_RATE_LIMIT='{burst: 10}'.
# Durations and sizes carry units: 500ms 30s 15m 12h 7d, 512B 64KiB 4MiB.
`;

const PEERS = `# A relay and its gateway must be run by different people: together they know everything.
`;

const GATEWAY = `
gateway:
  host: 127.0.0.1
  port: 8443
  # tls:                        # HTTPS; without it, put a TLS terminator in front
  #   certFile: gateway.pem
  #   keyFile: gateway.key
  admin:                        # /healthz /readyz /metrics
    port: 9443
  workers: 1                    # threads; not more than cores

  keys:
    file: gateway-keys.json     # made by: privacy-edge keys generate gateway-keys.json
    # Or, for many processes that share a secret but no file:
    # seedFile: gateway.seed
    # epoch: 7d                 # a new key set this often ...
    # publishAhead: 1d          # ... published this long before ...
    # retain: 2d                # ... and still accepted this long after its time
    # kems: [x25519]            # [x-wing, x25519] for post-quantum

  targets:                      # what may be asked; everything else is refused
    - origin: https://api.example.com
      pathPrefix: /v1
      methods: [GET, POST]
    # - origin: http://127.0.0.1:3000
    #   allowPrivate: true

  replay:
    protect: all                # each request is served once only
    tolerance: 60s
    # stateFile: gateway-keys.json.replay
`;

const RELAY = `
relay:
  host: 127.0.0.1
  port: 8442
  # tls:
  #   certFile: relay.pem
  #   keyFile: relay.key
  admin:
    port: 9442

  gateways:                     # one resource of this relay for each gateway
    - name: example
      path: /example
      url: https://gateway.example.com/.well-known/ohttp-gateway
      keysUrl: https://gateway.example.com/ohttp-keys

  rateLimit:                    # by address prefix, in memory only
    requestsPerSecond: 10
    burst: 50
`;

const LEADER = `# Leader and helper must be run by different people: together they know what everybody reported.

analyticsLeader:
  host: 127.0.0.1
  port: 8452
  # tls:                        # HTTPS; without it, put a TLS terminator in front
  #   certFile: leader.pem
  #   keyFile: leader.key
  admin:                        # /healthz /readyz /metrics
    port: 9452

  secretFile: leader.secret     # made by: (umask 077; openssl rand -hex 32 > leader.secret)
  tasksFolder: leader-tasks     # leader.json of each task goes here, under any name that ends in .json
  storage:
    sqliteFile: leader.sqlite
    # postgresUrlFile: leader-postgres.url   # postgres://user:password@host/database

  jobs:                         # reports that are aggregated together
    minSize: 10
    maxSize: 100
    maxWait: 1m
  # retention:
  #   reports: 90d              # older batches cannot be collected any more
`;

const HELPER = `# Leader and helper must be run by different people: together they know what everybody reported.

analyticsHelper:
  host: 127.0.0.1
  port: 8453
  # tls:                        # HTTPS; without it, put a TLS terminator in front
  #   certFile: helper.pem
  #   keyFile: helper.key
  admin:                        # /healthz /readyz /metrics
    port: 9453

  secretFile: helper.secret     # made by: (umask 077; openssl rand -hex 32 > helper.secret)
  tasksFolder: helper-tasks     # helper.json of each task goes here, under any name that ends in .json
  storage:
    sqliteFile: helper.sqlite
    # postgresUrlFile: helper-postgres.url   # postgres://user:password@host/database

  processing: synchronous       # asynchronous: the leader asks again later
  # retention:
  #   reports: 90d
`;
