/** `privacy-edge gateway discover`: asks a target whether it has a gateway. RFC 9540. */

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { probeGateway, RelayError, type ServiceHint } from '@privacy-edge/gateway-roles';
import { createForward, lookUpOhttp, RuntimeError, systemClock, systemRandom } from '@privacy-edge/node';
import { KeyConfigList } from '@privacy-edge/ohttp';
import { CliError } from '../cli-error.ts';
import { ExitCode } from '../exit-code.ts';
import { kemName } from '../keys/algorithms.ts';
import { writeJson, writeOut } from '../output.ts';
import { columns } from '../table.ts';

/** Options of the command. */
export interface DiscoverOptions {
  readonly resolver?: string;
  readonly dns: boolean;
  readonly cacert?: string;
  readonly allowPrivate?: boolean;
  readonly json?: boolean;
}

const TIMEOUT_MS = 10_000;

/** Probes the well-known address of a target, and its DNS record, and prints what is there. */
export async function gatewayDiscover(target: string, options: DiscoverOptions): Promise<ExitCode> {
  const extraRoots = options.cacert === undefined ? [] : [await readFile(options.cacert, 'utf8')];
  const forwarder = createForward({ extraRoots });
  try {
    const lookupService = options.dns ? (host: string) => hintOf(host, options.resolver) : undefined;
    const found = await probeGateway({ forward: forwarder.forward, clock: systemClock, lookupService }, target, {
      timeoutMs: TIMEOUT_MS,
      allowPrivate: options.allowPrivate === true,
    });
    const { usable, skipped } = KeyConfigList.decode(found.keys);
    const digest = `sha256-${createHash('sha256').update(found.keys).digest('base64')}`;
    const keys = usable.map(({ keyId, kemId }) => ({ keyId, kem: kemName(kemId) }));
    if (options.json === true) {
      writeJson({ wellKnown: found.wellKnown, url: found.url, keys, skipped, digest, dns: found.hint ?? null });
    } else {
      const rows = [
        ['gateway', found.wellKnown],
        ['leads to', found.url],
        [
          'keys',
          [
            ...keys.map(({ keyId, kem }) => `${keyId} ${kem}`),
            ...(skipped > 0 ? [`${skipped} of unknown kind`] : []),
          ].join(', '),
        ],
        ['digest', digest],
        ['dns', dnsWords(options.dns, found.hint)],
      ];
      writeOut(columns(rows));
    }
    return ExitCode.OK;
  } catch (cause) {
    throw explain(target, cause);
  } finally {
    await forwarder.close();
  }
}

/** Undefined when no resolver gave a valid answer: a hint may be missing for many reasons, none of which matters. */
async function hintOf(host: string, resolver: string | undefined): Promise<ServiceHint | undefined> {
  const resolvers = resolver === undefined ? {} : { resolvers: [parseResolver(resolver)] };
  try {
    const { oblivious, mandatory } = await lookUpOhttp(host, { ...resolvers, random: systemRandom });
    return { ohttp: oblivious, mandatory };
  } catch (error) {
    if (error instanceof RuntimeError) return undefined;
    throw error;
  }
}

function parseResolver(text: string): { address: string; port: number } {
  const match = /^(?:\[([0-9a-f:.]+)\]|([0-9.]+))(?::([0-9]{1,5}))?$/i.exec(text);
  if (match === null)
    throw new CliError('USAGE', {
      what: `Cannot use "${text}" as a resolver`,
      why: 'expected an address with an optional port',
      fix: 'write it like 192.0.2.53 or [2001:db8::53]:5353',
    });
  return { address: match[1] ?? match[2] ?? '', port: Number(match[3] ?? 53) };
}

function dnsWords(asked: boolean, hint: ServiceHint | undefined): string {
  if (!asked) return 'not asked';
  if (hint === undefined) return 'no answer (only a hint; the probe above counts)';
  if (!hint.ohttp) return 'says nothing of a gateway (only a hint; the probe above counts)';
  return hint.mandatory ? 'says Oblivious HTTP, and nothing else' : 'says Oblivious HTTP';
}

function explain(target: string, cause: unknown): unknown {
  if (cause instanceof RangeError)
    return new CliError(
      'USAGE',
      { what: `Cannot probe ${target}`, why: 'expected an https origin', fix: 'write it like https://target.example' },
      { cause },
    );
  if (cause instanceof RelayError)
    return new CliError(
      'UNREACHABLE',
      {
        what: `Found no gateway at ${target}`,
        why: `the well-known address gave no key configurations (${cause.code})`,
      },
      { cause },
    );
  return cause;
}
