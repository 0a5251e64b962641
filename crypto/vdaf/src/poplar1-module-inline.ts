/** The module of Poplar1's kernel, compiled from the bytes in this package. */
import { POPLAR1_WASM } from './poplar1-wasm.ts';

/** Compiles the module. Pages need `'wasm-unsafe-eval'` in their content security policy for this. */
export function poplar1Module(): WebAssembly.Module {
  return new WebAssembly.Module(Uint8Array.from(atob(POPLAR1_WASM), (character) => character.charCodeAt(0)));
}
