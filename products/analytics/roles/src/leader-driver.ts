/** Takes the aggregation jobs of the leader from step to step. DAP §4.5.3.1, §4.5.4.1 and §4.5.5. */
import { advanceLeaderJob, DapError, type LeaderStep, resourcePath, resourceUrl } from '@privacy-edge/dap';
import { type AggregatorContext, nowOf, readTaskContext } from './aggregator-context.ts';
import { type DriveResult, driveEach, retryDelay } from './drive.ts';
import { abandonJob, commitStep, startLeaderStep } from './leader-step.ts';
import type { StepOutcome } from './observation.ts';
import { askHelper, type PeerAnswer, type PeerCall } from './peer-exchange.ts';
import { splitJob } from './split-job.ts';
import type { GiveBack, Leased, LeasedKey } from './store.ts';
import type { LeaderJobRow } from './store-rows.ts';
import { LeaderProgress } from './stored-job.ts';
import type { TaskContext } from './task-context.ts';

/** Takes a few jobs as far as they get. */
export function driveLeaderJobs(context: AggregatorContext): Promise<DriveResult> {
  const { store } = context;
  return driveEach(context, {
    step: 'drive_leader_job',
    acquire: (request) => store.acquireLeaderJobs(request),
    drive: async (leased, token) => {
      const taskContext = await readTaskContext(context, leased.job.taskId);
      return new LeaderRun(context, taskContext, leased, token).run();
    },
    giveBack: (key, giveBack) => store.giveBackLeaderJob(key, giveBack),
  });
}

/** One job under one lease. */
class LeaderRun {
  readonly #context: AggregatorContext;
  readonly #taskContext: TaskContext;
  readonly #row: LeaderJobRow;
  readonly #attempts: number;
  readonly #key: LeasedKey;
  #location: string | undefined;

  constructor(
    context: AggregatorContext,
    taskContext: TaskContext,
    { job, attempts }: Leased<LeaderJobRow>,
    token: Uint8Array,
  ) {
    this.#context = context;
    this.#taskContext = taskContext;
    this.#row = job;
    this.#attempts = attempts;
    this.#key = { taskId: job.taskId, jobId: job.jobId, token };
    this.#location = job.location;
  }

