/** Who may know what: the table of docs/privacy/gateway.md, which is checked against this one. */
import type { Party } from '../up/knowledge.ts';

/** What a party may know of a fact. `not judged`: what it may know, one address or one message shows by itself. */
export type Expectation = 'known' | 'unknown' | 'not judged';

/** Facts, in the words of the document. */
export const FACTS = [
  'client address and port',
  'connection details',
  'which gateway',
  'size and time of each message',
  'method, URL, fields, content of the request',
  'status, fields, content of the response',
] as const;

/** One of {@link FACTS}. */
export type FactName = (typeof FACTS)[number];

/** Who may know each. Who may also has to: a cell that nothing fills proves nothing. */
export const PROMISE: Readonly<Record<FactName, Readonly<Record<Party, Expectation>>>> = {
  'client address and port': { relay: 'known', gateway: 'unknown', target: 'unknown' },
  'connection details': { relay: 'known', gateway: 'unknown', target: 'unknown' },
  'which gateway': { relay: 'known', gateway: 'known', target: 'not judged' },
  'size and time of each message': { relay: 'known', gateway: 'known', target: 'not judged' },
  'method, URL, fields, content of the request': { relay: 'unknown', gateway: 'known', target: 'known' },
  'status, fields, content of the response': { relay: 'unknown', gateway: 'known', target: 'known' },
};
