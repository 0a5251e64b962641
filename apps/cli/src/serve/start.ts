/** What a serving thread starts from, whichever role it has. */
import type { AggregatorStart, TasksUpdate } from './aggregator-role.ts';
import { type GatewayStart, type GatewayUpdate, startGateway } from './gateway-role.ts';
import { type RelayStart, type RelayUpdate, startRelay } from './relay-role.ts';
import type { CertificateUpdate, RoleHost, RunningRole } from './role.ts';

/** Of one of the roles. */
export type RoleStart = GatewayStart | RelayStart | AggregatorStart;

/** For one of the roles. */
export type RoleUpdate = GatewayUpdate | RelayUpdate | TasksUpdate | CertificateUpdate;

/** Starts a role in this thread. */
export async function startRole(start: RoleStart, host: RoleHost): Promise<RunningRole<RoleUpdate>> {
  // Each role only ever gets updates that were made for it.
  if (start.role === 'gateway') return (await startGateway(start, host)) as RunningRole<RoleUpdate>;
  if (start.role === 'relay') return (await startRelay(start, host)) as RunningRole<RoleUpdate>;
  const { startAggregator } = await import('./aggregator-role.ts');
  return (await startAggregator(start, host)) as RunningRole<RoleUpdate>;
}

/** What a thread starts from after an update. */
export function updatedStart(start: RoleStart, update: RoleUpdate): RoleStart {
  if (update.kind === 'certificate') return { ...start, place: { ...start.place, certificate: update.certificate } };
  if (start.role === 'relay') return update.kind === 'gateways' ? { ...start, section: update.section } : start;
  if (start.role !== 'gateway') return update.kind === 'tasks' ? { ...start, tasks: update.tasks } : start;
  if (update.kind === 'keys') return { ...start, keys: update.keys };
  if (update.kind === 'targets') return { ...start, section: { ...start.section, targets: update.targets } };
  return start;
}
