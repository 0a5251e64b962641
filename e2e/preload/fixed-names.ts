/**
 * Loaded into a role process before anything else: names listed in PRIVACY_EDGE_TEST_NAMES, as JSON from name to addresses,
 * resolve to those addresses. Every look-up of one is told on standard error.
 */
import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';

const names = JSON.parse(process.env['PRIVACY_EDGE_TEST_NAMES'] ?? '{}') as Record<string, readonly string[]>;
const system = dns.lookup;

type Callback = (error: Error | null, addresses: { address: string; family: number }[]) => void;

const lookup = (name: string, options: dns.LookupAllOptions, callback: Callback): void => {
  const addresses = names[name];
  if (addresses === undefined) {
    system(name, options, callback);
    return;
  }
  process.stderr.write('{"event":"looked_up"}\n');
  setImmediate(
    callback,
    null,
    addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
  );
};

dns.lookup = lookup as unknown as typeof dns.lookup;
syncBuiltinESMExports();
