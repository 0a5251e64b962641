/** Transcripts of whole tasks, made here, in the form that vectors have: for finding out whether a changed one is noticed. */
import { concatBytes, fromHex, toHex } from '@privacy-edge/bytes';
import {
  AggregateShare,
  AggregationJobContinueReq,
  AggregationJobInitReq,
  AggregationJobResp,
  type AggregatorRole,
  type AggregatorTask,
  accumulate,
  advanceLeaderJob,
  aggregateShareAad,
  aggregateShareInfo,
  BATCH_MODE_LEADER_SELECTED,
  BATCH_MODE_TIME_INTERVAL,
  CollectionJobResp,
  combineBuckets,
  createAggregateShareReq,
  createCollectionJobReq,
  createTask,
  createTaskConfiguration,
  createTaskVdaf,
  encodeVdafConfiguration,
  generateHpkeKey,
  HpkeCiphertext,
  HpkeConfig,
  HpkeConfigList,
  type HpkeKey,
  inputShareAad,
  inputShareInfo,
  leaderSelectedBatch,
  leaderSelectedQuery,
  leaderShareOf,
  type OpenedReport,
  openReports,
  PlaintextInputShare,
  prepareAggregateShareSealer,
  prepareOpener,
  prepareResults,
  prepareSealer,
  Report,
  ROLE_HELPER,
  ROLE_LEADER,
  resourcePath,
  sealAggregateShare,
  startLeaderJob,
  systemRandom,
  timeIntervalQuery,
  UploadRequest,
  type VdafConfiguration,
  VerifyInit,
  VerifyResp,
} from '@privacy-edge/dap';
import { exportPrivateKey } from '@privacy-edge/hpke';
import type { Helper } from '../src/conformance/dap-helper.ts';
import { toJson } from '../src/conformance/vdaf-ping-pong.ts';
import { withStepsHelper } from './dap-steps-helper.ts';

/** A report of a task that is to be recorded. */
export interface Plan {
  readonly measurement: unknown;
  /** The same as the VDAF takes it, where that is another form. */
  readonly packed?: unknown;
  /** Buckets after the first one. */
  readonly later?: number;
  readonly fault?: 'leader_ct' | 'helper_ct' | 'proof';
}

/** A task that is to be recorded. */
export interface TaskPlan {
  readonly vdaf: VdafConfiguration;
  readonly aggregationParameter?: Uint8Array;
  readonly leaderSelected?: boolean;
  readonly reports: readonly Plan[];
}

const TIME_PRECISION = 300;
const FIRST_TIME = 5_966_666;
const ERRORS = { leader_ct: 5, helper_ct: 5, proof: 6 } as const;
const hexOrNull = (bytes: Uint8Array | undefined): string | null => (bytes === undefined ? null : toHex(bytes));

