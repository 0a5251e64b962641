/** `privacy-edge analytics leader` and `helper`: definitions; the work is in `../serve/`. */
import type { Command } from 'commander';
import { Option } from 'commander';
import type { ServeOptions } from '../serve/command.ts';
import { type CommandContext, withExamples } from './context.ts';

/** Adds the commands that serve the aggregators. */
export function addAnalyticsServe(analytics: Command, context: CommandContext): void {
  addAggregator(
    analytics,
    context,
    'leader',
    'takes reports, aggregates them with the helper and answers the collector',
  );
  addAggregator(analytics, context, 'helper', 'verifies and sums its shares of the reports');
}

function addAggregator(analytics: Command, context: CommandContext, role: 'leader' | 'helper', what: string): void {
  const section = role === 'leader' ? 'analyticsLeader' : 'analyticsHelper';
  const serve = analytics
    .command(role)
    .summary(`run the ${role}`)
    .description(
      `Run the ${role} of a configuration, which ${what}. Prints one JSON line on standard output when it is ready. SIGTERM lets running requests and steps finish, SIGHUP reads tasks and certificates again.`,
    )
    .option('-c, --config <file>', 'configuration file (default: $PRIVACY_EDGE_CONFIG or privacy-edge.yaml)')
    .addOption(new Option('--ready-fd <number>', 'file descriptor for the ready line').default('1').hideHelp())
    .action(async (options: ServeOptions) => {
      context.exitCode = await (await import('../serve/command.ts')).serve(section, options);
    });
  withExamples(
    serve,
    `privacy-edge config init --for ${role} > ${role}.yaml\nprivacy-edge analytics ${role} --config ${role}.yaml`,
  );
}
