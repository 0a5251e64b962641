/**
 * Load for a while: no request fails over rotations of keys and restarts of processes, and memory stays flat. Ten minutes in
 * the long runs, some seconds otherwise.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { type LoadPlan, printReport, runLoad } from './lib/load-run.ts';
import { openStage } from './lib/stage.ts';

const LONG = process.env['PRIVACY_EDGE_LONG'] === '1';
const MINUTES = Number(process.env['PRIVACY_EDGE_LOAD_MINUTES'] ?? 10);
const MAX_MIB = 200;
const MAX_SLOPE_MIB_PER_MINUTE = 3;
/** A process that lived shorter than this was still warming up in the second half of its life. */
const SETTLED_SECONDS = 240;

const PLAN: LoadPlan = LONG
  ? {
      calibrateMs: 10_000,
      durationMs: 60_000 * MINUTES,
      share: 0.7,
      epoch: '60s',
      publishAhead: '20s',
      retain: '60s',
      restartsAt: [0.25, 0.5],
      sampleMs: 2000,
    }
  : {
      calibrateMs: 1000,
      durationMs: 6000,
      // Other tests and whatever else the machine does must not make this one fail.
      share: 0.4,
      epoch: '4s',
      publishAhead: '2s',
      retain: '4s',
      restartsAt: [0.3],
      sampleMs: 250,
    };

const stage = await openStage();
after(() => stage.close());

test('two gateways under load: no request fails, memory stays flat', async () => {
  const report = await runLoad(stage, PLAN);
  printReport(report);
  assert.deepEqual(report.failed, {});
  assert.ok(report.answered > 0);
  assert.ok(report.keyChanges >= 1, 'keys rotated');
  assert.equal(report.restarts, 2 * PLAN.restartsAt.length);
  assert.ok(
    report.exitCodes.every((code) => code === 0),
    String(report.exitCodes),
  );
  for (const { name, maxMiB, slopeMiBPerMinute, seconds } of report.memory) {
    assert.ok(maxMiB < MAX_MIB, `${name}: ${maxMiB} MiB`);
    if (LONG && seconds > SETTLED_SECONDS)
      assert.ok(slopeMiBPerMinute < MAX_SLOPE_MIB_PER_MINUTE, `${name}: ${slopeMiBPerMinute} MiB a minute`);
  }
});
