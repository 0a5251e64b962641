/** `privacy-edge config …`: definitions; the work is in `../config/`. */
import type { Command } from 'commander';
import { Option } from 'commander';
import type { SampleKind } from '../config/sample.ts';
import { type CommandContext, withExamples } from './context.ts';

/** Adds the commands about configuration. */
export function addConfigCommands(program: Command, context: CommandContext): void {
  const config = program
    .command('config')
    .summary('check, print and start configurations')
    .description('Work with the one YAML file that configures a deployment.');
  withExamples(config, 'privacy-edge config init > privacy-edge.yaml\nprivacy-edge config check');

  const check = config
    .command('check')
    .summary('say what is wrong, with line and column')
    .description(
      'Check a configuration: syntax, every key, and keys against one another, and the files that it names. Warnings do not fail.',
    )
    .option('-c, --config <file>', 'configuration file (default: $PRIVACY_EDGE_CONFIG or privacy-edge.yaml)')
    .option('--no-files', 'do not look at the files that it names, as on another machine')
    .option('--json', 'print the result as one JSON document')
    .action(async (options: { config?: string; files?: boolean; json?: boolean }) => {
      context.exitCode = await (await import('../config/commands.ts')).configCheck(options);
    });
  withExamples(check, 'privacy-edge config check\nprivacy-edge config check --config edge.yaml --json');

  const print = config
    .command('print')
    .summary('show all keys as they will be used')
    .description('Print the configuration with defaults and environment filled in. Secrets are never shown.')
    .option('-c, --config <file>', 'configuration file (default: $PRIVACY_EDGE_CONFIG or privacy-edge.yaml)')
    .option('--json', 'print JSON instead of YAML')
    .action(async (options: { config?: string; json?: boolean }) => {
      context.exitCode = await (await import('../config/commands.ts')).configPrint(options);
    });
  withExamples(print, 'privacy-edge config print\nPRIVACY_EDGE_GATEWAY_PORT=443 privacy-edge config print');

  const schema = config
    .command('schema')
    .summary('print the JSON Schema that editors use')
    .description('Print the JSON Schema of the configuration file; editors complete and check with it.')
    .action(async () => {
      context.exitCode = await (await import('../config/commands.ts')).configSchema();
    });
  withExamples(schema, 'privacy-edge config schema > privacy-edge.schema.json');

  const init = config
    .command('init')
    .summary('print a commented sample to start from')
    .description('Print a commented sample configuration.')
    .addOption(
      new Option('--for <roles>', 'roles that it should have')
        .choices(['gateway', 'relay', 'both', 'leader', 'helper'])
        .default('both'),
    )
    .action(async (options: { for: SampleKind }) => {
      context.exitCode = await (await import('../config/commands.ts')).configInit(options.for);
    });
  withExamples(init, 'privacy-edge config init --for gateway > privacy-edge.yaml');
}
