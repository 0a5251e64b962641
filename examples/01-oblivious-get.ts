/**
 * A request whose target does not learn who asks, and whose relay does not learn what is asked.
 * Everything runs in this process, without a socket.
 *
 * Run: node examples/01-oblivious-get.ts
 */
import { createObliviousFetch } from '@privacy-edge/gateway';
import { createNetwork } from '@privacy-edge/testing';

const network = await createNetwork({
  application: (request) => Response.json({ advice: 'drink more water', asked: new URL(request.url).search }),
});

// In an application these three are all there is: where the relay is, whose requests may go this way, and the gateway's keys.
const obliviousFetch = createObliviousFetch({
  relay: network.relay,
  gateway: 'https://app.example',
  keys: network.keys,
  fetch: network.fetch, // leave this out to use the platform's fetch
});

const response = await obliviousFetch('https://app.example/advice?symptom=headache', {
  headers: { accept: 'application/json' },
});
console.log(response.status, await response.text());

const knows = (party: readonly string[], what: string): string =>
  party.some((line) => line.includes(what)) ? 'yes' : 'no';
console.table(
  Object.entries(network.seen).map(([party, sightings]) => ({
    party,
    'client address': knows(sightings, '198.51.100.7'),
    symptom: knows(sightings, 'headache'),
  })),
);
