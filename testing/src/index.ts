export { MemoryAggregatorStore, type TransactionHook } from './memory-aggregator-store.ts';
export { MemoryReplayStore } from './memory-replay-store.ts';
export { MemoryTables } from './memory-tables.ts';
export { createNetwork, type Network, type NetworkOptions, type Sightings } from './network.ts';
