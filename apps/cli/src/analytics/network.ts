/** The way to the aggregators: straight, or through a relay and a gateway. */
import type { Fetch } from '@privacy-edge/analytics';
import { createObliviousFetch } from '@privacy-edge/gateway';
import { CliError } from '../cli-error.ts';
import { describeEvent } from '../fetch/explanation.ts';
import { keySource } from '../fetch/key-source.ts';
import { parseUrl, readRoots, readSeconds } from '../fetch/options.ts';
import { createOuterFetch, type OuterFetch } from '../fetch/outer-fetch.ts';
import { writeNote } from '../output.ts';
import { explain } from './explanation.ts';

/** Options that say how aggregators are reached. */
export interface NetworkOptions {
  readonly relay?: string;
  readonly gateway?: string;
  readonly keys?: string;
  readonly pin?: string;
  readonly cacert?: string;
  readonly maxTime: string;
  readonly verbose?: boolean;
}

/** The way to the aggregators. */
export interface Way {
  readonly fetch: Fetch;
  /** Until an answer must be there. */
  readonly timeoutMs: number;
  /** An error of this way in words. */
  explain(cause: unknown): unknown;
}

/**
 * Opens the way that the options ask for.
 *
 * @throws {@link CliError} `USAGE`
 */
export async function openWay(options: NetworkOptions): Promise<Way> {
  const timeoutMs = readSeconds(options.maxTime);
  const send = createOuterFetch({ extraRoots: await readRoots(options.cacert) });
  const fetch = options.relay === undefined ? direct(options, send) : await oblivious(options, options.relay, send);
  let failure: unknown;
  const watched: Fetch = async (input, init) => {
    try {
      return await fetch(input, init);
    } catch (error) {
      failure = error;
      throw error;
    }
  };
  return { fetch: watched, timeoutMs, explain: (cause) => explain(cause, failure) };
}

function direct(options: NetworkOptions, send: OuterFetch): Fetch {
  const misplaced = (['gateway', 'keys', 'pin'] as const).find((name) => options[name] !== undefined);
  if (misplaced === undefined) return send;
  throw new CliError('USAGE', {
    what: `Cannot use --${misplaced}`,
    why: 'there is no --relay',
    fix: 'add --relay URL',
  });
}

async function oblivious(options: NetworkOptions, relay: string, send: OuterFetch): Promise<Fetch> {
  const note = (line: string): void => {
    if (options.verbose === true) writeNote(`* ${line}\n`);
  };
  const fetchObliviously = createObliviousFetch({
    relay: parseUrl(relay, '--relay'),
    keys: await keySource({ ...options, relay }, send, note),
    fetch: send,
    // The task names the aggregators, and the person who runs the command the gateway in front of them.
    gateway: () => true,
    timeoutMs: readSeconds(options.maxTime),
    onEvent: (event) => note(describeEvent(event)),
  });
  return (input, init) => fetchObliviously(input, init);
}
