export { decodeRequest, decodeResponse } from './decode.ts';
export { type EncodeOptions, encodeRequest, encodeResponse } from './encode.ts';
export type {
  ContentEvent,
  DataEvent,
  EndEvent,
  HeadEvent,
  InformationalEvent,
  RequestEvent,
  ResponseEvent,
  TrailersEvent,
} from './events.ts';
export {
  fromFetchRequest,
  fromFetchResponse,
  requestHeadFromFetch,
  responseHeadFromFetch,
  toFetchRequest,
  toFetchResponse,
} from './fetch.ts';
export type { Field } from './field.ts';
export {
  combineCookies,
  effectiveAuthority,
  getField,
  getFieldLines,
  stripConnectionFields,
} from './field-list.ts';
export { DEFAULT_DECODE_LIMITS, type DecodeLimits } from './limits.ts';
export {
  BHTTP_MEDIA_TYPE,
  type BinaryRequest,
  type BinaryResponse,
  type InformationalResponse,
  type RequestHead,
  type ResponseHead,
} from './message.ts';
export { RequestDecoder, ResponseDecoder } from './stream-decoder.ts';
export { RequestEncoder, ResponseEncoder } from './stream-encoder.ts';
