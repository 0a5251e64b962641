/**
 * Keys that only count if they are the ones the application was shipped with: a gateway cannot give one client a key of its own.
 *
 * Run: node examples/05-pinned-keys.ts
 */
import { createHash } from 'node:crypto';
import { createObliviousFetch, ObliviousError } from '@privacy-edge/gateway';
import { createNetwork } from '@privacy-edge/testing';

const honest = await createNetwork({ application: () => new Response('the same keys as everyone\n') });
const other = await createNetwork({ application: () => new Response('never reached\n') });
const pin = `sha256-${createHash('sha256').update(honest.keys).digest('base64')}`;

for (const network of [honest, other]) {
  // Stands for the server that hands the keys out; in an application the url alone is enough.
  const keyServer = async (): Promise<Response> =>
    new Response(network.keys.slice(), { headers: { 'content-type': 'application/ohttp-keys' } });
  const obliviousFetch = createObliviousFetch({
    relay: network.relay,
    keys: { url: 'https://relay.example/keys', pin: [pin], fetch: keyServer },
    fetch: network.fetch,
  });
  try {
    console.log(await (await obliviousFetch('https://app.example/')).text());
  } catch (error) {
    if (!(error instanceof ObliviousError)) throw error;
    console.log(`refused: ${error.code}`);
  }
}
