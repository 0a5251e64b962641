/** Whether a Redis or Valkey gives keys up before their time when its memory is full. */

/** The policy under which it refuses new keys instead. */
export const NO_EVICTION = 'noeviction';

/** What is asked; either may be forbidden to this user. */
export interface EvictionCommands {
  configGet(parameter: 'maxmemory-policy'): Promise<unknown>;
  info(section: 'memory'): Promise<unknown>;
}

/**
 * Asks for the eviction policy.
 *
 * @param client - connected
 * @returns such as `noeviction` or `allkeys-lru`; undefined where the store does not say. Never rejects.
 */
export async function evictionPolicy(client: EvictionCommands): Promise<string | undefined> {
  const asked = await client.configGet('maxmemory-policy').catch(() => undefined);
  const configured = word((asked as Readonly<Record<string, unknown>> | undefined)?.['maxmemory-policy']);
  if (configured !== undefined) return configured;
  // Services that forbid CONFIG mostly allow INFO, which tells it too.
  const info = await client.info('memory').catch(() => undefined);
  return word(/^maxmemory_policy:(\S+)/m.exec(String(info))?.[1]);
}

/** A policy goes into the log, so it is one word or nothing. */
function word(value: unknown): string | undefined {
  return typeof value === 'string' && /^[a-z-]{1,32}$/.test(value) ? value : undefined;
}
