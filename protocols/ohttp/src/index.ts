export { type RandomSource, systemRandom } from '@privacy-edge/hpke';
export { type EncapsulatedChunkedRequest, encapsulateChunked } from './chunked-client.ts';
export { ChunkedResponseOpener } from './chunked-response.ts';
export { ChunkOpener, ChunkSealer, type ChunkStep, MAX_CHUNK_PLAINTEXT } from './chunks.ts';
export {
  type EncapsulatedRequest,
  Encapsulator,
  prepareEncapsulator,
  type RequestContext,
  ResponseOpener,
} from './client.ts';
export {
  type ChunkedResponse,
  type FindKey,
  type OpenedChunkedRequest,
  type OpenedRequest,
  ReceivedChunkedRequest,
  ReceivedRequest,
  ResponseSealer,
  receiveChunkedRequest,
  receiveRequest,
} from './gateway.ts';
export { createGatewayKey, GatewayKey, type GatewayKeyInit, type PreparedSuite } from './gateway-key.ts';
export {
  decodeKeyConfigList,
  encodeKeyConfig,
  isSuiteUsable,
  KeyConfig,
  type KeyConfigCollection,
  KeyConfigList,
  type SelectedSuite,
  type SymmetricSuite,
  selectSuite,
} from './key-config.ts';
export { CHUNKED_LABELS, type Labels, WHOLE_LABELS } from './labels.ts';
export {
  MEDIA_TYPE_CHUNKED_REQUEST,
  MEDIA_TYPE_CHUNKED_RESPONSE,
  MEDIA_TYPE_KEYS,
  MEDIA_TYPE_REQUEST,
  MEDIA_TYPE_RESPONSE,
} from './media-types.ts';
export { OhttpError, type OhttpErrorCode } from './ohttp-error.ts';
