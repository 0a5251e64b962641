/** Binary HTTP: CPU time of one message, whole and streamed. */
import {
  decodeRequest,
  decodeResponse,
  encodeRequest,
  encodeResponse,
  type Field,
  RequestDecoder,
} from '@privacy-edge/bhttp';

const fields: Field[] = [
  ['content-type', 'application/json'],
  ['accept', '*/*'],
  ['user-agent', 'curl/7.16.3 libcurl/7.16.3 OpenSSL/0.9.7l zlib/1.2.3'],
  ['date', 'Mon, 27 Jul 2009 12:28:53 GMT'],
];
const body = new Uint8Array(40).fill(0x61);
const request = {
  method: 'POST',
  scheme: 'https',
  authority: 'www.example.com',
  path: '/hello.txt?a=b',
  fields,
  body,
  trailers: [],
};
const response = { informational: [], status: 200, fields, body, trailers: [] };
const encodedRequest = encodeRequest(request);
const indeterminate = encodeRequest(request, { framing: 'indeterminate' });
const encodedResponse = encodeResponse(response);

const cases: Record<string, () => unknown> = {
  encodeRequest: () => encodeRequest(request),
  decodeRequest: () => decodeRequest(encodedRequest),
  'decodeRequest, indeterminate': () => decodeRequest(indeterminate),
  encodeResponse: () => encodeResponse(response),
  decodeResponse: () => decodeResponse(encodedResponse),
  'RequestDecoder, one push': () => {
    const decoder = new RequestDecoder();
    return [decoder.push(encodedRequest), decoder.end()];
  },
};

const RUNS = 200_000;
for (const [name, run] of Object.entries(cases)) {
  for (let i = 0; i < RUNS / 4; i++) run();
  const before = process.cpuUsage();
  for (let i = 0; i < RUNS; i++) run();
  const { user, system } = process.cpuUsage(before);
  console.log(`${name} (${encodedRequest.length} B): ${((user + system) / RUNS).toFixed(2)} us`);
}
