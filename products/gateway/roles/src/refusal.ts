/** Answers of the gateway's own that end a chunked exchange. RFC 9458 §5.2. */

import type { BinaryResponse } from '@privacy-edge/bhttp';
import { DecodeError } from '@privacy-edge/bytes';
import { BodyError } from '@privacy-edge/http-exchange';
import { OhttpError } from '@privacy-edge/ohttp';
import type { GatewayOutcome } from './gateway-outcome.ts';
import { innerProblem } from './inner-answer.ts';
import { answerTargetError } from './target-exchange.ts';

/** An encapsulated answer of the gateway's own, and what to call it in metrics. */
export interface Refusal {
  readonly outcome: GatewayOutcome;
  readonly response: BinaryResponse;
}

/** The answer to a request that could not be read to its end; undefined stands for one that makes no sense. */
export function brokenRequest(error: unknown): Refusal {
  const answer = (outcome: GatewayOutcome, status: number, title: string): Refusal => ({
    outcome,
    response: innerProblem(status, title),
  });
  if (error instanceof BodyError && error.code === 'TOO_LARGE')
    return answer('too-large', 413, 'The encapsulated request is too large');
  if (error instanceof BodyError && error.code === 'TIMEOUT')
    return answer('body-timeout', 408, 'The encapsulated request did not arrive in time');
  if (error instanceof BodyError) return answer('aborted', 400, 'The encapsulated request broke off');
  if (error === undefined || error instanceof OhttpError || error instanceof DecodeError)
    return answer('malformed-request', 400, 'The encapsulated request is not complete and valid');
  return answer('fault', 500, 'The gateway failed');
}

/** The answer for a target that gave none. */
export function failedTarget(error: unknown): Refusal {
  const response = answerTargetError(error);
  if (response !== undefined) return { outcome: 'target-failed', response };
  return { outcome: 'fault', response: innerProblem(500, 'The gateway failed') };
}
