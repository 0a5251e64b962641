/**
 * A deployment's configuration as the file says it, defaults filled in. Durations and sizes keep their units here, so
 * that a printed configuration can be read back; what each key means is told by the schema next door.
 */

/** PEM files of a listener. */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** The listener for health and metrics. */
export interface AdminSection {
  readonly enabled: boolean;
  readonly host: string;
  readonly port: number;
  /** Further host names it answers to. */
  readonly names: readonly string[];
}

/** How much is logged, and how. */
export interface LogSection {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  readonly format: 'auto' | 'json' | 'human';
}

/** What the sections of all roles share. */
export interface RoleSection {
  readonly host: string;
  readonly port: number;
  readonly socketPath?: string | undefined;
  readonly tls?: TlsFiles | undefined;
  readonly admin: AdminSection;
  readonly log: LogSection;
  readonly workers: number;
  readonly sharePort: boolean;
  readonly drain: string;
  readonly maxConnections: number;
  readonly maxInFlight: number;
  readonly headerTimeout: string;
  readonly bodyTimeout: string;
  readonly caFile?: string | undefined;
  readonly corsOrigins: readonly string[];
}

/** Where keys come from. With a key file, everything else about keys is in that file. */
export interface KeysSection {
  readonly file?: string | undefined;
  readonly seedFile?: string | undefined;
  readonly epoch?: string | undefined;
  readonly publishAhead?: string | undefined;
  readonly retain?: string | undefined;
  readonly kems?: readonly KemName[] | undefined;
  readonly suites?: readonly SuiteName[] | undefined;
}

/** KEMs that a gateway may offer, by the names used in configurations. */
export type KemName = 'x25519' | 'p-256' | 'p-384' | 'p-521' | 'x-wing';

/** KDF and AEAD pairs that a gateway may offer. */
export type SuiteName =
  | 'hkdf-sha256/aes-128-gcm'
  | 'hkdf-sha256/aes-256-gcm'
  | 'hkdf-sha256/chacha20-poly1305'
  | 'hkdf-sha384/aes-128-gcm'
  | 'hkdf-sha384/aes-256-gcm'
  | 'hkdf-sha384/chacha20-poly1305'
  | 'hkdf-sha512/aes-128-gcm'
  | 'hkdf-sha512/aes-256-gcm'
  | 'hkdf-sha512/chacha20-poly1305';

/** One target that the gateway may ask. */
export interface TargetSection {
  readonly origin: string;
  readonly pathPrefix: string;
  readonly methods?: readonly string[] | undefined;
  readonly protocol: 'auto' | 'http1' | 'http2';
  readonly socketPath?: string | undefined;
  readonly allowPrivate: boolean;
  readonly allowCleartext: boolean;
  readonly timeout: string;
}

/** How replays are refused. */
export interface ReplaySection {
  readonly protect: 'all' | 'unsafe' | 'none';
  readonly date: 'required' | 'optional';
  readonly tolerance: string;
  readonly store: 'memory' | 'redis';
  readonly capacity: number;
  readonly stateFile?: string | undefined;
  readonly redisUrl?: string | undefined;
  readonly redisUrlFile?: string | undefined;
}

/** How encapsulated responses are padded. */
export interface PaddingSection {
  readonly policy: 'none' | 'power-of-two' | 'multiple' | 'buckets';
  readonly minimum: string;
  readonly multiple: string;
  readonly buckets: readonly string[];
}

/** Sizes at which a gateway stops. */
export interface LimitsSection {
  readonly maxRequest: string;
  readonly maxResponse: string;
  readonly maxFieldSection: string;
  readonly maxFields: number;
}

/** The gateway of a deployment. */
export interface GatewaySection extends RoleSection {
  readonly gatewayPath: string;
  readonly keysPath: string;
  readonly keysMaxAge: string;
  readonly keys: KeysSection;
  readonly targets: readonly TargetSection[];
  readonly chunked: boolean;
  readonly replay: ReplaySection;
  readonly padding: PaddingSection;
  readonly limits: LimitsSection;
  readonly keyProblemStatus: 400 | 422;
}