/** Runs a task and records it. */
export async function recordTask(plan: TaskPlan): Promise<unknown> {
  const parameter = plan.aggregationParameter ?? new Uint8Array(0);
  const batchId = plan.leaderSelected === true ? systemRandom(32).slice() : undefined;
  const parameters = {
    taskInfo: fromHex('0102'),
    leaderAggregatorEndpoint: 'https://leader.example/',
    helperAggregatorEndpoint: 'https://helper.example/dap/',
    timePrecision: TIME_PRECISION,
    minBatchSize: 2,
    batchMode: batchId === undefined ? BATCH_MODE_TIME_INTERVAL : BATCH_MODE_LEADER_SELECTED,
    batchConfig: new Uint8Array(0),
    ...encodeVdafConfiguration(plan.vdaf),
    extensions: [],
  };
  const configuration = createTaskConfiguration(parameters);
  const task = createTask(systemRandom(32).slice(), configuration);
  const vdaf = createTaskVdaf(task);
  const verifyKey = systemRandom(vdaf.verifyKeySize).slice();
  const aggregator = (role: AggregatorRole): AggregatorTask => ({
    ...task,
    role,
    vdaf,
    verifyKey,
    clockToleranceSeconds: 300,
    reportExtensions: new Set(),
  });
  const [leaderKey, helperKey, collectorKey] = await Promise.all(
    [17, 42, 200].map((id) => generateHpkeKey(id, systemRandom)),
  );
  const now = new Date(1000 * TIME_PRECISION * (FIRST_TIME + 10));
  const made: Made[] = [];
  for (const one of plan.reports) made.push(await makeReport(aggregator(ROLE_LEADER), one, leaderKey!, helperKey!));

  // The leader's job, the helper's answers, and both halves of the collection.
  const leader = aggregator(ROLE_LEADER);
  const opener = await prepareOpener(leaderKey!, inputShareInfo(task.version, ROLE_LEADER));
  const opened = await openReports(
    leader,
    made.map(({ report }) => leaderShareOf(report)),
    () => opener,
    now,
  );
  const candidates = opened.flatMap((entry, i) =>
    entry.kind === 'opened'
      ? [{ opened: entry as OpenedReport, helperEncryptedInputShare: made[i]!.report.helperEncryptedInputShare }]
      : [],
  );
  const start = startLeaderJob(leader, parameter, batchId, candidates);
  const record: Record<string, unknown> = {};
  const setup = {
    task: aggregator(ROLE_HELPER),
    key: helperKey!,
    collectorConfig: collectorKey!.config,
    now,
    random: systemRandom,
  };
  await withStepsHelper(setup, async (helper: Helper) => {
    const path = resourcePath(task.taskId, 'aggregation_jobs');
    const request = start.job!.request;
    const first = await helper({ method: 'POST', path, message: 'aggregation-job-init-req', body: request });
    let step = advanceLeaderJob(leader, start.job!, first.body);
    const finished = [...step.finished];
    let [next, second]: (Uint8Array | undefined)[] = [];
    if (step.job !== undefined) {
      next = step.job.request;
      const again = { method: 'POST', path: first.location!, message: 'aggregation-job-continue-req' } as const;
      second = (await helper({ ...again, body: next })).body;
      step = advanceLeaderJob(leader, step.job, second);
      finished.push(...step.finished);
    }
    const buckets = accumulate(vdaf, parameter, batchId, finished);
    const aggregate = combineBuckets(leader, parameter, buckets);
    const query = batchId === undefined ? timeIntervalQuery({ start: FIRST_TIME, duration: 5 }) : leaderSelectedQuery();
    const collectionRequest = createCollectionJobReq(query, parameter);
    const batch =
      batchId === undefined
        ? ({ kind: 'timeInterval', interval: { start: FIRST_TIME, duration: 5 } } as const)
        : leaderSelectedBatch(batchId);
    const collectionJobReq = { query, aggParam: parameter, extensions: [] };
    const shareRequest = createAggregateShareReq({ request: collectionJobReq }, batch, aggregate);
    const sharePath = resourcePath(task.taskId, 'aggregate_shares');
    const released = await helper({
      method: 'POST',
      path: sharePath,
      message: 'aggregate-share-req',
      body: shareRequest,
    });
    const helperShare = AggregateShare.decode(released.body).encryptedAggregateShare;
    const sealer = await prepareAggregateShareSealer(leader, collectorKey!.config);
    const { aggregateShare, reportCount, interval } = aggregate;
    const leaderShare = await sealAggregateShare(task, sealer, collectionRequest, aggregateShare, systemRandom);
    const response = CollectionJobResp.encode({
      reportCount,
      interval,
      leaderEncryptedAggShare: leaderShare,
      helperEncryptedAggShare: helperShare,
    });
    const results = await prepareResults(task, vdaf, collectorKey!);
    const { result } = await results.open(collectionRequest, response);
    const { aggregateShares } = await results.openShares(collectionRequest, response);
    Object.assign(record, {
      description: 'made for a test',
      version_tag: task.version,
      task_id: toHex(task.taskId),
      task_configuration: {
        task_info: '0102',
        leader: parameters.leaderAggregatorEndpoint,
        helper: parameters.helperAggregatorEndpoint,
        time_precision: TIME_PRECISION,
        min_batch_size: 2,
        batch_mode: parameters.batchMode,
        vdaf_type: parameters.vdafType,
        vdaf_configuration: toHex(parameters.vdafConfiguration),
        extensions: '',
        encoded: toHex(configuration.encoded),
      },
      vdaf_verify_key: toHex(verifyKey),
      verification_key_id: 0,
      hpke: { leader: key(leaderKey!), helper: key(helperKey!), collector: key(collectorKey!) },
      reports: writeReports(made, candidates, request, first.body, next),
      upload_request: toHex(UploadRequest.encode(made.map(({ report }) => report))),
      agg_param: toHex(parameter),
      batch_id: hexOrNull(batchId),
      aggregation_job_init_req: toHex(request),
      aggregation_job_init_resp: toHex(first.body),
      aggregation_job_continue_req: hexOrNull(next),
      aggregation_job_continue_resp: hexOrNull(second),
      batch_buckets: Object.fromEntries(
        buckets.map(({ bucket, reportCount: count, checksum, interval: { start: time } }) => [
          batchId === undefined ? String(time) : toHex(bucket),
          { report_count: count, checksum: toHex(checksum) },
        ]),
      ),
      report_count: reportCount,
      checksum: toHex(aggregate.checksum),
      collection_job_req: toHex(collectionRequest),
      aggregate_share_req: toHex(shareRequest),
      aggregate_share_aad: toHex(aggregateShareAad(task, collectionRequest)),
      aggregate_shares: ([ROLE_LEADER, ROLE_HELPER] as const).map((role, side) => ({
        role: side === 0 ? 'leader' : 'helper',
        plaintext: toHex(aggregateShares[side]!),
        ...seal(aggregateShareInfo(task.version, role), side === 0 ? leaderShare : helperShare),
      })),
      helper_aggregate_share_message: toHex(released.body),
      collection_job_resp: toHex(response),
      aggregate_result: toJson(result),
    });
  });
  return record;
}

