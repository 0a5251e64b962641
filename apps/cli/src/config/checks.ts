/** What a schema cannot say: keys that contradict one another, and choices that are legal but probably not meant. */

import { DEFAULT_SCHEDULE } from '../keys/algorithms.ts';
import { PRIVACY_NOTICE_PATH } from '../serve/paths.ts';
import { type Environment, SECRET_VARIABLES } from './environment.ts';
import { formatKey, type KeyPath, type Problem } from './problem.ts';
import {
  AGGREGATOR_SECTIONS,
  type AggregatorSectionName,
  type DeploymentConfig,
  type GatewaySection,
  type RelaySection,
  type RoleSection,
  SECTION_NAMES,
  type SectionName,
} from './types.ts';
import { parseDuration, parseSize } from './units.ts';
import type { Locate } from './validate.ts';

/** Collects problems by path. */
class Findings {
  readonly problems: Problem[] = [];
  readonly #locate: Locate;
  constructor(locate: Locate) {
    this.#locate = locate;
  }
  error(path: KeyPath, message: string): void {
    this.#add('error', path, message);
  }
  warn(path: KeyPath, message: string): void {
    this.#add('warning', path, message);
  }
  #add(severity: Problem['severity'], path: KeyPath, message: string): void {
    this.problems.push({ severity, source: this.#locate(path, 'value'), key: formatKey(path), message });
  }
}

/** What the checks need to know besides the configuration. */
export interface CheckContext {
  /** To know whether secrets come from there. */
  readonly environment: Environment;
  /** Sections to check. */
  readonly sections: readonly SectionName[];
  readonly locate: Locate;
}

/** Checks a configuration whose every key is right by itself. */
export function checkDeployment(config: DeploymentConfig, context: CheckContext): readonly Problem[] {
  const findings = new Findings(context.locate);
  if (SECTION_NAMES.every((name) => config[name] === undefined))
    findings.error([], `has no section; expected one or more of ${SECTION_NAMES.join(', ')}`);
  if (config.gateway !== undefined && context.sections.includes('gateway'))
    checkGateway(config.gateway, context.environment, findings);
  if (config.relay !== undefined && context.sections.includes('relay')) checkRelay(config.relay, findings);
  for (const name of AGGREGATOR_SECTIONS)
    if (context.sections.includes(name)) checkAggregator(name, config, context.environment, findings);
  checkPorts(config, findings);
  return findings.problems;
}

function checkGateway(gateway: GatewaySection, environment: Environment, findings: Findings): void {
  checkRole('gateway', gateway, findings);
  checkTargets(gateway, findings);
  checkKeys(gateway, environment, findings);
  checkReplay(gateway, environment, findings);
  checkPadding(gateway, findings);
  for (const key of ['gatewayPath', 'keysPath'] as const)
    if (gateway[key] === PRIVACY_NOTICE_PATH)
      findings.error(['gateway', key], 'is where the privacy notice is; expected another path');
  if (gateway.gatewayPath === gateway.keysPath)
    findings.error(['gateway', 'keysPath'], 'is the same as gatewayPath; expected another path');
}

function checkRole(section: SectionName, role: RoleSection, findings: Findings): void {
  if (role.tls === undefined && role.socketPath === undefined && !isLocal(role.host))
    findings.warn(
      [section, 'host'],
      'serves other machines without TLS; set tls, or put a TLS terminator in front that nobody can pass by',
    );
  if (role.admin.enabled && !isLocal(role.admin.host))
    findings.warn([section, 'admin', 'host'], 'opens the admin listener to other machines; it has no access control');
  if (role.socketPath !== undefined && !role.socketPath.startsWith('/'))
    findings.error([section, 'socketPath'], 'expected an absolute path');
  if (role.workers > 1 && role.socketPath !== undefined)
    findings.error([section, 'workers'], 'several workers cannot share a unix socket; expected 1');
}

function checkTargets(gateway: GatewaySection, findings: Findings): void {
  if (gateway.targets.length === 0)
    findings.warn(['gateway', 'targets'], 'is empty, so the gateway refuses everything; add what it may ask');
  for (const [i, target] of gateway.targets.entries()) {
    const at: KeyPath = ['gateway', 'targets', i];
    const url = new URL(target.origin.replace('://*.', '://wildcard.'));
    const local = target.socketPath !== undefined || isLocal(url.hostname);
    if (url.protocol === 'http:' && !local && !target.allowCleartext)
      findings.error(
        [...at, 'origin'],
        'sends requests in clear to another machine; use https, or set allowCleartext: true',
      );
    if (isLocal(url.hostname) && target.socketPath === undefined && !target.allowPrivate)
      findings.error([...at, 'origin'], 'is on this machine; set allowPrivate: true to allow it');
    if (target.socketPath !== undefined && !target.socketPath.startsWith('/'))
      findings.error([...at, 'socketPath'], 'expected an absolute path');
    for (const [j, method] of (target.methods ?? []).entries())
      if (method === 'CONNECT' || method === 'TRACE')
        findings.error([...at, 'methods', j], `${method} is never forwarded; remove it`);
  }
}

function checkKeys(gateway: GatewaySection, environment: Environment, findings: Findings): void {
  const { keys } = gateway;
  const sources = [keys.file, keys.seedFile, environment[SECRET_VARIABLES.gatewaySeed]].filter(
    (one) => one !== undefined,
  );
  if (sources.length === 0)
    findings.error(
      ['gateway', 'keys'],
      `no key material; set file (made by "privacy-edge keys generate"), seedFile or ${SECRET_VARIABLES.gatewaySeed}`,
    );
  if (sources.length > 1)
    findings.error(
      ['gateway', 'keys'],
      `key material from ${sources.length} places; expected one of file, seedFile or the variable`,
    );
  for (const name of ['epoch', 'publishAhead', 'retain', 'kems', 'suites'] as const)
    if (keys.file !== undefined && keys[name] !== undefined)
      findings.error(['gateway', 'keys', name], 'is in the key file; remove it here, or use a seed instead of a file');
  const epoch = keys.epoch ?? DEFAULT_SCHEDULE.epoch;
  if (parseDuration(epoch) < 1000) findings.error(['gateway', 'keys', 'epoch'], 'expected at least 1s');
  if (parseDuration(keys.publishAhead ?? DEFAULT_SCHEDULE.publishAhead) > parseDuration(epoch))
    findings.error(['gateway', 'keys', 'publishAhead'], `expected at most the epoch, ${epoch}`);
  for (const name of ['kems', 'suites'] as const)
    if (new Set<string>(keys[name]).size !== (keys[name] ?? []).length)
      findings.error(['gateway', 'keys', name], 'names a value twice');
}

function checkReplay(gateway: GatewaySection, environment: Environment, findings: Findings): void {
  const { replay } = gateway;
  const at: KeyPath = ['gateway', 'replay'];
  const urls = [replay.redisUrl, replay.redisUrlFile, environment[SECRET_VARIABLES.gatewayRedisUrl]].filter(
    (one) => one !== undefined,
  );
  if (replay.store === 'redis' && urls.length !== 1)
    findings.error(
      [...at, 'store'],
      `redis needs exactly one of redisUrl, redisUrlFile or ${SECRET_VARIABLES.gatewayRedisUrl}; found ${urls.length}`,
    );
  if (replay.store === 'redis' && replay.stateFile !== undefined)
    findings.error([...at, 'stateFile'], 'belongs to the memory store; remove it');
  if (replay.store === 'memory' && (replay.redisUrl !== undefined || replay.redisUrlFile !== undefined))
    findings.error([...at, 'store'], 'a Redis URL is given, but the store is memory; set store: redis');
  if (replay.protect === 'none')
    findings.warn([...at, 'protect'], 'lets a relay repeat any request; only for targets where that is harmless');
  if (parseDuration(replay.tolerance) > 3_600_000)
    findings.warn([...at, 'tolerance'], 'is long; every request of two tolerances is remembered');
}

function checkPadding(gateway: GatewaySection, findings: Findings): void {
  const sizes = gateway.padding.buckets.map(parseSize);
  if (sizes.some((bytes, i) => i > 0 && bytes <= (sizes[i - 1] ?? 0)) || sizes.includes(0))
    findings.error(['gateway', 'padding', 'buckets'], 'expected ascending sizes above 0');
  if (parseSize(gateway.padding.multiple) === 0)
    findings.error(['gateway', 'padding', 'multiple'], 'expected at least 1B');
}

function checkRelay(relay: RelaySection, findings: Findings): void {
  checkRole('relay', relay, findings);
  if (relay.gateways.length === 0)
    findings.warn(['relay', 'gateways'], 'is empty, so the relay answers 404 to everything; add a gateway');
  for (const key of ['path', 'name'] as const) {
    const seen = new Map<string, number>();
    for (const [i, gateway] of relay.gateways.entries()) {
      const first = seen.get(gateway[key]);
      if (first !== undefined)
        findings.error(['relay', 'gateways', i, key], `is the same as that of gateways[${first}]; expected another`);
      else seen.set(gateway[key], i);
    }
  }
  const paths = new Set(relay.gateways.map((gateway) => gateway.path));
  for (const [i, { path, keysUrl, discover }] of relay.gateways.entries()) {
    const keysPath = `${path === '/' ? '' : path}/keys`;
    if ((keysUrl ?? discover) !== undefined && paths.has(keysPath))
      findings.error(['relay', 'gateways', i, 'path'], `its keys are at ${keysPath}, which is another gateway's path`);
  }
  for (const [i, gateway] of relay.gateways.entries()) checkRelayGateway(gateway, ['relay', 'gateways', i], findings);
}

function checkRelayGateway(gateway: RelaySection['gateways'][number], at: KeyPath, findings: Findings): void {
  if ((gateway.url === undefined) === (gateway.discover === undefined))
    findings.error(at, 'expected exactly one of url and discover');
  if (gateway.discover !== undefined && gateway.keysUrl !== undefined)
    findings.error([...at, 'keysUrl'], 'is not used with discover; remove it');
  for (const key of ['url', 'keysUrl'] as const) {
    const text = gateway[key];
    if (text === undefined) continue;
    if (!URL.canParse(text)) {
      findings.error([...at, key], 'expected a URL');
      continue;
    }
    const url = new URL(text);
    if (isLocal(url.hostname) && !gateway.allowPrivate)
      findings.error([...at, key], 'is on this machine; set allowPrivate: true to allow it');
    else if (url.protocol === 'http:' && !gateway.allowPrivate)
      findings.error([...at, key], 'sends messages in clear over the network; expected https');
  }
  if (gateway.path === PRIVACY_NOTICE_PATH)
    findings.error([...at, 'path'], 'is where the privacy notice is; expected another path');
}

function checkAggregator(
  name: AggregatorSectionName,
  config: DeploymentConfig,
  environment: Environment,
  findings: Findings,
): void {
  const section = config[name];
  if (section === undefined) return;
  checkRole(name, section, findings);
  const { storage, hpke } = section;
  const secretVariable = SECRET_VARIABLES[`${name}Secret`];
  const secrets = [section.secretFile, environment[secretVariable]].filter((one) => one !== undefined);
  if (secrets.length !== 1)
    findings.error([name, 'secretFile'], `expected exactly one of this and ${secretVariable}; found ${secrets.length}`);
  const urlVariable = SECRET_VARIABLES[`${name}PostgresUrl`];
  const databases = [storage.sqliteFile, storage.postgresUrl, storage.postgresUrlFile, environment[urlVariable]];
  const found = databases.filter((one) => one !== undefined).length;
  if (found !== 1)
    findings.error(
      [name, 'storage'],
      `expected exactly one of sqliteFile, postgresUrl, postgresUrlFile and ${urlVariable}; found ${found}`,
    );
  if (parseDuration(hpke.overlap) < 2 * parseDuration(hpke.cache))
    findings.error([name, 'hpke', 'overlap'], 'expected at least twice hpke.cache');
  for (const pace of ['work', 'upkeep', 'garbage'] as const)
    if (parseDuration(section.paces[pace]) < 10) findings.error([name, 'paces', pace], 'expected at least 10ms');
  if (parseDuration(section.lease) < 1000) findings.error([name, 'lease'], 'expected at least 1s');
  if (name === 'analyticsLeader') checkLeader(config, findings);
}

function checkLeader({ analyticsLeader, analyticsHelper }: DeploymentConfig, findings: Findings): void {
  const { jobs, helpers, lease } = analyticsLeader ?? {};
  if (jobs !== undefined && jobs.minSize > jobs.maxSize)
    findings.error(['analyticsLeader', 'jobs', 'minSize'], `expected at most maxSize, ${jobs.maxSize}`);
  if (helpers !== undefined && lease !== undefined && parseDuration(lease) < 2 * parseDuration(helpers.timeout))
    findings.error(['analyticsLeader', 'lease'], 'expected at least twice helpers.timeout');
  if (analyticsHelper !== undefined)
    findings.warn(
      ['analyticsHelper'],
      'is in one file with the leader; whoever runs both can see what everybody reported, so this is for trying out only',
    );
}

/** Two listeners of one machine cannot have one port. */
function checkPorts(config: DeploymentConfig, findings: Findings): void {
  const seen = new Map<string, string>();
  const take = (path: KeyPath, host: string, port: number): void => {
    if (port === 0) return;
    const address = `${host}:${port}`;
    const other = seen.get(address);
    if (other !== undefined) findings.error(path, `is also the port of ${other}; expected another`);
    else seen.set(address, formatKey(path.slice(0, -1)));
  };
  for (const section of SECTION_NAMES) {
    const role = config[section];
    if (role === undefined) continue;
    if (role.socketPath === undefined) take([section, 'port'], role.host, role.port);
    if (role.admin.enabled) take([section, 'admin', 'port'], role.admin.host, role.admin.port);
  }
}

/** Whether a host is this machine, judged by its name alone. */
function isLocal(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, '').toLowerCase();
  return name === 'localhost' || name.endsWith('.localhost') || name === '::1' || /^127(?:\.\d{1,3}){3}$/.test(name);
}
