/** Upload requests as they arrive. DAP §4.4.2 and §6.4.3. */
import { DecodeError, Gatherer } from '@privacy-edge/bytes';
import { REPORT_ID_BYTES } from './field.ts';
import { Report } from './report.ts';

/** Report identifier and time. */
const FIXED_BYTES = REPORT_ID_BYTES + 8;

/** Length prefixes of the rest of a report in order, and the bytes that stand before each. */
const VECTORS: readonly { readonly skip: number; readonly prefix: 2 | 4 }[] = [
  { skip: FIXED_BYTES, prefix: 2 },
  { skip: 0, prefix: 4 },
  { skip: 1, prefix: 2 },
  { skip: 0, prefix: 4 },
  { skip: 1, prefix: 2 },
  { skip: 0, prefix: 4 },
];

/** Cuts the body of an upload request into reports, holding no more than one unfinished report. */
export class UploadReader {
  readonly #maxReportBytes: number;
  readonly #pending = new Gatherer();
  /** Nothing can be complete before this many bytes are there. */
  #needed = 1;

  /** @param maxReportBytes - a longer report is refused before it has arrived */
  constructor(maxReportBytes: number) {
    this.#maxReportBytes = maxReportBytes;
  }

  /**
   * @param piece - the next bytes of the body; attacker-controlled; may be kept by reference until the next call
   * @returns the reports that are complete now; they share memory with each other
   * @throws {@link DecodeError} `LIMIT` for a report that is too long, and what `Report.decode` throws
   */
  push(piece: Uint8Array): Report[] {
    this.#pending.push(piece);
    const reports: Report[] = [];
    if (this.#pending.length < this.#needed) return reports;
    const bytes = this.#pending.take();
    let at = 0;
    for (;;) {
      this.#needed = bytesNeeded(bytes.subarray(at));
      if (this.#needed > this.#maxReportBytes) {
        throw new DecodeError('LIMIT', `A report is longer than ${this.#maxReportBytes} bytes`);
      }
      if (at + this.#needed > bytes.length) break;
      reports.push(Report.decode(bytes.subarray(at, at + this.#needed)));
      at += this.#needed;
    }
    // A copy, so that a few bytes of the next report do not keep all of this buffer alive.
    this.#pending.push(bytes.slice(at));
    return reports;
  }

  /**
   * Asserts that the body ended where a report did.
   *
   * @throws {@link DecodeError} `TRUNCATED`
   */
  end(): void {
    if (this.#pending.length > 0) throw new DecodeError('TRUNCATED', 'The upload request ends inside of a report');
  }
}

/** How many bytes must be there for the next length, or for all of the report, to be known. At least 1. */
function bytesNeeded(bytes: Uint8Array): number {
  let end = 0;
  for (const { skip, prefix } of VECTORS) {
    const at = end + skip;
    end = at + prefix;
    if (end > bytes.length) return end;
    for (let i = at, length = 0; i < at + prefix; i++) {
      length = length * 256 + (bytes[i] as number);
      if (i === at + prefix - 1) end += length;
    }
  }
  return end;
}
