/**
 * A module beside another one, to be started as a process or thread. It has the ending of the one that asks: `.ts` in the
 * repository, `.js` in the published package, where no tool rewrites addresses.
 *
 * @param from - `import.meta.url` of the module that asks
 * @param name - without ending
 */
export function siblingModule(from: string, name: string): URL {
  return new URL(`./${name}${from.slice(from.lastIndexOf('.'))}`, from);
}
