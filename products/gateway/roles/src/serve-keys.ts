/** Serves the key configurations, the same to everyone. RFC 9458 §3.2, RFC 9540 §6. */

import type { Field } from '@privacy-edge/bhttp';
import { toBase64Url } from '@privacy-edge/bytes';
import type { RoleRequest, RoleResponse } from '@privacy-edge/http-exchange';
import { formatCacheControl, splitList } from '@privacy-edge/http-fields';
import { KeyConfigList, MEDIA_TYPE_KEYS } from '@privacy-edge/ohttp';
import { clearStatus } from './clear-answer.ts';
import type { GatewayContext } from './gateway-context.ts';
import type { KeyRing } from './key-schedule.ts';

/**
 * Answers GET, HEAD and OPTIONS.
 *
 * The answer is public and fresh until the list changes, so that caches and mirrors can hold it and no client can be
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
  const { list, seconds } = publication(ring, now);
  const etag = `"${toBase64Url(fingerprint(list))}"`;
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
  return { status: 200, fields, body: request.method === 'HEAD' ? null : list };
}

/** The list to hand out at one moment, and the whole seconds that it may be cached. */
interface Publication {
  readonly list: Uint8Array;
  readonly seconds: number;
}

/**
 * In its last second a list could not be cached at all, and everyone who asks in it would come back at once. What outlasts
 * that second is handed out instead: the same list when it is only about to grow, and otherwise the keys of the epoch that
 * begins, which are accepted since they were published. Where nothing was published ahead, nothing outlasts it.
 */
function publication(ring: KeyRing, now: number): Publication {
  const seconds = Math.max(0, Math.floor((ring.publishedUntilMs - now) / 1000));
  const lasting = ring.epochs.filter(({ state, untilMs }) => state !== 'retiring' && untilMs - now >= 1000);
  if (seconds > 0 || lasting.length === 0) return { list: ring.published, seconds };
  const configs = lasting.flatMap(({ keys }) => keys.map((key) => key.config));
  return { list: KeyConfigList.encode(configs), seconds: 1 };
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
