/** `privacy-edge completion <shell>`, and the hidden `complete` that the shells call back. */
import type { Command } from 'commander';
import { Argument } from 'commander';
import { ExitCode } from '../exit-code.ts';
import { type CommandContext, withExamples } from './context.ts';

/** Adds shell completion. */
export function addCompletion(program: Command, context: CommandContext): void {
  const completion = program
    .command('completion')
    .summary('print shell completion for bash, zsh or fish')
    .description('Print a script that teaches a shell to complete commands and options.')
    .addArgument(new Argument('<shell>', 'shell to write for').choices(['bash', 'zsh', 'fish']))
    .action(async (shell: string) => {
      (await import('../completion.ts')).printCompletionScript(shell);
      context.exitCode = ExitCode.OK;
    });
  withExamples(
    completion,
    `bash:  privacy-edge completion bash > ~/.local/share/bash-completion/completions/privacy-edge
zsh:   privacy-edge completion zsh > "\${fpath[1]}/_privacy-edge"
fish:  privacy-edge completion fish > ~/.config/fish/completions/privacy-edge.fish`,
  );
  program
    .command('complete', { hidden: true })
    .argument('[words...]')
    .allowUnknownOption()
    .helpOption(false)
    .action(async (words: string[]) => {
      (await import('../completion.ts')).printCompletions(program, words);
      context.exitCode = ExitCode.OK;
    });
}
