/**
 * One HTTP exchange as a role sees it. Adapters (node:http, node:http2, fetch) build a `RoleRequest` and write a
 * `RoleResponse`; nothing about the connection is reachable from here, so a gateway cannot learn a client address by
 * accident: there is no field for it.
 */
import type { Cancellation } from './cancellation.ts';

/** A message body that can be consumed once, either whole or as a stream. */
export interface BodySource {
  /** Length announced by the peer, bytes; undefined when it was not announced. Peer-controlled, not verified. */
  readonly announcedLength: number | undefined;
  /**
   * Reads the whole body.
   *
   * @param maxBytes - refuse to hold more than this many bytes
   * @throws {@link BodyError} `TOO_LARGE`, `TIMEOUT` or `ABORTED`
   */
  read(maxBytes: number): Promise<Uint8Array>;
  /** Yields the body as it arrives; pulling is the backpressure. Throws {@link BodyError} like `read`. */
  stream(): AsyncIterable<Uint8Array>;
  /**
   * Lifts what the adapter demands of the pace of `stream`. An adapter ends a body that drips, because otherwise one byte at a
   * time holds a place for ever; a role calls this when it knows that silence is part of the exchange, such as in an
   * interactive message. Absent where an adapter demands nothing.
   */
  relax?(): void;
}

/** Why a body could not be read. */
export type BodyErrorCode = 'TOO_LARGE' | 'TIMEOUT' | 'ABORTED';

/** A body that ended before it was complete, or was longer than allowed. */
export class BodyError extends Error {
  override readonly name = 'BodyError';
  readonly code: BodyErrorCode;
  constructor(code: BodyErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** An incoming request, already parsed by the HTTP stack; every value is controlled by the peer. */
export interface RoleRequest {
  /** Method, case-sensitive. */
  readonly method: string;
  /** Path and query exactly as received. */
  readonly path: string;
  /** One header field by lower-case name, several lines joined with ", ". */
  header(name: string): string | undefined;
  readonly body: BodySource;
  /** Aborted when the peer goes away or the server gives up. */
  readonly signal: AbortSignal;
  /** The same as `signal`, where an adapter has it for less. */
  readonly cancellation?: Cancellation | undefined;
}

/** One field line: lower-case name and value. */
export type ExchangeField = readonly [name: string, value: string];

/** An answer. A stream is pulled only as fast as the peer reads; it is closed early when the peer goes away. */
export interface RoleResponse {
  readonly status: number;
  readonly fields: readonly ExchangeField[];
  readonly body: Uint8Array | AsyncIterable<Uint8Array> | null;
}

/** What every role is, seen from an adapter. */
export type RoleHandler = (request: RoleRequest) => Promise<RoleResponse>;

/** The cheapest way that an adapter offers to learn that whoever asked is gone. */
export function cancellationOf(request: RoleRequest): Cancellation {
  return request.cancellation ?? request.signal;
}
