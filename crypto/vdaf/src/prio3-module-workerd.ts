/** The module of Prio3's kernel, for runtimes that refuse to compile bytes and import modules instead. */
import module from './prio3.wasm';

/** The module as the runtime has compiled it. */
export function prio3Module(): WebAssembly.Module {
  return module;
}
