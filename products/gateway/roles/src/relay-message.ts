/** The two kinds of message that a relay carries, as far as a relay can see: their media types. */
import type { RoleRequest } from '@privacy-edge/http-exchange';
import { isIncremental, mediaTypeEssence } from '@privacy-edge/http-fields';
import {
  MEDIA_TYPE_CHUNKED_REQUEST,
  MEDIA_TYPE_CHUNKED_RESPONSE,
  MEDIA_TYPE_REQUEST,
  MEDIA_TYPE_RESPONSE,
} from '@privacy-edge/ohttp';

/** How one message travels. */
export interface MessageForm {
  /** Media type sent to the gateway: ours, never the client's spelling of it. */
  readonly requestType: string;
  /** The only media type that a success may have. */
  readonly responseType: string;
  /** Whether the client asked for bytes to be passed on as they arrive (RFC 10036 §3). */
  readonly incremental: boolean;
}

const RESPONSE_TYPES: ReadonlyMap<string, string> = new Map([
  [MEDIA_TYPE_REQUEST, MEDIA_TYPE_RESPONSE],
  [MEDIA_TYPE_CHUNKED_REQUEST, MEDIA_TYPE_CHUNKED_RESPONSE],
]);

/**
 * @param request - client-controlled; parameters of its media type are dropped, they could carry an identifier
 * @returns undefined for a media type that is not one of Oblivious HTTP's
 */
export function messageForm(request: RoleRequest): MessageForm | undefined {
  const requestType = mediaTypeEssence(request.header('content-type'));
  const responseType = requestType === undefined ? undefined : RESPONSE_TYPES.get(requestType);
  if (requestType === undefined || responseType === undefined) return undefined;
  return { requestType, responseType, incremental: isIncremental(request.header('incremental')) };
}
