/** A recorded task: everything that its parties had and sent, read strictly. */
import { expectSame, type Vector, VectorError } from './vector.ts';

/** An HPKE key as it is recorded. */
export interface RecordedKey {
  readonly id: number;
  readonly kemId: number;
  readonly kdfId: number;
  readonly aeadId: number;
  readonly privateKey: Uint8Array;
  readonly publicKey: Uint8Array;
  /** Encoded. */
  readonly config: Uint8Array;
  /** Encoded, of this one. */
  readonly configList: Uint8Array;
}

/** Something sealed. */
export interface RecordedSeal {
  readonly info: Uint8Array;
  readonly plaintext: Uint8Array;
  readonly enc: Uint8Array;
  readonly payload: Uint8Array;
  /** Encoded `HpkeCiphertext`. */
  readonly ciphertext: Uint8Array;
}

/** A report, from measurement to verdict. */
export interface RecordedReport {
  readonly measurement: unknown;
  readonly rand: Uint8Array;
  readonly reportId: Uint8Array;
  readonly time: number;
  /** Without the length in front of them. */
  readonly publicExtensions: Uint8Array;
  readonly publicShare: Uint8Array;
  readonly inputShares: readonly [leader: Uint8Array, helper: Uint8Array];
  readonly aad: Uint8Array;
  readonly seals: readonly [leader: RecordedSeal, helper: RecordedSeal];
  /** Encoded `Report`. */
  readonly encoded: Uint8Array;
  /** What was spoiled on purpose, after sharding. */
  readonly fault: string | undefined;
  /** Undefined when the leader does not get as far as asking the helper. */
  readonly verifyInit: Uint8Array | undefined;
  readonly leaderInit: Uint8Array | undefined;
  readonly helperResponse: Uint8Array | undefined;
  readonly leaderContinue: Uint8Array | undefined;
  /** The error, first the recorded one and then others that the document allows; empty when it is accepted. */
  readonly errors: readonly number[];
}

/** What is left of reports in one bucket. */
export interface RecordedBucket {
  /** A time, or a batch identifier in hexadecimal. */
  readonly key: string;
  readonly reportCount: number;
  readonly checksum: Uint8Array;
}

/** A task from its configuration to its result. */
export interface Transcript {
  readonly versionTag: string;
  readonly taskId: Uint8Array;
  readonly configuration: Vector;
  readonly verifyKey: Uint8Array;
  readonly verificationKeyId: number;
  readonly keys: { readonly leader: RecordedKey; readonly helper: RecordedKey; readonly collector: RecordedKey };
  readonly reports: readonly RecordedReport[];
  readonly uploadRequest: Uint8Array;
  readonly aggregationParameter: Uint8Array;
  readonly batchId: Uint8Array | undefined;
  readonly initRequest: Uint8Array;
  readonly initResponse: Uint8Array;
  readonly continueRequest: Uint8Array | undefined;
  readonly continueResponse: Uint8Array | undefined;
  readonly buckets: readonly RecordedBucket[];
  readonly reportCount: number;
  readonly checksum: Uint8Array;
  readonly collectionRequest: Uint8Array;
  readonly shareRequest: Uint8Array;
  readonly shareAad: Uint8Array;
  readonly shares: readonly [leader: RecordedSeal, helper: RecordedSeal];
  /** Encoded `AggregateShare`. */
  readonly helperShare: Uint8Array;
  readonly collectionResponse: Uint8Array;
  readonly result: unknown;
}

