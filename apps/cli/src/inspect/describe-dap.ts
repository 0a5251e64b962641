/** What is in a message of DAP. Shares are sealed, and shown by their lengths. */
import { type Codec, toBase64Url, toHex } from '@privacy-edge/bytes';
import {
  AggregateShare,
  AggregateShareReq,
  AggregationJobContinueReq,
  AggregationJobInitReq,
  AggregationJobResp,
  BATCH_MODE_TIME_INTERVAL,
  CollectionJobReq,
  CollectionJobResp,
  type Extension,
  type HpkeCiphertext,
  HpkeConfigList,
  Interval,
  isConfigUsable,
  MEDIA_TYPE,
  type MessageName,
  type Query,
  type ReportMetadata,
  reportErrorName,
  UploadErrors,
  UploadRequest,
} from '@privacy-edge/dap';
import { aeadName, kdfName, kemName } from '../keys/algorithms.ts';
import { branch, leaf, type TreeNode } from './tree.ts';

/** Media types of DAP, with the parameter that tells messages apart. */
export type DapType = `application/ppm-dap;message=${MessageName}`;

type Describe = (bytes: Uint8Array) => readonly TreeNode[];

/** Decodes with a codec, then describes. */
function described<T>(codec: Codec<T>, describe: (message: T) => readonly TreeNode[]): Describe {
  return (bytes) => describe(codec.decode(bytes));
}

/** Messages that are lists can be long. */
const MAX_SHOWN = 100;

function each<T>(items: readonly T[], describe: (item: T) => TreeNode): TreeNode[] {
  const nodes = items.slice(0, MAX_SHOWN).map(describe);
  return items.length > MAX_SHOWN ? [...nodes, leaf('not shown', items.length - MAX_SHOWN)] : nodes;
}

const ROWS: Readonly<Record<MessageName, Describe>> = {
  'hpke-config-list': described(HpkeConfigList, (configs) =>
    each(configs, (config) =>
      branch('configuration', [
        leaf('id', config.id),
        leaf('kem', kemName(config.kemId)),
        leaf('kdf', kdfName(config.kdfId)),
        leaf('aead', aeadName(config.aeadId)),
        leaf('public key', toHex(config.publicKey.subarray(0, 32))),
        leaf('usable here', isConfigUsable(config)),
      ]),
    ),
  ),
  'upload-req': described(UploadRequest, (reports) => [
    leaf('reports', reports.length),
    ...each(reports, (report) =>
      branch('report', [
        ...metadata(report.reportMetadata),
        leaf('public share bytes', report.publicShare.length),
        ciphertext('sealed to leader', report.leaderEncryptedInputShare),
        ciphertext('sealed to helper', report.helperEncryptedInputShare),
      ]),
    ),
  ]),
  'upload-errors': described(UploadErrors, (errors) =>
    each(errors, ({ id, error }) => branch('report', [reportId(id), leaf('error', reportErrorName(error))])),
  ),
  'aggregation-job-init-req': described(AggregationJobInitReq, (message) => [
    leaf('verification key id', message.verificationKeyId),
    leaf('aggregation parameter bytes', message.aggParam.length),
    ...extensions('job extension', message.extensions),
    leaf('reports', message.verifyInits.length),
    ...each(message.verifyInits, ({ reportShare, payload }) =>
      branch('report', [
        ...metadata(reportShare.reportMetadata),
        leaf('public share bytes', reportShare.publicShare.length),
        ciphertext('sealed to helper', reportShare.encryptedInputShare),
        leaf('payload bytes', payload.length),
      ]),
    ),
  ]),
  'aggregation-job-resp': described(AggregationJobResp, (responses) =>
    each(responses, (response) =>
      branch('report', [
        reportId(response.reportId),
        leaf('outcome', response.kind),
        ...(response.kind === 'continue' ? [leaf('payload bytes', response.payload.length)] : []),
        ...(response.kind === 'reject' ? [leaf('error', reportErrorName(response.reportError))] : []),
      ]),
    ),
  ),
  'aggregation-job-continue-req': described(AggregationJobContinueReq, ({ step, verifyContinues }) => [
    leaf('step', step),
    ...each(verifyContinues, (one) =>
      branch('report', [reportId(one.reportId), leaf('payload bytes', one.payload.length)]),
    ),
  ]),
  'aggregate-share-req': described(AggregateShareReq, (message) => [
    ...collection(message.collectionJobReq),
    batch('batch', message.batchSelector),
    leaf('reports', message.reportCount),
    leaf('checksum', toHex(message.checksum)),
  ]),
  'aggregate-share': described(AggregateShare, ({ encryptedAggregateShare }) => [
    ciphertext('sealed to collector', encryptedAggregateShare),
  ]),
  'collection-job-req': described(CollectionJobReq, collection),
  'collection-job-resp': described(CollectionJobResp, (message) => [
    leaf('reports', message.reportCount),
    ...interval(message.interval),
    ciphertext('share of the leader', message.leaderEncryptedAggShare),
    ciphertext('share of the helper', message.helperEncryptedAggShare),
  ]),
};

/** Media types that can be decoded. */
export const DAP_TYPES: readonly DapType[] = (Object.keys(ROWS) as MessageName[]).map(
  (name): DapType => `${MEDIA_TYPE as 'application/ppm-dap'};message=${name}`,
);

/** Whether a media type is one of DAP. */
export function isDapType(type: string): type is DapType {
  return type.startsWith(`${MEDIA_TYPE};`);
}

/**
 * Describes a message of DAP.
 *
 * @throws DecodeError for bytes that are no such message
 */
export function describeDap(type: DapType, bytes: Uint8Array): TreeNode {
  // Made of nothing else.
  const name = type.slice(type.indexOf('=') + 1) as MessageName;
  return branch(type, [leaf('bytes', bytes.length), ...ROWS[name](bytes)]);
}

function reportId(id: Uint8Array): TreeNode {
  return leaf('report id', toBase64Url(id));
}

function metadata(parts: ReportMetadata): TreeNode[] {
  return [
    reportId(parts.reportId),
    leaf('time, in units of the time precision', parts.time),
    ...extensions('public extension', parts.publicExtensions),
  ];
}

function extensions(label: string, list: readonly Extension[]): TreeNode[] {
  return list.map(({ extensionType, extensionData }) =>
    branch(label, [
      leaf('type', `0x${extensionType.toString(16).padStart(4, '0')}`),
      leaf('bytes', extensionData.length),
    ]),
  );
}

function ciphertext(label: string, { configId, enc, payload }: HpkeCiphertext): TreeNode {
  return branch(label, [
    leaf('key id', configId),
    leaf('enc bytes', enc.length),
    leaf('ciphertext bytes', payload.length),
  ]);
}

function collection({ query, aggParam, extensions: list }: CollectionJobReq): TreeNode[] {
  return [
    batch('query', query),
    leaf('aggregation parameter bytes', aggParam.length),
    ...extensions('job extension', list),
  ];
}

/** A query and a batch selector look alike. */
function batch(label: string, { batchMode, config }: Query): TreeNode {
  if (batchMode !== BATCH_MODE_TIME_INTERVAL) {
    const id = config.length === 0 ? [] : [leaf('batch id', toBase64Url(config))];
    return branch(label, [leaf('batch mode', `leader-selected (${batchMode})`), ...id]);
  }
  return branch(label, [leaf('batch mode', 'time-interval'), ...interval(Interval.decode(config))]);
}

function interval({ start, duration }: Interval): TreeNode[] {
  return [
    leaf('start, in units of the time precision', start),
    leaf('duration, in units of the time precision', duration),
  ];
}
