/** The foreign VDAFs, for benches. */

export { jobOf, type PrioPeer, startPrio, written } from './prio.ts';
export { loadPrio3, type Prio3Instance } from './prio3.ts';
