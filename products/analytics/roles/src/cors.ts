/** Browsers as clients: Cross-Origin Resource Sharing for configurations and uploads, without credentials. */
import type { ExchangeField, RoleRequest, RoleResponse } from '@privacy-edge/http-exchange';
import { emptyAnswer } from './answer.ts';

/** Seconds that a browser may remember a preflight: as long as any browser will. */
const PREFLIGHT_SECONDS = 86_400;

/**
 * Fields that let a page read the answer.
 *
 * @param origins - serialised, or `*` for all
 * @returns the same for every request where all origins are allowed, so that the answer can be cached
 */
export function corsFields(origins: readonly string[], request: RoleRequest): ExchangeField[] {
  if (origins.length === 0) return [];
  if (origins.includes('*')) return [['access-control-allow-origin', '*'], EXPOSE];
  const origin = request.header('origin');
  if (origin === undefined || !origins.includes(origin)) return [['vary', 'origin']];
  return [['access-control-allow-origin', origin], ['vary', 'origin'], EXPOSE];
}

/** Answers an OPTIONS request; {@link corsFields} are still to be added. */
export function preflight(methods: readonly string[]): RoleResponse {
  return emptyAnswer(204, [
    ['allow', [...methods, 'OPTIONS'].join(', ')],
    ['access-control-allow-methods', methods.join(', ')],
    ['access-control-allow-headers', 'content-type, dap-taskprov'],
    ['access-control-max-age', String(PREFLIGHT_SECONDS)],
  ]);
}

const EXPOSE: ExchangeField = ['access-control-expose-headers', 'retry-after'];
