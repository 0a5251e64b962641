/** `conformance dap` over transcripts that are made here, over wrong ones, and with helpers that do something wrong. */
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { AggregateShare, AggregationJobResp } from '@privacy-edge/dap';
import { encodePrefixes } from '@privacy-edge/vdaf';
import type { Helper, HelperRequest, HelperResponse, WithHelper } from '../src/conformance/dap-helper.ts';
import { checkMessage } from '../src/conformance/dap-messages.ts';
import { withServedHelper } from '../src/conformance/dap-served-helper.ts';
import { transcriptCheck } from '../src/conformance/dap-transcript-driver.ts';
import { Vector } from '../src/conformance/vector.ts';
import { withStepsHelper } from './dap-steps-helper.ts';
import { recordTask, type TaskPlan } from './dap-transcripts.ts';
import { root, runCli, temporaryFolder } from './run-cli.ts';

const bits = (text: string): boolean[] => Array.from(text, (bit) => bit === '1');

const PLANS: Readonly<Record<string, TaskPlan>> = {
  transcript_count: {
    vdaf: { kind: 'count' },
    reports: [
      { measurement: 1 },
      { measurement: 1, fault: 'leader_ct' },
      { measurement: 0, fault: 'helper_ct', later: 1 },
      { measurement: 1, later: 2 },
      { measurement: 1, fault: 'proof' },
    ],
  },
  transcript_histogram: {
    vdaf: { kind: 'histogram', length: 5, chunkLength: 2 },
    leaderSelected: true,
    reports: [{ measurement: 4 }, { measurement: 0 }, { measurement: 4 }],
  },
  transcript_multihot: {
    vdaf: { kind: 'multihotCountVec', length: 4, chunkLength: 2, maxWeight: 2 },
    reports: [{ measurement: bits('1010') }, { measurement: bits('0010') }],
  },
  transcript_poplar1: {
    vdaf: { kind: 'poplar1', bits: 8 },
    aggregationParameter: encodePrefixes(2, [Uint8Array.of(0b00100000), Uint8Array.of(0b10000000)]),
    reports: [
      { measurement: bits('10011101'), packed: Uint8Array.of(0b10011101) },
      { measurement: bits('00111101'), packed: Uint8Array.of(0b00111101) },
    ],
  },
};

const MESSAGES: readonly Readonly<Record<string, unknown>>[] = [
  {
    type: 'PlaintextInputShare',
    value: { private_extensions: [{ type: 1, data: 'aa' }], payload: '0102' },
    hex: '000500010001aa000000020102',
    valid: true,
    source: 'made for a test',
  },
  { type: 'Query', value: { batch_mode: 2 }, hex: '020000', valid: true, source: 'made for a test' },
  {
    type: 'BatchSelector',
    value: { batch_mode: 1, interval: { start: 7, duration: 8 } },
    hex: '01001000000000000000070000000000000008',
    valid: true,
    source: 'made for a test',
  },
  {
    type: 'PingPongMessage',
    value: { type: 'finish', verifier_message: 'aa' },
    hex: '0200000001aa',
    valid: true,
    source: 'made for a test',
  },
  {
    type: 'VdafConfig(type||config)',
    value: { vdaf_type: 2, max_measurement: 9 },
    hex: '0000000200080000000000000009',
    valid: true,
    source: 'made for a test',
  },
];

/** What a check says; undefined when it passes. */
async function failureOf(check: (vector: Vector) => Promise<unknown>, content: unknown): Promise<string | undefined> {
  try {
    await check(new Vector(content));
    return undefined;
  } catch (error) {
    assert.ok(error instanceof Error && !(error instanceof TypeError), String(error));
    return error.message;
  }
}

type Path = readonly (string | number)[];

/** All places of values. */
function places(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([key, member]) =>
    places(member, [...path, Array.isArray(value) ? Number(key) : key]),
  );
}

/** A copy with one value changed. */
function changed(value: unknown, [key, ...rest]: Path): unknown {
  if (key === undefined) return bent(value);
  if (Array.isArray(value)) return value.with(Number(key), changed(value[Number(key)], rest));
  const members = value as Readonly<Record<string, unknown>>;
  return { ...members, [key]: changed(members[key], rest) };
}

/** Another value that is not different in its form only. */
function bent(value: unknown): unknown {
  if (typeof value === 'boolean') return !value;
  if (typeof value === 'number') return value + 1;
  if (typeof value !== 'string') return 0;
  // The first digit of the second byte: the low bits of an X25519 key mean nothing.
  const at = Math.min(2, value.length - 1);
  return value === '' ? '00' : value.slice(0, at) + (value[at] === '1' ? '2' : '1') + value.slice(at + 1);
}

