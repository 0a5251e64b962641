/** The module behind Prio3: what TypeScript calls. Addresses are chosen by the caller, above {@link heapStart}. */
export {
  bitWires128,
  inner128,
  multiply128,
  pairs128,
  powerSum128,
  smallProducts128,
  total128,
  weigh128,
} from './circuits128';
export { bitWires64, inner64, weigh64 } from './circuits64';
export { add128, canonical128, subtract128 } from './field128';
export { add64, canonical64, multiply64, subtract64 } from './field64';
export { decide128, flpWork128, prove128, query128 } from './flp128';
export { decide64, flpWork64, prove64, query64 } from './flp64';
export { encodeIntegers, encodeOneHot } from './integers';
export { table128, tableSize128 } from './transform128';
export { table64, tableSize64 } from './transform64';
export { wipe } from './scratch';
export { turboShake128 } from './stream';
export { expand128, expand64, expandPair128, expandPair64, seed, seedPair } from './xof';

/** First byte of memory that the module does not use itself. */
export function heapStart(): usize {
  return __heap_base;
}
