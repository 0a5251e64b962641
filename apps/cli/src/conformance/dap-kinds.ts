/** Kinds of vector files about DAP. */
import { checkMessage } from './dap-messages.ts';
import { withServedHelper } from './dap-served-helper.ts';
import { transcriptCheck } from './dap-transcript-driver.ts';
import type { VectorKind } from './kind.ts';

/** Every kind of the area `dap`, for files in the folder itself and for files one below. */
export const DAP_KINDS: readonly VectorKind[] = ['dap/', 'dap/*/'].flatMap((folder) => [
  { pattern: `${folder}messages*.json`, title: 'messages', check: checkMessage },
  {
    pattern: `${folder}transcript_*.json`,
    title: 'whole tasks',
    single: true,
    check: transcriptCheck(withServedHelper),
  },
]);
