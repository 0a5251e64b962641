/** Node adapters: listeners, TLS, guarded outbound requests, replay stores, metrics, logs, processes. */
export { type AdminOptions, serveAdmin } from './admin.ts';
export { type Child, type ChildExit, type ChildOptions, endWithParent, startChild, stopChildren } from './children.ts';
export { systemClock } from './clock.ts';
export { RuntimeError, type RuntimeErrorCode } from './error.ts';
export { createFetchTarget, type TargetFetcher } from './fetch-target.ts';
export { makePrivateFolder, readSecretFile, SECRET_MODE, writeFileAtomic, writeSecretFile } from './files.ts';
export {
  attachFingerprintTable,
  createFingerprintTable,
  type FingerprintOutcome,
  type FingerprintSnapshot,
  FingerprintTable,
  type FingerprintTableHandle,
  type FingerprintTableOptions,
  type FingerprintTableStats,
} from './fingerprint-table.ts';
export { createForward, type Forwarder, type ForwardOptions } from './forward.ts';
export { isPublicAddress, type Resolve, type ResolvedAddress, systemResolve } from './guarded-outbound.ts';
export {
  type Listener,
  type ListenerOptions,
  type RelayClient,
  type RelayHandler,
  serve,
  serveRelay,
} from './listener.ts';
export type { ListenerLimits } from './listener-exchange.ts';
export {
  createLog,
  type EventFields,
  errorFields,
  type Log,
  type LogEvent,
  type LogLevel,
  type LogOptions,
  silentLog,
} from './log.ts';
export {
  type CounterCell,
  createMetrics,
  type Family,
  type GaugeCell,
  type HistogramCell,
  type LabelSets,
  type LabelsOf,
  type MetricDeclaration,
  type Metrics,
  type MetricsOptions,
  type MetricsSnapshot,
} from './metrics.ts';
export { fetchFromNodeApplication, gatewayMiddleware, type NextHandler } from './node-application.ts';
export type { OutboundOptions } from './outbound-route.ts';
export { createPeerTransport, type PeerConnections, type PeerTransportOptions } from './peer-transport.ts';
export { systemRandom } from './random.ts';
export {
  createRedisReplayStore,
  REPLAY_SKEW_MS,
  type RedisReplayOptions,
  type RedisReplayStore,
} from './replay-redis.ts';
export {
  attachReplayTable,
  createReplayState,
  createReplayTable,
  loadReplayTable,
  ReplayTable,
  type ReplayTableHandle,
  type ReplayTableOptions,
} from './replay-table.ts';
export { handleSignals, type SignalHandlers } from './signals.ts';
export { lookUpOhttp, type OhttpLookupOptions, type OhttpService, type Resolver } from './svcb.ts';
export { decodeSvcb, isUsable, portOf, SVC_PARAM_MANDATORY, SVC_PARAM_OHTTP, type SvcbRecord } from './svcb-record.ts';
export {
  type Certificate,
  type CertificateFiles,
  type CertificateSource,
  createLocalAuthority,
  followCertificate,
  type LocalAuthority,
  readCertificate,
  validUntil,
} from './tls.ts';
export { writeOncePerTurn } from './turn-writes.ts';
export {
  joinWorkers,
  startWorkers,
  type WorkerDuties,
  type WorkerHost,
  type WorkerOptions,
  type Workers,
} from './workers.ts';
