/** The commented configuration that `privacy-edge config init` writes. */

/** Which roles a sample is for. */
export type SampleKind = 'gateway' | 'relay' | 'both';

/**
 * Text of a sample.
 *
 * @param kind - roles that it should have
 */
export function sampleConfig(kind: SampleKind): string {
  const parts = [HEADER];
  if (kind !== 'relay') parts.push(GATEWAY);
  if (kind !== 'gateway') parts.push(RELAY);
  return parts.join('\n');
}

const HEADER = `# yaml-language-server: $schema=./privacy-edge.schema.json
#
# privacy-edge configuration. Every role reads its own section.
#   privacy-edge config check     says what is wrong, with line and column
#   privacy-edge config print     shows all keys with defaults filled in
#   privacy-edge config schema    writes the JSON Schema that editors use
# Each key can be overridden: PRIVACY_EDGE_GATEWAY_PORT=443, PRIVACY_EDGE_RELAY_RATE_LIMIT='{burst: 10}'.
# Durations and sizes carry units: 500ms 30s 15m 12h 7d, 512B 64KiB 4MiB.
# A relay and its gateway must be run by different people: together they know everything.
`;

const GATEWAY = `gateway:
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

const RELAY = `relay:
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
