/** Rows and identifiers for the tests of stores. */
import type { NewReport, TaskRow } from '@privacy-edge/analytics-roles';
import { ROLE_LEADER } from '@privacy-edge/dap';

/** Bytes that all have one value. */
export function fill(value: number, length: number): Uint8Array {
  return new Uint8Array(length).fill(value);
}

/** An identifier of `length` bytes that ends in a number. */
export function id(number: number, length = 16): Uint8Array {
  const bytes = new Uint8Array(length);
  new DataView(bytes.buffer).setUint32(length - 4, number);
  return bytes;
}

/** A task with a number. */
export function taskRow(number: number): TaskRow {
  return {
    task: {
      taskId: id(number, 32),
      version: 'dap-18',
      role: ROLE_LEADER,
      configuration: fill(2, 120),
      verifyKey: fill(0xaa, 32),
      collectorConfig: fill(4, 41),
      clockToleranceSeconds: 60,
    },
    access: {
      peerAuthorization: 'Bearer qwertz-asdfgh',
      peerTokenHashes: [fill(5, 32), fill(6, 32)],
      collectorTokenHashes: [],
      peerNames: ['helper.example', 'ä "quoted"'],
      collectorNames: [],
    },
    processing: 'synchronous',
    isAdvertised: false,
    rememberedSince: 0,
    createdAt: new Date(5),
  };
}

/** A report with a number. */
export function newReport(number: number, time = 1, bytes = 200): NewReport {
  return { reportId: id(number), time, report: fill(number % 251, bytes) };
}

/** Also the parameter of VDAFs that have none. */
export const NO_BYTES: Uint8Array = new Uint8Array();