/** Whether a value may change without making the transcript wrong: what was measured is not known of a spoiled report. */
function isFree(transcript: unknown, path: Path): boolean {
  if (path[0] === 'description') return true;
  if (path[0] !== 'reports' || !['measurement', 'rand', 'fault'].includes(String(path[2]))) return false;
  const { reports } = transcript as { readonly reports: readonly { readonly fault: string | null }[] };
  return reports[Number(path[1])]!.fault !== null;
}

describe('conformance dap: transcripts', () => {
  const check = transcriptCheck(withStepsHelper);
  for (const [name, plan] of Object.entries(PLANS)) {
    it(`notices every changed value of ${name}`, async () => {
      const transcript = await recordTask(plan);
      assert.equal(await failureOf(check, transcript), undefined);
      for (const path of places(transcript)) {
        if (isFree(transcript, path)) continue;
        assert.notEqual(
          await failureOf(check, changed(transcript, path)),
          undefined,
          `${path.join('.')} is not noticed`,
        );
      }
    });
  }

  it('reads nothing that it does not look at', async () => {
    const transcript = (await recordTask(PLANS['transcript_count']!)) as Record<string, unknown>;
    assert.match((await failureOf(check, { ...transcript, more: 1 })) ?? '', /"more" is no known member/);
    const { checksum: _, ...rest } = transcript;
    assert.match((await failureOf(check, rest)) ?? '', /"checksum" is not text/);
  });

  it('takes any of the errors that are allowed', async () => {
    const transcript = (await recordTask(PLANS['transcript_count']!)) as { reports: Record<string, unknown>[] };
    const hex = JSON.stringify(transcript);
    const { report_id } = transcript.reports[4]!;
    // Another aggregator that says 8 where we say 6, as the document lets it.
    const other = JSON.parse(
      hex.replaceAll(`${String(report_id)}0206`, `${String(report_id)}0208`),
    ) as typeof transcript;
    Object.assign(other.reports[4]!, { report_error: 8, report_error_alternatives: [6] });
    assert.equal(await failureOf(check, other), undefined);
    Object.assign(other.reports[4]!, { report_error_alternatives: [5] });
    assert.match((await failureOf(check, other)) ?? '', /differs/);
  });
});

/** A helper whose answers are changed on their way. */
function withChanged(
  change: (request: HelperRequest, send: Helper, times: number) => Promise<HelperResponse>,
): WithHelper {
  return (setup, use) =>
    withStepsHelper(setup, (helper) => {
      const seen = new Map<string, number>();
      return use((request) => {
        const key = JSON.stringify([request.path, request.message]);
        seen.set(key, (seen.get(key) ?? 0) + 1);
        return change(request, helper, seen.get(key)!);
      });
    });
}

/** A helper that changes its answers to one message. */
function changing(
  message: HelperRequest['message'],
  change: (answer: HelperResponse, times: number) => Partial<HelperResponse>,
): WithHelper {
  return withChanged(async (request, send, times) => {
    const answer = await send(request);
    return request.message === message ? { ...answer, ...change(answer, times) } : answer;
  });
}