interface Made {
  readonly plan: Plan;
  readonly report: Report;
  readonly record: Record<string, unknown>;
}

/** Shards and seals a report, with what is wrong with it. */
async function makeReport(task: AggregatorTask, plan: Plan, leader: HpkeKey, helper: HpkeKey): Promise<Made> {
  const [reportId, rand] = [systemRandom(16).slice(), systemRandom(task.vdaf.randSize).slice()];
  const measurement = (plan.packed ?? plan.measurement) as never;
  const { publicShare, inputShares } = task.vdaf.shard(task.context, measurement, reportId, rand);
  const [leaderShare, helperShare] = inputShares.map((share) => share.slice());
  // The last element of the leader's share is one of the proof's.
  if (plan.fault === 'proof') leaderShare![leaderShare!.length - 8]! ^= 1;
  const reportMetadata = { reportId, time: FIRST_TIME + (plan.later ?? 0), publicExtensions: [] };
  const aad = inputShareAad(task, reportMetadata, publicShare);
  const sealed = async (role: AggregatorRole, key: HpkeKey, payload: Uint8Array, isSpoiled: boolean) => {
    const info = inputShareInfo(task.version, role);
    const plaintext = PlaintextInputShare.encode({ privateExtensions: [], payload });
    const ciphertext = await (await prepareSealer(key.config, info)).seal(aad, plaintext, systemRandom);
    const spoiled = ciphertext.payload.map((byte, i) => (isSpoiled && i === 3 ? byte ^ 0x10 : byte));
    const sent = { ...ciphertext, payload: spoiled };
    return { sent, record: { plaintext_input_share: toHex(plaintext), ...seal(info, sent) } };
  };
  const forLeader = await sealed(ROLE_LEADER, leader, leaderShare!, plan.fault === 'leader_ct');
  const forHelper = await sealed(ROLE_HELPER, helper, helperShare!, plan.fault === 'helper_ct');
  const report: Report = {
    reportMetadata,
    publicShare,
    leaderEncryptedInputShare: forLeader.sent,
    helperEncryptedInputShare: forHelper.sent,
  };
  const record = {
    measurement: plan.measurement,
    rand: toHex(rand),
    report_id: toHex(reportId),
    time: reportMetadata.time,
    public_extensions: '',
    public_share: toHex(publicShare),
    leader_input_share: toHex(leaderShare!),
    helper_input_share: toHex(helperShare!),
    input_share_aad: toHex(aad),
    leader: forLeader.record,
    helper: forHelper.record,
    report: toHex(Report.encode(report)),
    fault: plan.fault ?? null,
    expect: plan.fault === undefined ? 'accept' : 'reject',
    report_error: plan.fault === undefined ? null : ERRORS[plan.fault],
    report_error_alternatives: null,
  };
  return { plan, report, record };
}

/** Adds what the two aggregators said about each report. */
function writeReports(
  made: readonly Made[],
  candidates: readonly unknown[],
  request: Uint8Array,
  response: Uint8Array,
  next: Uint8Array | undefined,
): unknown[] {
  const { verifyInits } = AggregationJobInitReq.decode(request);
  const answers = AggregationJobResp.decode(response);
  const continues = next === undefined ? [] : AggregationJobContinueReq.decode(next).verifyContinues;
  if (candidates.length !== verifyInits.length) throw new TypeError('The leader asks about every candidate');
  return made.map(({ report, record }) => {
    const id = toHex(report.reportMetadata.reportId);
    const at = verifyInits.findIndex(({ reportShare }) => toHex(reportShare.reportMetadata.reportId) === id);
    const [init, answer] = [verifyInits[at], answers[at]];
    const again = continues.find(({ reportId }) => toHex(reportId) === id);
    return {
      ...record,
      leader_init_message: hexOrNull(init?.payload),
      verify_init: hexOrNull(init && VerifyInit.encode(init)),
      helper_verify_resp: hexOrNull(answer && VerifyResp.encode(answer)),
      leader_continue_message: hexOrNull(again?.payload),
    };
  });
}

function seal(info: Uint8Array, ciphertext: HpkeCiphertext): Record<string, string> {
  return {
    info: toHex(info),
    enc: toHex(ciphertext.enc),
    ciphertext: toHex(ciphertext.payload),
    hpke_ciphertext: toHex(concatBytes(HpkeCiphertext.encode(ciphertext))),
  };
}

function key({ config, privateKey }: HpkeKey): Record<string, unknown> {
  return {
    config_id: config.id,
    kem_id: config.kemId,
    kdf_id: config.kdfId,
    aead_id: config.aeadId,
    private_key: toHex(exportPrivateKey(privateKey)),
    public_key: toHex(config.publicKey),
    hpke_config: toHex(HpkeConfig.encode(config)),
    hpke_config_list: toHex(HpkeConfigList.encode([config])),
  };
}
