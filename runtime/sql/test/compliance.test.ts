/** Both engines against the suite that every storage has to pass. */
import { after } from 'node:test';
import { Secret } from '@privacy-edge/bytes';
import { testAggregatorStore } from '@privacy-edge/testing/analytics-store-suite';
import type { SqlStore } from '../src/index.ts';
import { backends, openStore } from './backends.ts';
import { fill } from './stores.ts';

/** Opening takes longer than a test: all of them share two instances. */
async function empty(store: SqlStore): Promise<void> {
  for (const { task } of await store.listTasks(undefined, 1000)) await store.deleteTask(task.taskId);
  for (const { configId, state } of await store.readHpkeKeys()) {
    await store.moveHpkeKey(configId, state, 'expired', new Date(0));
    await store.deleteHpkeKey(configId);
  }
}

for (const backend of backends()) {
  if (!(await backend.start())) continue;
  const address = await backend.create();
  const columnKeys = [new Secret(fill(9, 32))];
  const stores = [
    await openStore(backend.name, address, { columnKeys }),
    await openStore(backend.name, address, { columnKeys }),
  ] as const;
  after(async () => {
    await Promise.all(stores.map((store) => store.close()));
    await backend.stop();
  });
  testAggregatorStore(backend.name, async () => {
    await empty(stores[0]);
    return { stores, close: async () => undefined };
  });
}
