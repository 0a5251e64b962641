/** The module of Poplar1's kernel, for runtimes that refuse to compile bytes and import modules instead. */
import module from './poplar1.wasm';

/** The module as the runtime has compiled it. */
export function poplar1Module(): WebAssembly.Module {
  return module;
}