/** One gateway behind a relay. */
export interface RelayGatewaySection {
  readonly name: string;
  readonly path: string;
  readonly url?: string | undefined;
  readonly discover?: string | undefined;
  readonly keysUrl?: string | undefined;
  readonly allowPrivate: boolean;
  readonly incremental: 'forward' | 'refuse';
  readonly timeout: string;
  readonly maxRequest: string;
  readonly maxResponse: string;
}

/** Token buckets for clients' address prefixes. */
export interface RateLimitSection {
  readonly requestsPerSecond: number;
  readonly burst: number;
  readonly concurrent: number;
  readonly ipv4PrefixBits: number;
  readonly ipv6PrefixBits: number;
  readonly maxPrefixes: number;
}

/** The relay of a deployment. */
export interface RelaySection extends RoleSection {
  readonly name: string;
  readonly gateways: readonly RelayGatewaySection[];
  readonly rateLimit?: RateLimitSection | undefined;
}

/** Where an aggregator keeps everything. */
export interface StorageSection {
  readonly sqliteFile?: string | undefined;
  readonly postgresUrl?: string | undefined;
  readonly postgresUrlFile?: string | undefined;
  readonly maxConnections: number;
  readonly columnKeysFile?: string | undefined;
}

/** Keys that reports are sealed to. */
export interface HpkeSection {
  readonly lifetime: string;
  readonly overlap: string;
  readonly cache: string;
}

/** How often an aggregator looks for something to do. */
export interface PacesSection {
  readonly work: string;
  readonly upkeep: string;
  readonly garbage: string;
}

/** What both aggregators have. */
export interface AggregatorSection extends RoleSection {
  readonly basePath: string;
  readonly secretFile?: string | undefined;
  readonly tasksFolder: string;
  readonly storage: StorageSection;
  readonly hpke: HpkeSection;
  readonly clockTolerance: string;
  readonly maxMessage: string;
  readonly drivers: number;
  readonly lease: string;
  readonly paces: PacesSection;
  readonly retention: RetentionSection;
  readonly retryAfter: string;
}

/** How long an aggregator remembers. */
export interface RetentionSection {
  readonly ended: string;
  readonly reports?: string | undefined;
}

/** Sizes of a leader's aggregation jobs. */
export interface JobsSection {
  readonly minSize: number;
  readonly maxSize: number;
  readonly maxWait: string;
  readonly batchSize?: number | undefined;
}

/** How a leader reaches helpers. */
export interface HelpersSection {
  readonly allowPrivate: boolean;
  readonly timeout: string;
  readonly firstRetry: string;
  readonly longestRetry: string;
  readonly maxAttempts: number;
}

/** When a leader gives collections up. */
export interface CollectionsSection {
  readonly timeout: string;
  readonly patience: string;
}

/** The leader of a deployment. */
export interface AnalyticsLeaderSection extends AggregatorSection {
  readonly maxReport: string;
  readonly maxUpload: string;
  readonly jobs: JobsSection;
  readonly helpers: HelpersSection;
  readonly collections: CollectionsSection;
}

/** The helper of a deployment. */
export interface AnalyticsHelperSection extends AggregatorSection {
  readonly processing: 'synchronous' | 'asynchronous';
}

/** A whole configuration file. Each process reads its own section. */
export interface DeploymentConfig {
  readonly gateway?: GatewaySection | undefined;
  readonly relay?: RelaySection | undefined;
  readonly analyticsLeader?: AnalyticsLeaderSection | undefined;
  readonly analyticsHelper?: AnalyticsHelperSection | undefined;
}

/** Names of the sections. */
export type SectionName = keyof DeploymentConfig;

/** Sections of aggregators. */
export type AggregatorSectionName = 'analyticsLeader' | 'analyticsHelper';

/** Every section, in the order of people. */
export const SECTION_NAMES: readonly SectionName[] = ['gateway', 'relay', 'analyticsLeader', 'analyticsHelper'];

/** Sections of aggregators, in the order of people. */
export const AGGREGATOR_SECTIONS: readonly AggregatorSectionName[] = ['analyticsLeader', 'analyticsHelper'];
