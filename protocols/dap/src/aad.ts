/** What sealed shares are bound to. DAP §4.4.2.1 and §4.6.7. */
import { concatBytes, Writer } from '@privacy-edge/bytes';
import { type ReportMetadata, reportMetadataFields } from './report-metadata.ts';
import type { Task } from './task.ts';

/**
 * struct { TaskID task_id; TaskConfiguration task_configuration; ReportMetadata report_metadata;
 *          opaque public_share<0..2^32-1>; } InputShareAad;                                            DAP §4.4.2.1
 */
export function inputShareAad({ binding }: Task, metadata: ReportMetadata, publicShare: Uint8Array): Uint8Array {
  const writer = new Writer(binding.length + publicShare.length + 64);
  reportMetadataFields.write(writer.bytes(binding), metadata);
  return writer.vector(4, publicShare).finish();
}

/**
 * struct { TaskID task_id; TaskConfiguration task_configuration; CollectionJobReq collection_job_req; }
 *                                                                                                        DAP §4.6.7
 *
 * @param collectionJobReq - encoded, as the collector sent it
 */
export function aggregateShareAad({ binding }: Task, collectionJobReq: Uint8Array): Uint8Array {
  return concatBytes(binding, collectionJobReq);
}
