export { MemoryReplayStore } from './memory-replay-store.ts';
export { createNetwork, type Network, type NetworkOptions, type Sightings } from './network.ts';
