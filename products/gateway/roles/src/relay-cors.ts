/**
 * Browsers as clients: Cross-Origin Resource Sharing for relay resources. Nothing of a page's identity is needed, so no
 * credentials are ever allowed, and no request field beyond the two that the protocol uses.
 */

import type { Field } from '@privacy-edge/bhttp';
import type { RoleRequest, RoleResponse } from '@privacy-edge/http-exchange';

/** Seconds that a browser may remember a preflight: as long as any browser will, to save a round trip for each post. */
const PREFLIGHT_SECONDS = 86_400;

/** Which pages may use the relay. */
export class CorsPolicy {
  readonly #origins: ReadonlySet<string>;
  readonly #any: boolean;

  /** @param origins - serialised origins such as `https://app.example`, or `*` for all */
  constructor(origins: readonly string[]) {
    this.#origins = new Set(origins);
    this.#any = this.#origins.has('*');
  }

  /**
   * Fields that let the page behind a request read the answer.
   *
   * @param request - its Origin is chosen by the browser, or by whatever pretends to be one
   * @param cacheable - the answer may be stored and given to another page, so it must not depend on this Origin unsaid
   * @returns none where the request names no origin or one that is not allowed
   */
  fields(request: RoleRequest, cacheable: boolean): readonly Field[] {
    const origin = request.header('origin');
    if (this.#origins.size === 0 || (origin === undefined && !cacheable)) return [];
    if (this.#any) return [['access-control-allow-origin', '*'], EXPOSE];
    if (origin === undefined || !this.#origins.has(origin)) return [['vary', 'origin']];
    return [['access-control-allow-origin', origin], ['vary', 'origin'], EXPOSE];
  }

  /**
   * Answers an OPTIONS request; {@link CorsPolicy.fields} is still to be added.
   *
   * @param request - a preflight if it names an origin
   * @param methods - what the resource takes
   */
  preflight(request: RoleRequest, methods: readonly string[]): RoleResponse {
    const fields: Field[] = [['allow', [...methods, 'OPTIONS'].join(', ')]];
    const origin = request.header('origin');
    if (origin !== undefined && (this.#any || this.#origins.has(origin))) {
      fields.push(
        ['access-control-allow-methods', methods.join(', ')],
        ['access-control-allow-headers', 'content-type, incremental'],
        ['access-control-max-age', String(PREFLIGHT_SECONDS)],
      );
    }
    return { status: 204, fields, body: null };
  }
}

/** What a page may read beyond what every page may: when to come back, and whose fault it was. */
const EXPOSE: Field = ['access-control-expose-headers', 'proxy-status, retry-after'];
