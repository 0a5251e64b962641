/** Extensions of tasks that are known here. DAP §4.2.2 and §4.2.3, and two private ones. */
import { type Codec, DecodeError } from '@privacy-edge/bytes';
import { codec } from './codec.ts';
import { DapError } from './dap-error.ts';
import { DpParameters } from './dp-parameters.ts';
import type { Extension } from './extension.ts';
import { Interval } from './interval.ts';
import { TASK_EXTENSION_DP, TASK_EXTENSION_MULTI_COLLECTION, TASK_EXTENSION_TASK_INTERVAL } from './registry.ts';

/**
 * A batch may be collected up to so many times, each time with another aggregation parameter that the VDAF allows after
 * those before. A private extension in the sense of DAP §8.6.4: every party sees it and opts in by taking part.
 */
export interface MultiCollection {
  /** 1 to 65535. */
  readonly maxCollections: number;
}

/** struct { uint16 max_collections; } MultiCollection;                                                       0xFF50 */
export const MultiCollection: Codec<MultiCollection> = codec('multi-collection extension', {
  read: (reader) => {
    const maxCollections = reader.u16();
    if (maxCollections === 0) throw new DecodeError('INVALID', 'A batch that may never be collected is no use');
    return { maxCollections };
  },
  write: (writer, { maxCollections }) => {
    if (maxCollections === 0) throw new RangeError('A batch may be collected at least once');
    writer.u16(maxCollections);
  },
});

/** What the extensions of a task say. */
export interface TaskExtensions {
  /** Reports from outside of it are refused. */
  readonly taskInterval?: Interval;
  readonly multiCollection?: MultiCollection;
  /** The noise that each aggregator adds to its share. */
  readonly dp?: DpParameters;
}

/** How each known extension adds to {@link TaskExtensions}. */
const READERS = new Map<number, (data: Uint8Array) => TaskExtensions>([
  [TASK_EXTENSION_TASK_INTERVAL, (data) => ({ taskInterval: Interval.decode(data) })],
  [TASK_EXTENSION_MULTI_COLLECTION, (data) => ({ multiCollection: MultiCollection.decode(data) })],
  [TASK_EXTENSION_DP, (data) => ({ dp: DpParameters.decode(data) })],
]);

/**
 * Reads the extensions of a task.
 *
 * @throws {@link DapError} `TASK_UNSUPPORTED` for an unknown one: nobody may take part in such a task
 * @throws {@link DecodeError}
 * @see DAP §4.2.2
 */
export function readTaskExtensions(extensions: readonly Extension[]): TaskExtensions {
  let all: TaskExtensions = {};
  for (const { extensionType, extensionData } of extensions) {
    const read = READERS.get(extensionType);
    if (read === undefined) {
      throw new DapError('TASK_UNSUPPORTED', `Cannot take part in task: its extension ${extensionType} is unknown`);
    }
    all = { ...all, ...read(extensionData) };
  }
  return all;
}

/** The extensions of a task, in the order in which they must stand. */
export function writeTaskExtensions({ taskInterval, multiCollection, dp }: TaskExtensions): Extension[] {
  const extensions: Extension[] = [];
  if (taskInterval !== undefined) {
    extensions.push({ extensionType: TASK_EXTENSION_TASK_INTERVAL, extensionData: Interval.encode(taskInterval) });
  }
  if (multiCollection !== undefined) {
    extensions.push({
      extensionType: TASK_EXTENSION_MULTI_COLLECTION,
      extensionData: MultiCollection.encode(multiCollection),
    });
  }
  if (dp !== undefined) extensions.push({ extensionType: TASK_EXTENSION_DP, extensionData: DpParameters.encode(dp) });
  return extensions;
}
