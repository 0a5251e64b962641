/** Where reports are made: in a worker when there is one and they are much work, here otherwise. */
import {
  type HpkeConfig,
  REPORT_ID_BYTES,
  Report,
  type ReportMaker,
  type Task,
  type VdafConfiguration,
} from '@privacy-edge/dap';
import type { ReporterSettings } from './options.ts';
import { onFailure, onMessage, type ReportOrder, type ReportsReply, type WorkerLike } from './worker-like.ts';

/** Both configurations that reports are sealed to. */
export interface SealingKeys {
  readonly leader: HpkeConfig;
  readonly helper: HpkeConfig;
}

/** A report as it is uploaded. */
export interface MadeReport {
  /** 16 bytes. */
  readonly reportId: Uint8Array;
  readonly encoded: Uint8Array;
}

/** A worker that is running, and who waits for it. */
interface Running {
  readonly worker: WorkerLike;
  readonly waiting: Map<number, (reply: ReportsReply | undefined) => void>;
}

/** Makes the reports of one task. */
export class ReportPress {
  readonly #task: Task;
  readonly #settings: ReporterSettings;
  /** Of one report. */
  readonly #elements: number;
  #running: Running | undefined;
  #isLost = false;
  #nextId = 0;
  #maker: { readonly keys: SealingKeys; readonly maker: Promise<ReportMaker<never>> } | undefined;

  /** @param settings - name the worker, and from what size it is used */
  constructor(task: Task, settings: ReporterSettings) {
    this.#task = task;
    this.#settings = settings;
    this.#elements = elementsOf(task.vdafConfiguration);
  }

  /**
   * Makes reports, all with fresh identifiers and shares.
   *
   * @throws `DapError` `CONFIG_UNUSABLE`, `TASK_UNSUPPORTED`
   */
  async make(keys: SealingKeys, orders: readonly ReportOrder[]): Promise<MadeReport[]> {
    const encoded = (await this.#makeThere(keys, orders)) ?? (await this.#makeHere(keys, orders));
    // A report begins with its identifier. DAP §4.4.2
    return encoded.map((bytes) => ({ reportId: bytes.subarray(0, REPORT_ID_BYTES), encoded: bytes }));
  }

  /** Ends the worker; the next work for one starts another. */
  close(): void {
    const running = this.#running;
    this.#running = undefined;
    if (running === undefined) return;
    void running.worker.terminate();
    for (const settle of running.waiting.values()) settle(undefined);
  }

  async #makeHere(keys: SealingKeys, orders: readonly ReportOrder[]): Promise<Uint8Array[]> {
    if (this.#maker?.keys.leader !== keys.leader || this.#maker.keys.helper !== keys.helper) {
      this.#maker = { keys, maker: this.#makerFor(keys) };
    }
    const maker = await this.#maker.maker;
    const reports: Uint8Array[] = [];
    for (const { measurement, timeMs, extensions } of orders) {
      const report = await maker.createReport(
        measurement as never,
        new Date(timeMs),
        this.#settings.random,
        extensions,
      );
      reports.push(Report.encode(report));
    }
    return reports;
  }

  /** The VDAFs are loaded with the first report: a page that shows something first can do so, and a worker loads its own. */
  async #makerFor(keys: SealingKeys): Promise<ReportMaker<never>> {
    const { makerFor } = await import('./report-maker.ts');
    return makerFor({ ...this.#parts(), ...keys });
  }

  /** Undefined when there is no worker for it, or it failed: then they are made here. */
  async #makeThere(keys: SealingKeys, orders: readonly ReportOrder[]): Promise<readonly Uint8Array[] | undefined> {
    const isMuch = this.#elements * orders.length >= this.#settings.workerThreshold;
    const running = isMuch ? this.#start() : undefined;
    if (running === undefined) return undefined;
    const { worker, waiting } = running;
    const id = this.#nextId++;
    const reply = await new Promise<ReportsReply | undefined>((resolve) => {
      waiting.set(id, resolve);
      worker.ref?.();
      try {
        worker.postMessage({ id, ...this.#parts(), leader: keys.leader, helper: keys.helper, orders });
      } catch {
        this.#lose(running);
      }
    });
    return reply !== undefined && 'reports' in reply ? reply.reports : undefined;
  }

  #parts(): { readonly taskId: Uint8Array; readonly version: Task['version']; readonly configuration: Uint8Array } {
    const { taskId, version, configuration } = this.#task;
    return { taskId, version, configuration: configuration.encoded };
  }

  #start(): Running | undefined {
    if (this.#running !== undefined || this.#isLost || this.#settings.worker === undefined) return this.#running;
    try {
      const running: Running = { worker: this.#settings.worker(), waiting: new Map() };
      onMessage(running.worker, (message) => this.#settle(running, message as ReportsReply));
      onFailure(running.worker, () => this.#lose(running));
      this.#running = running;
      return running;
    } catch {
      // A content security policy, for instance.
      this.#isLost = true;
      this.#settings.onEvent({ type: 'worker-lost' });
      return undefined;
    }
  }

  #settle({ worker, waiting }: Running, reply: ReportsReply): void {
    waiting.get(reply.id)?.(reply);
    waiting.delete(reply.id);
    if (waiting.size === 0) worker.unref?.();
  }

  #lose(running: Running): void {
    if (this.#running !== running) return;
    this.#isLost = true;
    this.close();
    this.#settings.onEvent({ type: 'worker-lost' });
  }
}

/** Elements of an encoded measurement, about: what the work of a client grows with. */
function elementsOf(configuration: VdafConfiguration): number {
  const bits = (max: number | bigint): number => BigInt(max).toString(2).length;
  switch (configuration.kind) {
    case 'sumVec':
      return configuration.length * bits(configuration.maxMeasurement);
    case 'histogram':
    case 'multihotCountVec':
      return configuration.length;
    case 'l1BoundSum':
      return configuration.length * bits(configuration.maxValue);
    case 'linReg': {
      const size = configuration.maxValues.length;
      return configuration.maxValues.reduce<number>((sum, max) => sum + bits(max), (size * (size + 1)) / 2);
    }
    case 'poplar1':
      return configuration.bits;
    case 'count':
    case 'sum':
    case 'unknown':
      return 1;
  }
}
