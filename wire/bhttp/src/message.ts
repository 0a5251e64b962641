/** Binary HTTP messages as values. RFC 9292 §3. */
import type { Field } from './field.ts';

/** Media type of one binary message. RFC 9292 §7. */
export const BHTTP_MEDIA_TYPE = 'message/bhttp';

/** Everything of a request that precedes its content. */
export interface RequestHead {
  /** A token, case-sensitive. */
  readonly method: string;
  /** Lower case; empty only for CONNECT. */
  readonly scheme: string;
  /** Host and optional port; empty when the request has none, in which case a Host field may carry it. */
  readonly authority: string;
  /** Path and query; starts with `/` for http and https, or is `*` for OPTIONS. Empty only for CONNECT. */
  readonly path: string;
  readonly fields: readonly Field[];
}

/** A whole request. */
export interface BinaryRequest extends RequestHead {
  readonly body: Uint8Array;
  readonly trailers: readonly Field[];
}

/** A 1xx response. RFC 9292 §3.5.1. */
export interface InformationalResponse {
  /** 100 to 199. */
  readonly status: number;
  readonly fields: readonly Field[];
}

/** Everything of a final response that precedes its content. */
export interface ResponseHead {
  /** 200 to 599. */
  readonly status: number;
  readonly fields: readonly Field[];
}

/** A whole response with the informational responses before it. */
export interface BinaryResponse extends ResponseHead {
  readonly informational: readonly InformationalResponse[];
  readonly body: Uint8Array;
  readonly trailers: readonly Field[];
}
