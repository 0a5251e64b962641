/**
 * A response that arrives while it is being made: chunked messages carry server-sent events through relay and gateway.
 *
 * Run: node examples/04-streaming.ts
 */
import { chunkedResponse, createObliviousFetch } from '@privacy-edge/gateway';
import { streamFromIterable } from '@privacy-edge/gateway-roles';
import { createNetwork } from '@privacy-edge/testing';

async function* words(): AsyncGenerator<Uint8Array> {
  for (const word of ['no', 'one', 'knows', 'who', 'asked']) yield new TextEncoder().encode(`data: ${word}\n\n`);
}

const network = await createNetwork({
  application: () => new Response(streamFromIterable(words()), { headers: { 'content-type': 'text/event-stream' } }),
});

const obliviousFetch = createObliviousFetch({
  relay: network.relay,
  keys: network.keys,
  fetch: network.fetch,
  chunked: chunkedResponse,
});

const response = await obliviousFetch('https://app.example/answer', { method: 'POST', body: 'why?' });
const text = new TextDecoder();
for await (const piece of response.body ?? []) process.stdout.write(text.decode(piece, { stream: true }));