/** Reads a transcript; a member that is missing, or that nobody would look at, makes it unreadable. */
export function readTranscript(vector: Vector): Transcript {
  const keys = vector.vector('hpke');
  const transcript: Transcript = {
    versionTag: vector.text('version_tag'),
    taskId: vector.hex('task_id'),
    configuration: vector.vector('task_configuration'),
    verifyKey: vector.hex('vdaf_verify_key'),
    verificationKeyId: vector.integer('verification_key_id'),
    keys: {
      leader: readKey(keys.vector('leader')),
      helper: readKey(keys.vector('helper')),
      collector: readKey(keys.vector('collector')),
    },
    reports: vector.vectors('reports').map(readReport),
    uploadRequest: vector.hex('upload_request'),
    aggregationParameter: vector.hex('agg_param'),
    batchId: optionalHex(vector, 'batch_id'),
    initRequest: vector.hex('aggregation_job_init_req'),
    initResponse: vector.hex('aggregation_job_init_resp'),
    continueRequest: optionalHex(vector, 'aggregation_job_continue_req'),
    continueResponse: optionalHex(vector, 'aggregation_job_continue_resp'),
    buckets: readBuckets(vector.vector('batch_buckets')),
    reportCount: vector.integer('report_count'),
    checksum: vector.hex('checksum'),
    collectionRequest: vector.hex('collection_job_req'),
    shareRequest: vector.hex('aggregate_share_req'),
    shareAad: vector.hex('aggregate_share_aad'),
    shares: readShares(vector.vectors('aggregate_shares')),
    helperShare: vector.hex('helper_aggregate_share_message'),
    collectionResponse: vector.hex('collection_job_resp'),
    result: vector.json('aggregate_result'),
  };
  keys.end();
  vector.end('description', 'name');
  return transcript;
}

function optionalHex(vector: Vector, name: string): Uint8Array | undefined {
  return vector.isNull(name) ? undefined : vector.hex(name);
}

function readKey(key: Vector): RecordedKey {
  const recorded = {
    id: key.integer('config_id'),
    kemId: key.integer('kem_id'),
    kdfId: key.integer('kdf_id'),
    aeadId: key.integer('aead_id'),
    privateKey: key.hex('private_key'),
    publicKey: key.hex('public_key'),
    config: key.hex('hpke_config'),
    configList: key.hex('hpke_config_list'),
  };
  key.end();
  return recorded;
}

function readReport(report: Vector): RecordedReport {
  const recorded: RecordedReport = {
    measurement: report.json('measurement'),
    rand: report.hex('rand'),
    reportId: report.hex('report_id'),
    time: report.integer('time'),
    publicExtensions: report.hex('public_extensions'),
    publicShare: report.hex('public_share'),
    inputShares: [report.hex('leader_input_share'), report.hex('helper_input_share')],
    aad: report.hex('input_share_aad'),
    seals: [
      readSeal(report.vector('leader'), 'plaintext_input_share'),
      readSeal(report.vector('helper'), 'plaintext_input_share'),
    ],
    encoded: report.hex('report'),
    fault: report.isNull('fault') ? undefined : report.text('fault'),
    verifyInit: optionalHex(report, 'verify_init'),
    leaderInit: optionalHex(report, 'leader_init_message'),
    helperResponse: optionalHex(report, 'helper_verify_resp'),
    leaderContinue: optionalHex(report, 'leader_continue_message'),
    errors: readErrors(report),
  };
  report.end();
  return recorded;
}

/** The verdict, which is written down twice. */
function readErrors(report: Vector): readonly number[] {
  const isAccepted = report.isNull('report_error');
  expectSame('verdict', report.text('expect'), isAccepted ? 'accept' : 'reject');
  const alternatives = report.isNull('report_error_alternatives')
    ? []
    : report.bigints('report_error_alternatives').map(Number);
  return isAccepted ? [] : [report.integer('report_error'), ...alternatives];
}

function readShares(shares: readonly Vector[]): [RecordedSeal, RecordedSeal] {
  const [leader, helper] = shares;
  if (leader === undefined || helper === undefined || shares.length > 2)
    throw new VectorError('UNREADABLE', 'Cannot read vector: there are two aggregate shares');
  return [readAggregateShare(leader, 'leader'), readAggregateShare(helper, 'helper')];
}

function readAggregateShare(share: Vector, role: string): RecordedSeal {
  expectSame('role of an aggregate share', share.text('role'), role);
  return readSeal(share, 'plaintext');
}

function readSeal(seal: Vector, plaintext: string): RecordedSeal {
  const recorded = {
    info: seal.hex('info'),
    plaintext: seal.hex(plaintext),
    enc: seal.hex('enc'),
    payload: seal.hex('ciphertext'),
    ciphertext: seal.hex('hpke_ciphertext'),
  };
  seal.end();
  return recorded;
}

function readBuckets(buckets: Vector): RecordedBucket[] {
  return buckets.names().map((key) => {
    const bucket = buckets.vector(key);
    const recorded = { key, reportCount: bucket.integer('report_count'), checksum: bucket.hex('checksum') };
    bucket.end();
    return recorded;
  });
}
