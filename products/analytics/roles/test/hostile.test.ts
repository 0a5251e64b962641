/** Whatever comes in, an aggregator answers, and keeps nothing of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MessageName } from '@privacy-edge/dap';
import { mediaTypeOf } from '@privacy-edge/dap';
import fc from 'fast-check';
import { routeOf } from '../src/route.ts';
import { LeaderProgress, StoredPending } from '../src/stored-job.ts';
import { asCollector, asLeader, call, deploy, leaderPath, makeReports, snapshot } from './fixture.ts';

const numRuns = Number(process.env['PRIVACY_EDGE_FUZZ_RUNS'] ?? 300);

const id = fc.uint8Array({ minLength: 16, maxLength: 16 });
const bytes = fc.uint8Array({ maxLength: 40 });
const time = fc.nat();
const PLAIN = { noNullPrototype: true };

test('routeOf() never throws, and names a resource for no path but the documented ones', () => {
  const part = fc.oneof(
    fc.constantFrom('tasks', 'hpke_config', 'reports', 'aggregation_jobs', '', '..', '%2f', 'A'.repeat(43), '?step=0'),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 7 }), (parts) => {
      const route = routeOf(`/base/${parts.join('/')}`, '/base');
      if (route === undefined || route.resource === 'hpke_config') return;
      assert.equal(route.taskId.length, 32);
    }),
    { numRuns },
  );
  assert.equal(routeOf('/bas/hpke_config', '/base'), undefined);
  assert.equal(routeOf('/base/hpke_config/', '/base'), undefined);
  assert.equal(routeOf('/base/hpke_config?x', '/base')?.resource, 'hpke_config');
});

test('what is stored between two steps comes back as it was', () => {
  const pending = fc.record({ reportId: id, time, state: bytes }, PLAIN);
  fc.assert(
    fc.property(fc.array(pending, { maxLength: 5 }), (reports) => {
      assert.deepEqual(StoredPending.decode(StoredPending.encode(reports)), reports);
    }),
    { numRuns },
  );
  const continued = fc.record(
    {
      kind: fc.constant('continued' as const),
      reportId: id,
      time,
      state: bytes,
      outbound: bytes,
    },
    PLAIN,
  );
  const finished = fc.record(
    {
      kind: fc.constant('finished' as const),
      reportId: id,
      time,
      outShare: bytes,
      outbound: bytes,
    },
    PLAIN,
  );
  const job = fc.record(
    {
      aggregationParameter: bytes,
      step: fc.nat(65_535),
      request: bytes,
      pending: fc.array(fc.oneof(continued, finished), { maxLength: 5 }),
    },
    PLAIN,
  );
  fc.assert(
    fc.property(job, fc.boolean(), (made, isDeferred) => {
      assert.deepEqual(LeaderProgress.decode(LeaderProgress.encode({ job: made, isDeferred })), {
        job: made,
        isDeferred,
      });
    }),
    { numRuns },
  );
});

test('random messages are refused, and leave nothing behind', async () => {
  const deployment = await deploy();
  await makeReports(deployment, [true]);
  const before = [snapshot(deployment.leader), snapshot(deployment.helper)];
  const messages: readonly (readonly [string, MessageName])[] = [
    ['aggregation_jobs', 'aggregation-job-init-req'],
    ['aggregation_jobs/AAAA', 'aggregation-job-continue-req'],
    ['aggregate_shares', 'aggregate-share-req'],
  ];
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 200 }), fc.nat(2), async (body, which) => {
      const [rest, name] = messages[which]!;
      const answers = [
        await asLeader(deployment, 'POST', rest, { name, body }),
        await asCollector(deployment, 'POST', 'collection_jobs', body),
        await call(deployment.leader.aggregator, {
          method: 'POST',
          path: leaderPath('reports'),
          fields: { 'content-type': mediaTypeOf('upload-req') },
          body,
        }),
      ];
      for (const { status } of answers) assert.ok(status >= 400 && status < 500, `status ${status}`);
    }),
    { numRuns: Math.min(numRuns, 500) },
  );
  assert.deepEqual([snapshot(deployment.leader), snapshot(deployment.helper)], before);
});
