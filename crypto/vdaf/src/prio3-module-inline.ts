/** The module of Prio3's kernel, compiled from the bytes in this package. */
import { PRIO3_WASM } from './prio3-wasm.ts';

/** Compiles the module. Pages need `'wasm-unsafe-eval'` in their content security policy for this. */
export function prio3Module(): WebAssembly.Module {
  const binary = atob(PRIO3_WASM);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return new WebAssembly.Module(bytes);
}