describe('conformance dap: helpers', () => {
  let count: unknown;
  let poplar1: unknown;
  before(async () => {
    count = await recordTask(PLANS['transcript_count']!);
    poplar1 = await recordTask(PLANS['transcript_poplar1']!);
  });

  const wrong: readonly (readonly [string, WithHelper, RegExp])[] = [
    [
      'accepts what it should reject',
      changing('aggregation-job-init-req', ({ body }) => ({
        body: AggregationJobResp.encode(
          AggregationJobResp.decode(body).map((one) =>
            one.kind === 'reject' ? { kind: 'finish', reportId: one.reportId } : one,
          ),
        ),
      })),
      /answer to the start of the job differs/,
    ],
    [
      'forgets what it answered',
      changing('aggregation-job-init-req', ({ body }, times) => ({ body: times === 1 ? body : body.subarray(0, 0) })),
      /answer to the repeated start of the job differs/,
    ],
    [
      'makes a job twice',
      changing('aggregation-job-init-req', ({ location }, times) => ({ location: `${location}${times}` })),
      /place of the job/,
    ],
    [
      'uses another media type',
      changing('aggregation-job-init-req', () => ({ message: 'aggregate-share' })),
      /message that answers the start/,
    ],
    ['fails', changing('aggregation-job-init-req', () => ({ status: 500 })), /success of the start of the job/],
    [
      'does not compare reports with the leader',
      changing('aggregate-share-req', ({ problem }) => (problem === undefined ? {} : { problem: undefined })),
      /problem with a request with another number of reports/,
    ],
    [
      'seals its share anew when it is asked again',
      changing('aggregate-share-req', ({ body, problem }, times) => {
        if (problem !== undefined || times < 4) return {};
        const { encryptedAggregateShare } = AggregateShare.decode(body);
        const payload = encryptedAggregateShare.payload.with(0, 1 ^ encryptedAggregateShare.payload[0]!);
        return { body: AggregateShare.encode({ encryptedAggregateShare: { ...encryptedAggregateShare, payload } }) };
      }),
      /share when it is asked for again differs/,
    ],
    [
      'seals something else',
      changing('aggregate-share-req', ({ body, problem }) => {
        if (problem !== undefined) return {};
        const { encryptedAggregateShare } = AggregateShare.decode(body);
        return {
          body: AggregateShare.encode({ encryptedAggregateShare: { ...encryptedAggregateShare, configId: 3 } }),
        };
      }),
      /Cannot open share/,
    ],
    ['has other keys', changing(undefined, ({ body }) => ({ body: body.with(2, 1) })), /helper's keys differs/],
  ];
  for (const [what, withHelper, expected] of wrong) {
    it(`notices one that ${what}`, async () => {
      assert.match((await failureOf(transcriptCheck(withHelper), count)) ?? 'nothing', expected);
    });
  }

  it('notices the helper that is served when its task is another one', async () => {
    const withHelper: WithHelper = (setup, use) =>
      withServedHelper(
        { ...setup, task: { ...setup.task, verifyKey: new Uint8Array(setup.task.verifyKey.length) } },
        use,
      );
    assert.equal(await failureOf(transcriptCheck(withServedHelper), count), undefined);
    assert.match((await failureOf(transcriptCheck(withHelper), count)) ?? 'nothing', /answer to the start of the job/);
  });

  it('notices one that takes the second step otherwise', async () => {
    const withHelper = changing('aggregation-job-continue-req', ({ body }) => ({
      body: AggregationJobResp.encode(
        AggregationJobResp.decode(body).map(({ reportId }) => ({ kind: 'reject', reportId, reportError: 6 })),
      ),
    }));
    assert.match((await failureOf(transcriptCheck(withHelper), poplar1)) ?? 'nothing', /continuation of the job/);
  });
});

describe('conformance dap: messages', () => {
  for (const message of MESSAGES) {
    it(`notices every changed value of a ${String(message['type'])}`, async () => {
      assert.equal(await failureOf(checkMessage, message), undefined);
      for (const path of places(message).filter(([name]) => name !== 'source'))
        assert.notEqual(await failureOf(checkMessage, changed(message, path)), undefined, path.join('.'));
    });
  }

  it('has to refuse what is no message', async () => {
    const query = { type: 'Query', value: null, hex: '020000', valid: false, source: 'made for a test' };
    assert.match((await failureOf(checkMessage, query)) ?? '', /is accepted, expected a refusal/);
    assert.equal(await failureOf(checkMessage, { ...query, hex: '0200' }), undefined);
    assert.match((await failureOf(checkMessage, { ...query, hex: '0200', more: 1 })) ?? '', /no known member/);
    assert.match((await failureOf(checkMessage, { ...query, type: 'Kwery' })) ?? '', /no known type/);
  });

  it('has to derive what is derived', async () => {
    const value = { verify_key_seed: '01'.repeat(32), task_id: '02'.repeat(32), verify_key_32: '03'.repeat(32) };
    const vector = { type: 'VerifyKeyDerivation', source: 'made for a test', value };
    assert.match((await failureOf(checkMessage, vector)) ?? '', /verification key differs/);
  });
});

describe('conformance dap: command', () => {
  it('runs a folder', async () => {
    const folder = temporaryFolder();
    // The command drives the helper that operators run, on a listener of its own.
    for (const [name, plan] of Object.entries(PLANS))
      writeFileSync(join(folder, `${name}.json`), JSON.stringify(await recordTask(plan)));
    writeFileSync(join(folder, 'messages-made.json'), JSON.stringify(MESSAGES));
    const { code, out } = await runCli(['conformance', 'dap', '--vectors', folder]);
    assert.equal(code, 0, out);
    assert.match(out, new RegExp(`\n${MESSAGES.length + Object.keys(PLANS).length} passed, 0 failed, 0 skipped\n$`));
  });

  const shared = join(root, '../shared/vectors/dap');
  it('passes shared vectors', { skip: existsSync(shared) ? false : 'there is no folder of them' }, async () => {
    const { code, out } = await runCli(['conformance', 'dap', '--vectors', shared]);
    assert.equal(code, 0, out);
    assert.match(out, /\n[1-9]\d* passed, 0 failed, 0 skipped\n$/);
  });
});
