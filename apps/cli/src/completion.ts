/** Shell completion from the commands themselves, so that it cannot be out of date. */
import tab from '@bomb.sh/tab';
import type { Command, Option } from 'commander';

/** Prints the script for a shell. It calls `privacy-edge complete -- …` for every Tab. */
export function printCompletionScript(shell: string): void {
  tab.setup('privacy-edge', 'privacy-edge', shell);
}

/**
 * Prints what may come next.
 *
 * @param words - what is on the command line after the program's name; the last one is being typed
 */
export function printCompletions(program: Command, words: readonly string[]): void {
  describe(program, '');
  tab.parse([...words]);
}

function describe(command: Command, path: string): void {
  const target = path === '' ? tab : tab.command(path, command.summary() || command.description());
  for (const option of command.createHelp().visibleOptions(command)) {
    if (option.long === undefined || option.long === null) continue;
    const name = option.long.slice(2);
    const short = option.short?.slice(1);
    const values = option.argChoices;
    if (takesValue(option)) target.option(name, option.description, (add) => offer(values, add), short);
    else target.option(name, option.description, short);
  }
  for (const argument of command.registeredArguments) {
    target.argument(argument.name(), (add) => offer(argument.argChoices, add), argument.variadic);
  }
  for (const child of command.createHelp().visibleCommands(command)) {
    if (child.name() !== 'help') describe(child, path === '' ? child.name() : `${path} ${child.name()}`);
  }
}

function takesValue(option: Option): boolean {
  return option.required || option.optional;
}

function offer(values: readonly string[] | undefined, add: (value: string, description: string) => void): void {
  for (const value of values ?? []) add(value, '');
}
