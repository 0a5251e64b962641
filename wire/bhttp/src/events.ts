/** What a streaming decoder reports, in the order of the message. */
import type { Field } from './field.ts';
import type { InformationalResponse, RequestHead, ResponseHead } from './message.ts';

/** A 1xx response; any number of them, before the head. */
export interface InformationalEvent extends InformationalResponse {
  readonly type: 'informational';
}

/** The head is complete; exactly one per message. */
export interface HeadEvent<Head> {
  readonly type: 'head';
  readonly head: Head;
}

/** A piece of content, at least one byte; a view of the pushed chunk. */
export interface DataEvent {
  readonly type: 'data';
  readonly bytes: Uint8Array;
}

/** The trailer section; reported only when it has field lines. */
export interface TrailersEvent {
  readonly type: 'trailers';
  readonly fields: readonly Field[];
}

/** The message is complete and valid; reported once, by `end()`. */
export interface EndEvent {
  readonly type: 'end';
}

/** What follows the head. */
export type ContentEvent = DataEvent | TrailersEvent | EndEvent;

/** Events of a request. */
export type RequestEvent = HeadEvent<RequestHead> | ContentEvent;

/** Events of a response. */
export type ResponseEvent = InformationalEvent | HeadEvent<ResponseHead> | ContentEvent;
