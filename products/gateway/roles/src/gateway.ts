/**
 * The gateway role: takes encapsulated requests, makes them, and encapsulates the answers. RFC 9458 §5.
 *
 * Up to the moment a message is decapsulated everything is answered in clear, with nothing in it that depends on a key;
 * from then on everything is answered inside the encapsulation, where the relay cannot read it.
 */
import { BodyError, type RoleHandler, type RoleRequest, type RoleResponse } from '@privacy-edge/http-exchange';
import { isMediaType } from '@privacy-edge/http-fields';
import { MEDIA_TYPE_CHUNKED_REQUEST, MEDIA_TYPE_REQUEST, OhttpError } from '@privacy-edge/ohttp';
import { bodyProblem, clearStatus, keyProblem, methodNotAllowed } from './clear-answer.ts';
import { handleChunked } from './gateway-chunked.ts';
import type { GatewayConfig } from './gateway-config.ts';
import { createGatewayContext, type GatewayContext } from './gateway-context.ts';
import type { GatewayPorts } from './gateway-ports.ts';
import { handleWhole } from './gateway-whole.ts';
import { serveKeys } from './serve-keys.ts';

/**
 * Makes a gateway.
 *
 * @param ports - owned by the caller
 * @param config - not checked against the keys: a gateway without targets refuses every request
 * @returns a handler that never rejects for anything a peer can cause
 */
export function createGateway(ports: GatewayPorts, config: GatewayConfig): RoleHandler {
  const context = createGatewayContext(ports, config);
  return (request) => route(context, request);
}

async function route(context: GatewayContext, request: RoleRequest): Promise<RoleResponse> {
  const { gatewayPath, keysPath } = context.config;
  const query = request.path.indexOf('?');
  const path = query < 0 ? request.path : request.path.slice(0, query);
  if (path === gatewayPath && request.method === 'POST') return takeMessage(context, request);
  if (path !== gatewayPath && path !== keysPath) {
    context.observer.ended('not-found', false);
    return clearStatus(404);
  }
  const answer = await serveKeys(context, request).catch((error: unknown) => fault(context, error, false));
  if (answer !== undefined) return answer;
  context.observer.ended('method', false);
  return methodNotAllowed(path === gatewayPath ? 'GET, HEAD, OPTIONS, POST' : 'GET, HEAD, OPTIONS');
}

async function takeMessage(context: GatewayContext, request: RoleRequest): Promise<RoleResponse> {
  const { config, observer } = context;
  const type = request.header('content-type');
  const chunked = config.chunked && isMediaType(type, MEDIA_TYPE_CHUNKED_REQUEST);
  if (!chunked && !isMediaType(type, MEDIA_TYPE_REQUEST)) {
    observer.ended('media-type', false);
    const accept = config.chunked ? `${MEDIA_TYPE_REQUEST}, ${MEDIA_TYPE_CHUNKED_REQUEST}` : MEDIA_TYPE_REQUEST;
    return clearStatus(415, [['accept', accept]]);
  }
  try {
    return await (chunked ? handleChunked(context, request) : handleWhole(context, request));
  } catch (error) {
    return answerClearError(context, error, chunked);
  }
}

/** Turns errors from before decapsulation into answers; others are faults, which the adapter answers with 500. */
function answerClearError(context: GatewayContext, error: unknown, chunked: boolean): RoleResponse {
  const { observer, config } = context;
  if (error instanceof BodyError) {
    observer.ended(BODY_OUTCOMES[error.code], chunked);
    return bodyProblem(error);
  }
  if (!(error instanceof OhttpError)) return fault(context, error, chunked);
  if (error.code === 'KEY_UNKNOWN') {
    observer.ended('key-unknown', chunked);
    return keyProblem(config.keyProblemStatus);
  }
  if (error.code === 'MALFORMED' || error.code === 'TRUNCATED') {
    observer.ended('malformed-message', chunked);
    return clearStatus(400);
  }
  // The rest are about our own keys.
  if (error.code !== 'OPEN_FAILED' && error.code !== 'LIMIT') return fault(context, error, chunked);
  observer.ended('open-failed', chunked);
  return clearStatus(config.keyProblemStatus);
}

function fault(context: GatewayContext, error: unknown, chunked: boolean): never {
  context.observer.ended('fault', chunked);
  throw error;
}

const BODY_OUTCOMES = { TOO_LARGE: 'too-large', TIMEOUT: 'body-timeout', ABORTED: 'aborted' } as const;
