/** Works on the aggregation jobs that an asynchronous helper has put off. DAP §3.1. */
import { receiveContinue, receiveInit } from '@privacy-edge/dap';
import { type AggregatorContext, readTaskContext } from './aggregator-context.ts';
import { type DriveResult, driveEach } from './drive.ts';
import { continueJob, type HelperStep, helperJobOf, startJob } from './helper-step.ts';
import type { StepOutcome } from './observation.ts';
import type { Leased } from './store.ts';
import type { HelperJobRow } from './store-rows.ts';

/** Takes one step of each of a few jobs. */
export function driveHelperJobs(context: AggregatorContext): Promise<DriveResult> {
  const { store } = context;
  return driveEach(context, {
    step: 'drive_helper_job',
    acquire: (request) => store.acquireHelperJobs(request),
    drive: (leased, token) => driveHelperJob(context, leased, token),
    giveBack: (key, giveBack) => store.giveBackHelperJob(key, giveBack),
  });
}

async function driveHelperJob(
  context: AggregatorContext,
  { job: row }: Leased<HelperJobRow>,
  token: Uint8Array,
): Promise<StepOutcome> {
  const { taskId, jobId, request: body } = row;
  if (body === undefined) return 'lost';
  const taskContext = await readTaskContext(context, taskId);
  const step: HelperStep = { jobId, at: { step: row.step, state: 'processing', token }, step: row.step, body };
  if (row.step === 0) {
    const result = await startJob(context, taskContext, step, receiveInit(taskContext.task, body));
    return result === 'stale' ? 'lost' : 'finished';
  }
  // The request was read once before it was stored, against the job as it was before.
  const job = { ...helperJobOf(row), step: row.step - 1 };
  const request = receiveContinue(job, body);
  if (request.kind === 'replay') return 'lost';
  const result = await continueJob(context, taskContext, step, job, request);
  return result === 'stale' ? 'lost' : 'finished';
}
