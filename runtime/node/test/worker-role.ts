/** The role that workers.test.ts runs in threads. */
import {
  attachReplayTable,
  createMetrics,
  joinWorkers,
  type ReplayTableHandle,
  systemClock,
  type WorkerHost,
} from '../src/index.ts';

interface Order {
  readonly remember?: string;
  readonly crash?: boolean;
}

const metrics = createMetrics({ processMetrics: false });
metrics.counter({ name: 'worker_total', help: 'x', labels: {} });

interface Data {
  readonly replay?: ReplayTableHandle;
  readonly fail?: boolean;
  readonly stubborn?: boolean;
  readonly say?: string;
}

const host: WorkerHost<Data> = joinWorkers<Data>({
  drain: (): Promise<unknown> => (host.data.stubborn ? new Promise(() => undefined) : Promise.resolve()),
  metrics: () => metrics.snapshot(),
  onMessage: (message) => {
    const { remember, crash } = message as Order;
    const { replay } = host.data;
    if (remember !== undefined && replay !== undefined) {
      host.tell(attachReplayTable(replay, systemClock).remember(Buffer.from(remember)));
    }
    if (crash) throw new TypeError('planned');
  },
});

if (host.data.fail) process.exit(3);
if (host.data.say !== undefined) host.tell(host.data.say);
host.ready();
