/** A task as the steps of this package need it: the record from the store, made usable. */
import { andThen, latin1 } from '@privacy-edge/bytes';
import {
  type AggregatorTask,
  createTask,
  createTaskVdaf,
  DapError,
  HpkeConfig,
  isEager,
  prepareAggregateShareSealer,
  type ShareSealer,
  TaskConfiguration,
} from '@privacy-edge/dap';
import type { TaskRow } from './store-rows.ts';

/** A task in use. */
export interface TaskContext {
  readonly row: TaskRow;
  readonly task: AggregatorTask;
  /** To the collector. */
  readonly sealer: ShareSealer;
  /** Whether reports can be aggregated before anybody asks. */
  readonly isEager: boolean;
}

type Prepared = Omit<TaskContext, 'row'>;

/** Tasks that were made usable before. A task never changes, but for how far back it is remembered. */
export class TaskContexts {
  readonly #prepared = new Map<string, Prepared>();
  readonly #reportExtensions: ReadonlySet<number>;

  /** @param reportExtensions - that this aggregator understands */
  constructor(reportExtensions: ReadonlySet<number>) {
    this.#reportExtensions = reportExtensions;
  }

  /**
   * @param row - as it was just read
   * @throws {@link DapError} `TASK_UNSUPPORTED` or `CONFIG_UNUSABLE`
   */
  async of(row: TaskRow): Promise<TaskContext> {
    const key = latin1(row.task.taskId);
    let prepared = this.#prepared.get(key);
    if (prepared === undefined) {
      prepared = await this.#prepare(row);
      if (this.#prepared.size >= MAX_PREPARED) this.#prepared.clear();
      this.#prepared.set(key, prepared);
    }
    return { ...prepared, row, task: { ...prepared.task, rememberedSince: row.rememberedSince } };
  }

  async #prepare({ task: record }: TaskRow): Promise<Prepared> {
    const plain = createTask(record.taskId, TaskConfiguration.decode(record.configuration), record.version);
    const vdaf = createTaskVdaf(plain);
    if (record.verifyKey.length !== vdaf.verifyKeySize) {
      throw new DapError('TASK_UNSUPPORTED', 'Cannot take part in task: its verification key has another length');
    }
    const { role, verifyKey, clockToleranceSeconds } = record;
    const task = { ...plain, role, vdaf, verifyKey, clockToleranceSeconds, reportExtensions: this.#reportExtensions };
    const sealer = await andThen(
      prepareAggregateShareSealer(task, HpkeConfig.decode(record.collectorConfig)),
      (s) => s,
    );
    return { task, sealer, isEager: isEager(vdaf) };
  }
}

/** Enough for any deployment that is not under attack by made-up tasks. */
const MAX_PREPARED = 10_000;

const NOTHING = new Uint8Array(0);

/** The parameter under which an aggregated report is remembered: none where it may be aggregated once only. */
export function rememberedAs({ extensions }: AggregatorTask, aggregationParameter: Uint8Array): Uint8Array {
  return extensions.multiCollection === undefined ? NOTHING : aggregationParameter;
}
