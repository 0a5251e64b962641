/** What became of a request at a gateway: a closed set, so that metrics and logs cannot grow a label per client. */

/** Every way in which a gateway can end a request. */
export type GatewayOutcome =
  /** The target's answer was encapsulated. */
  | 'answered'
  /** In clear, before decapsulation. */
  | 'not-found'
  | 'method'
  | 'media-type'
  | 'too-large'
  | 'body-timeout'
  | 'aborted'
  | 'malformed-message'
  | 'key-unknown'
  | 'open-failed'
  | 'replay-known'
  /** Encapsulated, after decapsulation. */
  | 'malformed-request'
  | 'expect'
  | 'policy'
  | 'date'
  | 'replayed'
  | 'forgotten'
  | 'replay-full'
  | 'replay-unavailable'
  | 'target-failed'
  | 'response-too-large'
  /** Key configurations were served. */
  | 'keys'
  /** A fault of ours. */
  | 'fault';

/** What a gateway reports about itself. It has no parameter that could identify anyone. */
export interface GatewayObserver {
  /** Once for each request. `chunked` is false for everything that is not a chunked message. */
  ended(outcome: GatewayOutcome, chunked: boolean): void;
  /** Milliseconds from sending a request to a target until its response header. */
  targetAnswered(elapsedMs: number): void;
}

/** Observes nothing. */
export const silentGatewayObserver: GatewayObserver = { ended: () => {}, targetAnswered: () => {} };
