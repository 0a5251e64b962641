export { chunkedResponse, interactive } from './chunked.ts';
export { ObliviousError, type ObliviousErrorCode } from './oblivious-error.ts';
export { createObliviousFetch, type ObliviousFetch } from './oblivious-fetch.ts';
export type { ChunkedMode, Fetch, KeySource, ObliviousEvent, ObliviousFetchOptions, TargetRule } from './options.ts';
