/** The storage in memory, held to what every storage must do. */
import { MemoryAggregatorStore, MemoryTables } from '@privacy-edge/testing';
import { testAggregatorStore } from '@privacy-edge/testing/analytics-store-suite';

testAggregatorStore('memory', async () => {
  const tables = new MemoryTables();
  const first = new MemoryAggregatorStore(tables);
  return {
    stores: [first, new MemoryAggregatorStore(tables)],
    failNextCommit() {
      first.hook = () => {
        first.hook = undefined;
        throw new RangeError('The storage is gone');
      };
    },
    close: async () => {},
  };
});
