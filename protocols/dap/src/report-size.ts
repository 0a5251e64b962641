/** How long a report may be, from what its task says alone: nobody but the helper can open the helper's share. DAP §4.4.2. */
import { REPORT_ID_BYTES } from './field.ts';
import type { HpkeCiphertext } from './hpke-ciphertext.ts';
import type { Report } from './report.ts';
import type { AggregatorTask } from './task.ts';

/** Longer than what any KEM of the HPKE registry encapsulates, those that are not classical included. */
const MAX_ENC_BYTES = 2048;

/** RFC 9180 §7.3: the same for every AEAD. */
const TAG_BYTES = 16;

/** Before the payload of a `PlaintextInputShare`: lengths of the private extensions and of the payload. */
const FRAMING_BYTES = 2 + 4;

/** What all private extensions of one share may take. A leader cannot know which the helper understands. */
const MAX_PRIVATE_BYTES = 1024;

/** What all public extensions of a report may take. */
const MAX_PUBLIC_BYTES = 4096;

/**
 * Whether all parts of a report have the lengths that an honest client's have. The leader passes public extensions, public
 * share and the helper's ciphertext on, next to those of other clients, to a helper that reads no message of any length: one
 * client could fill it.
 *
 * @param report - attacker-controlled
 * @see DAP §4.4.2.1
 */
export function hasPossibleSize(task: AggregatorTask, report: Report): boolean {
  const { publicShare, inputShares } = task.vdaf.sizes;
  const { reportMetadata, leaderEncryptedInputShare, helperEncryptedInputShare } = report;
  const extensions = reportMetadata.publicExtensions.reduce(
    (sum, { extensionData }) => sum + 4 + extensionData.length,
    0,
  );
  return (
    extensions <= MAX_PUBLIC_BYTES &&
    report.publicShare.length === publicShare &&
    isPossible(leaderEncryptedInputShare, inputShares[0]) &&
    isPossible(helperEncryptedInputShare, inputShares[1])
  );
}

function isPossible({ enc, payload }: HpkeCiphertext, inputShare: number): boolean {
  const more = payload.length - (inputShare + FRAMING_BYTES + TAG_BYTES);
  return enc.length <= MAX_ENC_BYTES && more >= 0 && more <= MAX_PRIVATE_BYTES;
}

/**
 * The most bytes that one report adds to the request that starts an aggregation job, if {@link hasPossibleSize}.
 *
 * @see DAP §4.5.3.1
 */
export function maxInitBytes({ vdaf: { sizes } }: Pick<AggregatorTask, 'vdaf'>): number {
  const metadata = REPORT_ID_BYTES + 8 + 2 + MAX_PUBLIC_BYTES;
  const ciphertext = 1 + 2 + MAX_ENC_BYTES + 4 + sizes.inputShares[1] + FRAMING_BYTES + TAG_BYTES + MAX_PRIVATE_BYTES;
  return metadata + 4 + sizes.publicShare + ciphertext + 4 + sizes.firstMessage;
}
