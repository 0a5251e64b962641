export {
  type CacheControl,
  type CacheDirectives,
  type FreshnessInput,
  formatCacheControl,
  freshnessMs,
  parseCacheControl,
} from './cache-control.ts';
export { isToken, splitList } from './fields.ts';
export { formatHttpDate, parseHttpDate } from './http-date.ts';
export { isIncremental } from './incremental.ts';
export { acceptsMediaType, isMediaType, mediaTypeEssence } from './media-type.ts';
export {
  decodeProblem,
  encodeProblem,
  PROBLEM_DATE,
  PROBLEM_MEDIA_TYPE,
  PROBLEM_OHTTP_KEY,
  type ProblemDetails,
} from './problem.ts';
