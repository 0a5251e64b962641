/**
 * What a role sees, keeps and never learns, as data. The text that a role serves about itself is made from the same
 * declaration that tests compare with what reached it.
 */
import type { RoleHandler, RoleResponse } from '@privacy-edge/http-exchange';
import { acceptsMediaType } from '@privacy-edge/http-fields';

/** Something that one role keeps. */
export interface KeptFact {
  readonly what: string;
  /** In memory, in a file, in a database. */
  readonly where: string;
  /** How long, in words. */
  readonly howLong: string;
}

/** What one role declares about itself. */
export interface PrivacyDeclaration {
  /** The role's name in the standard. */
  readonly role: 'relay' | 'gateway' | 'leader' | 'helper';
  /** One sentence. */
  readonly summary: string;
  readonly sees: readonly string[];
  readonly neverSees: readonly string[];
  readonly keeps: readonly KeptFact[];
  /** What has to be true for the promise to hold. */
  readonly condition: string;
}

/** What a gateway's declaration depends on. */
export interface GatewayPrivacyOptions {
  /** Where used nonces are remembered. */
  readonly replayStore: 'memory' | 'memory and file' | 'shared store';
  /** For how long, milliseconds. */
  readonly replayWindowMs: number;
}

/** What a gateway declares. */
export function gatewayPrivacy(options: GatewayPrivacyOptions): PrivacyDeclaration {
  return {
    role: 'gateway',
    summary: 'This gateway opens requests that a relay passes on, asks the target, and seals the answer.',
    sees: [
      'target host and path',
      'request and response, as far as the target sees them',
      'time and size',
      'address of the relay',
    ],
    neverSees: ['address of the client', 'anything about the connection between client and relay'],
    keeps: [
      {
        what: 'a keyed fingerprint of each request key, so that nobody can repeat a request',
        where: options.replayStore,
        howLong: `${Math.ceil(options.replayWindowMs / 1000)} to ${Math.ceil((2 * options.replayWindowMs) / 1000)} seconds`,
      },
      {
        what: 'numbers of requests by outcome, without any name or address',
        where: 'memory',
        howLong: 'until it restarts',
      },
    ],
    condition: 'The operator of the relay is somebody else and does not tell this gateway who asks.',
  };
}

/** What a relay's declaration depends on. */
export interface RelayPrivacyOptions {
  /** Whether requests are limited by address prefix. */
  readonly rateLimited: boolean;
}

/** What a relay declares. */
export function relayPrivacy(options: RelayPrivacyOptions): PrivacyDeclaration {
  const buckets: KeptFact = {
    what: 'a request counter for each address prefix, not for single addresses',
    where: 'memory',
    howLong: 'until it is full again, or until the relay restarts',
  };
  return {
    role: 'relay',
    summary: 'This relay passes sealed messages to a gateway without saying who sent them.',
    sees: ['address of the client', 'which gateway is asked', 'time and size of sealed messages'],
    neverSees: ['target host and path', 'request and response'],
    keeps: [
      ...(options.rateLimited ? [buckets] : []),
      { what: 'numbers of requests by gateway and outcome', where: 'memory', howLong: 'until it restarts' },
    ],
    condition: 'The operator of the gateway is somebody else and does not tell this relay what is asked.',
  };
}

const FIELDS: RoleResponse['fields'] = [
  ['cache-control', 'public, max-age=3600'],
  ['vary', 'accept'],
  ['access-control-allow-origin', '*'],
];

/**
 * Serves a declaration: as HTML to a browser, as JSON to anything that does not ask for HTML.
 *
 * @param declaration - made from the configuration that the role runs with
 */
export function servePrivacyNotice(declaration: PrivacyDeclaration): RoleHandler {
  const encoder = new TextEncoder();
  const json = encoder.encode(`${JSON.stringify(declaration, undefined, 2)}\n`);
  const html = encoder.encode(renderHtml(declaration));
  return async (request) => {
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return { status: 405, fields: [['allow', 'GET, HEAD']], body: null };
    const accept = request.header('accept');
    const wantsHtml = accept?.includes('html') === true && acceptsMediaType(accept, 'text/html');
    const type = wantsHtml ? 'text/html; charset=utf-8' : 'application/json';
    const fields: RoleResponse['fields'] = [
      ['content-type', type],
      ...FIELDS,
      ['content-security-policy', "default-src 'none'"],
    ];
    const body = wantsHtml ? html : json;
    return { status: 200, fields, body: request.method === 'HEAD' ? null : body };
  };
}

function renderHtml(declaration: PrivacyDeclaration): string {
  const items = (texts: readonly string[]): string => texts.map((text) => `<li>${escapeHtml(text)}</li>`).join('');
  const kept = declaration.keeps.map(({ what, where, howLong }) => `${what}: ${where}, ${howLong}`);
  const title = `Privacy notice of this ${declaration.role}`;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)}</title>
<h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(declaration.summary)}</p>
<h2>What it sees</h2><ul>${items(declaration.sees)}</ul>
<h2>What it never sees</h2><ul>${items(declaration.neverSees)}</ul>
<h2>What it keeps</h2><ul>${items(kept)}</ul>
<p>${escapeHtml(declaration.condition)}</p>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
