/** Answers in clear: for everything that happens before a request is decapsulated. RFC 9458 §5.2. */
import type { BodyError, RoleResponse } from '@privacy-edge/http-exchange';
import { encodeProblem, PROBLEM_MEDIA_TYPE, PROBLEM_OHTTP_KEY } from '@privacy-edge/http-fields';

/** A status without content. */
export function clearStatus(status: number, fields: RoleResponse['fields'] = []): RoleResponse {
  return { status, fields, body: null };
}

/** 405 with the methods that are there. */
export function methodNotAllowed(allow: string): RoleResponse {
  return clearStatus(405, [['allow', allow]]);
}

/**
 * The key named by a request is not one of ours: the client should fetch the key configurations again.
 *
 * @see RFC 9458 §5.3
 */
export function keyProblem(status: 400 | 422): RoleResponse {
  const title = 'The key configuration of the request is not in use';
  return {
    status,
    fields: [['content-type', PROBLEM_MEDIA_TYPE]],
    body: encodeProblem({ type: PROBLEM_OHTTP_KEY, title, status }),
  };
}

/** A body that could not be read. */
export function bodyProblem(error: BodyError): RoleResponse {
  switch (error.code) {
    case 'TOO_LARGE':
      return clearStatus(413);
    case 'TIMEOUT':
      return clearStatus(408);
    case 'ABORTED':
      return clearStatus(400);
  }
}