  async run(): Promise<StepOutcome> {
    let progress = this.#row.progress === undefined ? undefined : LeaderProgress.decode(this.#row.progress);
    if (progress === undefined) {
      const step = await startLeaderStep(this.#context, this.#taskContext, this.#row);
      const next = await this.#commit(step, true);
      if (typeof next === 'string') return next;
      progress = next;
    }
    for (;;) {
      const next = await this.#exchange(progress);
      if (typeof next === 'string') return next;
      progress = next;
    }
  }

  /** Sends the request of a step, or asks what has become of it. */
  async #exchange(progress: LeaderProgress): Promise<LeaderProgress | StepOutcome> {
    const answer = await askHelper(this.#context, this.#taskContext, this.#call(progress));
    switch (answer.kind) {
      case 'message':
        return this.#advance(progress, answer);
      case 'deferred':
        return this.#defer(progress, answer);
      case 'refused':
        // What a helper finds wrong with the whole may be one report, or that there are more than it takes.
        return answer.problem === 'INVALID_MESSAGE' ? this.#divide(progress) : this.#abandon();
      case 'rejected':
        // The same bytes are not shorter the next time.
        if (answer.isTooLarge && progress.job.step === 0) return this.#divide(progress);
        if (this.#attempts >= this.#context.settings.maxAttempts) return this.#divide(progress);
        return this.#retry(undefined);
      case 'failed':
        return this.#retry(answer.retryAfterMs);
    }
  }

  #call({ job, isDeferred }: LeaderProgress): PeerCall {
    const expects = 'aggregation-job-resp';
    const location = this.#location;
    if (isDeferred && location !== undefined) return { method: 'GET', url: `${location}?step=${job.step}`, expects };
    if (job.step === 0 || location === undefined) {
      const { configuration, taskId } = this.#taskContext.task;
      const url = resourceUrl(configuration.helperAggregatorEndpoint, resourcePath(taskId, 'aggregation_jobs'));
      return { method: 'POST', url, request: { name: 'aggregation-job-init-req', body: job.request }, expects };
    }
    return {
      method: 'POST',
      url: location,
      request: { name: 'aggregation-job-continue-req', body: job.request },
      expects,
    };
  }

  async #advance(
    { job }: LeaderProgress,
    { body, location }: Extract<PeerAnswer, { readonly kind: 'message' }>,
  ): Promise<LeaderProgress | StepOutcome> {
    this.#location = location ?? this.#location;
    let step: LeaderStep;
    try {
      step = advanceLeaderJob(this.#taskContext.task, job, body);
    } catch (error) {
      if (error instanceof DapError && error.code === 'JOB_ABANDONED') return this.#abandon();
      throw error;
    }
    // Nobody knows where to continue.
    if (step.job !== undefined && this.#location === undefined) return this.#abandon();
    return this.#commit(step, false);
  }

  /** Stores what a step has come to; the job goes on under the same lease. */
  async #commit(step: LeaderStep, isStart: boolean): Promise<LeaderProgress | StepOutcome> {
    const { job } = step;
    const progress = job === undefined ? undefined : { job, isDeferred: false };
    const next =
      progress === undefined
        ? ({ state: 'finished', at: nowOf(this.#context) } as const)
        : this.#active(progress, undefined);
    const made = { ...step, isStart };
    const outcome = await commitStep(this.#context, this.#taskContext, this.#row, this.#key, made, next);
    if (outcome === 'stale') return 'lost';
    if (outcome === 'overtaken') return this.#startOver();
    return progress ?? 'finished';
  }

  /** Nothing has left yet: the next start leaves out what may not be verified any more. */
  async #startOver(): Promise<StepOutcome> {
    const giveBack = { notBefore: nowOf(this.#context), isProgress: false };
    const isMine = await this.#context.store.giveBackLeaderJob(this.#key, giveBack);
    return isMine ? 'waiting' : 'lost';
  }

  async #defer(
    progress: LeaderProgress,
    { location, retryAfterMs }: Extract<PeerAnswer, { readonly kind: 'deferred' }>,
  ): Promise<StepOutcome> {
    this.#location = location ?? this.#location;
    const giveBack = { notBefore: new Date(this.#context.clock() + retryAfterMs), isProgress: true };
    // Whatever is asked about was claimed when the request was made.
    const nothing = { finished: [], rejected: [], job: undefined, isStart: false };
    // Without a location there is nothing to ask, so the request is sent again, which finds the same resource.
    const next = this.#active({ ...progress, isDeferred: this.#location !== undefined }, giveBack);
    const outcome = await commitStep(this.#context, this.#taskContext, this.#row, this.#key, nothing, next);
    return outcome === 'stale' ? 'lost' : 'waiting';
  }

  #active(progress: LeaderProgress, giveBack: GiveBack | undefined) {
    const encoded = LeaderProgress.encode(progress);
    return { state: 'active', progress: encoded, location: this.#location, giveBack } as const;
  }

  /** The same bytes again, later: the helper may have committed to them. */
  async #retry(retryAfterMs: number | undefined): Promise<StepOutcome> {
    const delay = Math.max(retryAfterMs ?? 0, retryDelay(this.#context, this.#attempts));
    const giveBack = { notBefore: new Date(this.#context.clock() + delay), isProgress: false };
    const isMine = await this.#context.store.giveBackLeaderJob(this.#key, giveBack);
    return isMine ? 'peer_failed' : 'lost';
  }

  /** One report of which the helper wants nothing to hear must not cost the others in the same request. */
  async #divide({ job }: LeaderProgress): Promise<StepOutcome> {
    if (job.step > 0) return this.#abandon();
    const outcome = await splitJob(this.#context, this.#taskContext, this.#row, this.#key);
    if (outcome === 'single') return this.#abandon();
    await this.#forget();
    return outcome === 'split' ? 'progress' : 'lost';
  }

  /** A courtesy: whether it arrives does not matter. */
  async #forget(): Promise<void> {
    if (this.#location === undefined) return;
    await askHelper(this.#context, this.#taskContext, { method: 'DELETE', url: this.#location });
  }

  async #abandon(): Promise<StepOutcome> {
    await this.#forget();
    const isMine = await abandonJob(this.#context, this.#taskContext, this.#row, this.#key);
    return isMine ? 'abandoned' : 'lost';
  }
}
