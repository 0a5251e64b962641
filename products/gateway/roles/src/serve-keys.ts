/** Serves the key configurations, the same to everyone. RFC 9458 §3.2, RFC 9540 §6. */
import type { Field } from '@privacy-edge/bhttp';
import { toBase64Url } from '@privacy-edge/bytes';
import { formatCacheControl, splitList } from '@privacy-edge/http-fields';
import { MEDIA_TYPE_KEYS } from '@privacy-edge/ohttp';
import { clearStatus } from './clear-answer.ts';
import type { RoleRequest, RoleResponse } from './exchange.ts';
import type { GatewayContext } from './gateway-context.ts';

/**
 * Answers GET, HEAD and OPTIONS.
 *
 * The answer is public and fresh exactly until the list changes, so that caches and mirrors can hold it and no client can be
 * told apart by when it asked. The entity tag depends on the list alone: two gateways with the same keys agree on it.
 *
 * @returns undefined for any other method
 */
export async function serveKeys(context: GatewayContext, request: RoleRequest): Promise<RoleResponse | undefined> {
  const { config, ports, observer } = context;
  if (request.method === 'OPTIONS') {
    observer.ended('keys', false);
    return clearStatus(204, [...cors(config.corsOrigins, request), ...PREFLIGHT]);
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') return undefined;
  const now = ports.clock();
  const ring = await ports.keys.ringAt(now);
  const seconds = Math.max(0, Math.floor((ring.publishedUntilMs - now) / 1000));
  const etag = `"${toBase64Url(fingerprint(ring.published))}"`;
  const fields: Field[] = [
    ['content-type', MEDIA_TYPE_KEYS],
    [
      'cache-control',
      formatCacheControl({
        public: true,
        'max-age': Math.min(seconds, config.keysMaxAgeSeconds),
        'no-transform': true,
      }),
    ],
    ['etag', etag],
    ...cors(config.corsOrigins, request),
  ];
  observer.ended('keys', false);
  if (matchesEntityTag(request.header('if-none-match'), etag)) return { status: 304, fields, body: null };
  return { status: 200, fields, body: request.method === 'HEAD' ? null : ring.published };
}

/** The weak comparison of RFC 9110 §13.1.2: caches on the way may have made the tag weak. */
function matchesEntityTag(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  return splitList(ifNoneMatch).some((tag) => tag === '*' || tag.replace(/^W\//, '') === etag);
}

/**
 * FNV-style checksum: an entity tag only has to differ between lists of ours, and no secret or trust hangs on it.
 */
function fingerprint(list: Uint8Array): Uint8Array {
  let a = 0x811c9dc5;
  let b = 0x01000193;
  for (const byte of list) {
    a = Math.imul(a ^ byte, 0x01000193);
    b = Math.imul(b + byte, 0x85ebca6b) ^ (a >>> 15);
  }
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setUint32(0, a >>> 0);
  new DataView(bytes.buffer).setUint32(4, b >>> 0);
  return bytes;
}

const PREFLIGHT: RoleResponse['fields'] = [
  ['access-control-allow-methods', 'GET, HEAD'],
  ['access-control-max-age', '86400'],
];

/** Allows browsers on the listed origins to read the answer; credentials never. */
function cors(origins: readonly string[], request: RoleRequest): RoleResponse['fields'] {
  if (origins.includes('*')) return [['access-control-allow-origin', '*']];
  const origin = request.header('origin');
  const vary: [string, string] = ['vary', 'origin'];
  return origin !== undefined && origins.includes(origin) ? [['access-control-allow-origin', origin], vary] : [vary];
}
