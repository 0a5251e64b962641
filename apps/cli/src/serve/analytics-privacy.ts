/** What leader and helper declare about themselves. */
import type { servePrivacyNotice } from '@privacy-edge/gateway-roles';
import type { AggregatorSection } from '../config/types.ts';

type PrivacyDeclaration = Parameters<typeof servePrivacyNotice>[0];

/** What a leader declares. */
export function leaderPrivacy({ retention }: AggregatorSection): PrivacyDeclaration {
  return {
    role: 'leader',
    summary:
      'This leader takes reports, verifies and sums its share of them together with a helper, and answers the collector.',
    sees: [
      'the connection that a report comes over, with the address at its other end',
      'identifier and rounded time of each report, and how many there are',
      'its own share of each report, which is random by itself',
      "the helper's share of each report, sealed",
      'its own share of each sum',
    ],
    neverSees: ['what anybody reported', "the helper's share in the clear", 'the sum over everybody'],
    keeps: [
      {
        what: 'reports as they were uploaded, until they are aggregated',
        where: 'database',
        howLong: 'until they are aggregated',
      },
      {
        what: 'identifiers and rounded times of reports, so that each counts once; shares of sums',
        where: 'database',
        howLong: rememberedFor(retention.reports),
      },
      { what: 'jobs of collectors and their sealed results', where: 'database', howLong: inWords(retention.ended) },
      COUNTS,
    ],
    condition: 'The operator of the helper is somebody else and does not give away its shares or the verification key.',
  };
}

/** What a helper declares. */
export function helperPrivacy({ retention }: AggregatorSection): PrivacyDeclaration {
  return {
    role: 'helper',
    summary: 'This helper verifies and sums its share of the reports that a leader passes on.',
    sees: [
      'the connection over which somebody asks for its key, with the address at its other end; reports do not come over it',
      'identifier and rounded time of each report, and how many there are',
      'its own share of each report, which is random by itself',
      'its own share of each sum',
      'address of the leader',
    ],
    neverSees: [
      'what anybody reported',
      'who sent a report',
      "the leader's share in the clear",
      'the sum over everybody',
    ],
    keeps: [
      {
        what: 'identifiers and rounded times of reports, so that each counts once; shares of sums',
        where: 'database',
        howLong: rememberedFor(retention.reports),
      },
      {
        what: 'answers to the leader, and its sealed shares of sums',
        where: 'database',
        howLong: inWords(retention.ended),
      },
      COUNTS,
    ],
    condition: 'The operator of the leader is somebody else and does not give away its shares or the verification key.',
  };
}

const COUNTS: PrivacyDeclaration['keeps'][number] = {
  what: 'numbers of requests, steps and reports by outcome, without any name or address',
  where: 'memory; numbers of reports of each task in the database',
  howLong: 'until it restarts; with the task',
};

function rememberedFor(reports: string | undefined): string {
  return reports === undefined ? 'as long as the task is there' : inWords(reports);
}

const UNITS: Readonly<Record<string, string>> = {
  ms: 'milliseconds',
  s: 'seconds',
  m: 'minutes',
  h: 'hours',
  d: 'days',
};

function inWords(duration: string): string {
  const [, count = '', unit = ''] = /^([0-9]+)([a-z]+)$/.exec(duration) ?? [];
  return `${count} ${UNITS[unit] ?? unit}`;
}
