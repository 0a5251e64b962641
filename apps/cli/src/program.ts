/** The command line: names, options and help. What commands do is imported only when one runs. */
import { Command } from 'commander';
import { addAnalyticsCommands } from './commands/analytics.ts';
import { addCompletion } from './commands/completion.ts';
import { addConfigCommands } from './commands/config.ts';
import { type CommandContext, withExamples } from './commands/context.ts';
import { addGatewayCommands } from './commands/gateway.ts';
import { addKeysCommands } from './commands/keys.ts';
import { addDemonstrations, addToolCommands } from './commands/tools.ts';
import { writeNote } from './output.ts';
import { packageVersion } from './package-version.ts';

/** Columns that help is wrapped at, unless the terminal is narrower. */
const HELP_WIDTH = 80;

/**
 * Builds the program.
 *
 * @param context - where the command that runs leaves its exit code
 */
export function createProgram(context: CommandContext): Command {
  const program = new Command('privacy-edge')
    .description('Run and use the services of a privacy edge, in which no single party can link who with what.')
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help for a command')
    .showSuggestionAfterError(true)
    .exitOverride()
    .configureOutput({
      getOutHelpWidth: () => Math.min(process.stdout.columns ?? HELP_WIDTH, HELP_WIDTH),
      getErrHelpWidth: () => Math.min(process.stderr.columns ?? HELP_WIDTH, HELP_WIDTH),
      outputError: (text) => writeNote(usageError(text)),
    })
    .configureHelp({
      showGlobalOptions: false,
      styleTitle: (title) => title,
      subcommandTerm: (command) => command.name(),
    });
  addDemonstrations(program, context);
  addGatewayCommands(program, context);
  addAnalyticsCommands(program, context);
  addKeysCommands(program, context);
  addConfigCommands(program, context);
  addToolCommands(program, context);
  addCompletion(program, context);
  withExamples(
    program,
    `privacy-edge up                         try everything on this machine
privacy-edge config init > privacy-edge.yaml
privacy-edge keys generate gateway-keys.json
privacy-edge gateway serve              run a gateway`,
  );
  return program;
}

/** Commander's sentence in the form of all our errors: what; why; what to do. */
function usageError(text: string): string {
  const [first = '', hint] = text
    .trim()
    .replace(/^error: /, '')
    .split('\n');
  const what = first.charAt(0).toUpperCase() + first.slice(1).replaceAll("'", '"');
  const why = hint === undefined ? '' : `; ${hint.replace(/^\(|\)$/g, '').replace(/^Did/, 'did')}`;
  return `privacy-edge: ${what}${why}; see --help\n`;
}
