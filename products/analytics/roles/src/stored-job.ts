/** Encodings of what aggregators store between two steps of a job. Only ever read by the aggregator that wrote them. */
import { type Codec, Reader, Writer } from '@privacy-edge/bytes';
import type { HelperPending, LeaderJob, PendingReport } from '@privacy-edge/dap';

const REPORT_ID_BYTES = 16;

/** An aggregation job of the leader, between two requests. */
export interface LeaderProgress {
  readonly job: LeaderJob;
  /** The helper has the request and will have its answer later. */
  readonly isDeferred: boolean;
}

/** struct { uint8 version; uint8 is_deferred; uint16 step; opaque param<4>; opaque request<4>; Pending pending[]; } */
export const LeaderProgress: Codec<LeaderProgress> = {
  encode({ job, isDeferred }) {
    const { aggregationParameter, step, request, pending } = job;
    const writer = new Writer(request.length + 128 * pending.length);
    writer
      .u8(FORMAT)
      .u8(isDeferred ? 1 : 0)
      .u16(step)
      .vector(4, aggregationParameter)
      .vector(4, request);
    for (const report of pending) {
      writer
        .u8(report.kind === 'continued' ? CONTINUED : FINISHED)
        .bytes(report.reportId)
        .u64(report.time);
      writer.vector(4, report.kind === 'continued' ? report.state : report.outShare).vector(4, report.outbound);
    }
    return writer.finish();
  },
  decode(bytes) {
    const reader = new Reader(bytes, 'stored aggregation job');
    reader.u8();
    const isDeferred = reader.u8() === 1;
    const step = reader.u16();
    const aggregationParameter = reader.vector(4);
    const request = reader.vector(4);
    const pending: PendingReport[] = [];
    while (reader.remaining > 0) pending.push(readPending(reader));
    return { job: { aggregationParameter, step, request, pending }, isDeferred };
  },
};

const FORMAT = 1;
const CONTINUED = 0;
const FINISHED = 1;

function readPending(reader: Reader): PendingReport {
  const kind = reader.u8();
  const key = { reportId: reader.bytes(REPORT_ID_BYTES), time: reader.u64() };
  const share = reader.vector(4);
  const outbound = reader.vector(4);
  return kind === CONTINUED
    ? { kind: 'continued', ...key, state: share, outbound }
    : { kind: 'finished', ...key, outShare: share, outbound };
}

/** struct { uint8 version; struct { opaque report_id[16]; uint64 time; opaque state<4>; } pending[]; } */
export const StoredPending: Codec<readonly HelperPending[]> = {
  encode(pending) {
    const writer = new Writer(1 + 128 * pending.length).u8(FORMAT);
    for (const { reportId, time, state } of pending) writer.bytes(reportId).u64(time).vector(4, state);
    return writer.finish();
  },
  decode(bytes) {
    const reader = new Reader(bytes, 'stored pending reports');
    const pending: HelperPending[] = [];
    if (reader.remaining === 0) return pending;
    reader.u8();
    while (reader.remaining > 0) {
      pending.push({ reportId: reader.bytes(REPORT_ID_BYTES), time: reader.u64(), state: reader.vector(4) });
    }
    return pending;
  },
};
