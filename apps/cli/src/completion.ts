/** Shell completion from the commands themselves, so that it cannot be out of date. */
import tab, { ShellCompDirective } from '@bomb.sh/tab';
import type { Argument, Command, Option } from 'commander';
import { suggestionsOf } from './commands/context.ts';
import { writeOut } from './output.ts';

/** Prints the script for a shell. It calls `privacy-edge complete -- …` for every Tab. */
export function printCompletionScript(shell: string): void {
  if (shell === 'bash') writeOut(BASH);
  else tab.setup('privacy-edge', 'privacy-edge', shell);
}

/**
 * The library's script for bash never offers files, evaluates what is being typed, and needs functions of the bash-completion
 * package. Ours needs bash 4 alone. After an equals sign, which bash takes for the end of a word, only the value counts.
 */
const BASH = `# bash completion for privacy-edge

_privacy_edge() {
    local line="\${COMP_LINE:0:COMP_POINT}" words=() replies=() reply typed directive
    read -ra words <<< "$line"
    [[ "$line" == *[[:space:]] ]] && words+=("")
    typed="\${words[-1]}"
    [[ "$typed" == -*=* ]] && typed="\${typed#*=}"
    mapfile -t replies < <(privacy-edge complete -- "\${words[@]:1}" 2> /dev/null)
    COMPREPLY=()
    (( \${#replies[@]} > 0 )) || return 0
    directive="\${replies[-1]#:}"
    unset 'replies[-1]'
    for reply in "\${replies[@]}"; do
        reply="\${reply%%$'\\t'*}"
        [[ "$reply" == "$typed"* ]] && COMPREPLY+=("$reply")
    done
    # Without replies the shell offers files, unless there can be none.
    if (( directive & ${ShellCompDirective.ShellCompDirectiveNoFileComp} )); then compopt +o default; fi
}

complete -o default -F _privacy_edge privacy-edge
`;

/**
 * Prints what may come next.
 *
 * @param words - what is on the command line after the program's name; the last one is being typed
 */
export function printCompletions(program: Command, words: readonly string[]): void {
  if (takesFile(program, words)) {
    // The shell knows better what files there are.
    writeOut(`:${ShellCompDirective.ShellCompDirectiveDefault}\n`);
    return;
  }
  describe(program, '');
  tab.parse([...words]);
}

/** Whether the last word is, or becomes, the name of a file or a folder. */
function takesFile(program: Command, words: readonly string[]): boolean {
  const typed = words.at(-1) ?? '';
  let command = program;
  let option: Option | undefined;
  let positionals = 0;
  for (const word of words.slice(0, -1)) {
    if (option !== undefined) option = undefined;
    else if (word.startsWith('-')) option = valueOption(command, word);
    else {
      const child = positionals === 0 ? command.commands.find((one) => one.name() === word) : undefined;
      if (child === undefined) positionals++;
      else command = child;
    }
  }
  if (option !== undefined) return isFile(option.flags);
  if (typed.startsWith('-')) return typed.includes('=') && isFile(optionOf(command, typed)?.flags ?? '');
  const argument = command.registeredArguments[positionals];
  return argument !== undefined && isFile(`<${argument.name()}>`);
}

/** The option of a word that leaves its value to the next one. */
function valueOption(command: Command, word: string): Option | undefined {
  const option = optionOf(command, word);
  return option !== undefined && takesValue(option) && !word.includes('=') ? option : undefined;
}

function optionOf(command: Command, word: string): Option | undefined {
  const [name] = word.split('=', 1);
  return command.options.find(({ long, short }) => long === name || short === name);
}

/** Placeholders are written by us: `<file>`, `<url|file>`, `<dir>`. */
function isFile(flags: string): boolean {
  return /[<|](?:file|dir)[>|]/.test(flags);
}

function describe(command: Command, path: string): void {
  const target = path === '' ? tab : tab.command(path, command.summary() || command.description());
  for (const option of command.createHelp().visibleOptions(command)) {
    if (option.long === undefined || option.long === null) continue;
    const name = option.long.slice(2);
    const short = option.short?.slice(1);
    if (takesValue(option)) target.option(name, option.description, (add) => offer(option, add), short);
    else target.option(name, option.description, short);
  }
  for (const argument of command.registeredArguments) {
    target.argument(argument.name(), (add) => offer(argument, add), argument.variadic);
  }
  for (const child of command.createHelp().visibleCommands(command)) {
    if (child.name() !== 'help') describe(child, path === '' ? child.name() : `${path} ${child.name()}`);
  }
}

function takesValue(option: Option): boolean {
  return option.required || option.optional;
}

function offer(taker: Argument | Option, add: (value: string, description: string) => void): void {
  for (const value of suggestionsOf(taker)) add(value, '');
}
