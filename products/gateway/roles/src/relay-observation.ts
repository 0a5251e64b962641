/**
 * What a relay lets an operator count. Every value comes from a small fixed set or from the configuration, so that no
 * event can single out a client: there is no address, no time and no exact size.
 */

/** What became of one request. */
export type RelayOutcome =
  /** An encapsulated response, or key configurations, were passed on. */
  | 'answered'
  /** The gateway answered an error in clear, which was passed on. */
  | 'gateway-refused'
  /** The gateway gave no usable answer. */
  | 'gateway-failed'
  /** The answer ended before it was complete. */
  | 'cut-short'
  /** The request broke a rule of the relay. */
  | 'refused'
  | 'unroutable'
  | 'rate-limited'
  /** The admission hook refused. */
  | 'not-admitted'
  | 'client-gone'
  /** A CORS preflight was answered. */
  | 'preflight'
  /** A defect in the relay. */
  | 'failed';

/** Upper bound of a body, by powers of sixteen; `more` is everything above 4 MiB. */
export type SizeBucket = '0' | '1Ki' | '16Ki' | '256Ki' | '4Mi' | 'more';

/** One request, after its answer is complete. */
export interface RelayEvent {
  /** Name from the configuration; `none` for a path that belongs to no gateway. */
  readonly gateway: string;
  readonly resource: 'messages' | 'keys' | 'none';
  readonly outcome: RelayOutcome;
  readonly requestBytes: SizeBucket;
  readonly responseBytes: SizeBucket;
}

/** Receives events; must not throw and must not block. */
export type ObserveRelay = (event: RelayEvent) => void;

/**
 * @param bytes - length of a body
 * @returns the smallest bucket that holds it
 */
export function sizeBucket(bytes: number): SizeBucket {
  if (bytes === 0) return '0';
  if (bytes <= 1024) return '1Ki';
  if (bytes <= 16_384) return '16Ki';
  if (bytes <= 262_144) return '256Ki';
  return bytes <= 4_194_304 ? '4Mi' : 'more';
}
