/** What `workerd` and bundlers for it make of an imported module. */
declare module '*.wasm' {
  const module: WebAssembly.Module;

  // biome-ignore lint/style/noDefaultExport: it is how a module comes.
  export { module as default };
}
