/** Answers that the gateway itself gives inside the encapsulation: nobody but the client can read them. */
import type { BinaryResponse, Field } from '@privacy-edge/bhttp';
import { encodeProblem, formatHttpDate, PROBLEM_DATE, PROBLEM_MEDIA_TYPE } from '@privacy-edge/http-fields';

/** A problem document as an encapsulated response. */
export function innerProblem(
  status: number,
  title: string,
  fields: readonly Field[] = [],
  type?: string,
): BinaryResponse {
  const body = encodeProblem({ type: type ?? 'about:blank', title, status });
  return {
    informational: [],
    status,
    fields: [['content-type', PROBLEM_MEDIA_TYPE], ['content-length', String(body.length)], ...fields],
    body,
    trailers: [],
  };
}

/**
 * The request's Date is missing or outside of the window. Carries our Date so that a client whose clock is wrong can try
 * once more, and must not be stored: it says something about one moment only.
 *
 * @see RFC 9458 §6.5.2
 */
export function dateProblem(nowMs: number): BinaryResponse {
  return innerProblem(
    400,
    'The Date of the request is missing or not recent',
    [
      ['date', formatHttpDate(nowMs)],
      ['cache-control', 'no-store'],
    ],
    PROBLEM_DATE,
  );
}
