/** `privacy-edge gateway …`: definitions; the work is in `../serve/`, `../fetch/` and `../discover/`. */
import type { Command } from 'commander';
import { Option } from 'commander';
import type { DiscoverOptions } from '../discover/command.ts';
import type { FetchOptions } from '../fetch/options.ts';
import type { ServeOptions } from '../serve/command.ts';
import { type CommandContext, collect, suggesting, withExamples } from './context.ts';

/** Adds the commands of the gateway product. */
export function addGatewayCommands(program: Command, context: CommandContext): void {
  const gateway = program
    .command('gateway')
    .summary('Oblivious HTTP: serve a gateway or a relay, fetch through them')
    .description('Oblivious HTTP: the relay knows who asks, the gateway knows what is asked, nobody knows both.');
  withExamples(gateway, 'privacy-edge gateway serve --config privacy-edge.yaml\nprivacy-edge gateway fetch --help');
  addServe(gateway, context, 'serve', 'gateway', 'run the gateway', 'Run the gateway of a configuration.');
  addServe(gateway, context, 'relay', 'relay', 'run the relay', 'Run the relay of a configuration.');
  addFetch(gateway, context);
  addDiscover(gateway, context);
}

function addServe(
  gateway: Command,
  context: CommandContext,
  verb: string,
  role: 'gateway' | 'relay',
  summary: string,
  description: string,
): void {
  const serve = gateway
    .command(verb)
    .summary(summary)
    .description(
      `${description} Prints one JSON line on standard output when it is ready. SIGTERM lets running requests finish, SIGHUP reads keys and certificates again.`,
    )
    .option('-c, --config <file>', 'configuration file (default: $PRIVACY_EDGE_CONFIG or privacy-edge.yaml)')
    .addOption(new Option('--ready-fd <number>', 'file descriptor for the ready line').default('1').hideHelp())
    .action(async (options: ServeOptions) => {
      context.exitCode = await (await import('../serve/command.ts')).serve(role, options);
    });
  withExamples(
    serve,
    `privacy-edge gateway ${verb} --config privacy-edge.yaml\nPRIVACY_EDGE_${role.toUpperCase()}_PORT=443 privacy-edge gateway ${verb}`,
  );
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY'];

function addFetch(gateway: Command, context: CommandContext): void {
  const fetch = gateway
    .command('fetch')
    .summary('send one request through a relay and a gateway')
    .description(
      'Send one HTTP request so that the relay does not see what is asked, and the gateway does not see who asks. Exits 0 for any answer of the target, unless --fail is given.',
    )
    .argument('<url>', 'URL of the target resource')
    .requiredOption('--relay <url>', 'the relay resource that belongs to the gateway')
    .option('--gateway <url>', 'the gateway resource; says where keys are when --keys does not')
    .option('--keys <url|file>', 'where the key configurations are (default: from --gateway by GET)')
    .option(
      '--pin <digest>',
      'SHA-256 of the list or of one key as "keys export" prints it, or in hex or base64url; other keys are refused',
    )
    .addOption(suggesting(METHODS, new Option('-X, --request <method>', 'method (default: GET, or POST with --data)')))
    .option('-H, --header <field>', 'header field such as "Accept: text/html"; may be repeated', collect)
    .option('-d, --data <data>', 'request content; @FILE reads a file, @- standard input')
    .option('-o, --output <file>', 'file to write the content to (default: standard output)')
    .option('-i, --include', 'print status and header fields before the content')
    .option('-f, --fail', 'exit 1 when the target answers 400 or above')
    .option('--chunked', 'stream the answer as it arrives')
    .option('--cacert <file>', 'PEM file with further certificate authorities to trust')
    .option('--max-time <seconds>', 'give up after this long, such as 30 or 30s', '30')
    .option('-v, --verbose', 'show steps and sizes on standard error')
    .option('--json', 'print status, fields and content as one JSON document')
    .action(async (url: string, options: FetchOptions) => {
      context.exitCode = await (await import('../fetch/command.ts')).gatewayFetch(url, options);
    });
  withExamples(
    fetch,
    `privacy-edge gateway fetch https://api.example.com/v1/status \\
  --relay https://relay.example/example --gateway https://gateway.example.com/.well-known/ohttp-gateway
privacy-edge gateway fetch https://api.example.com/v1/items -d '{"a":1}' \\
  -H 'Content-Type: application/json' --relay https://relay.example/example --keys keys.ohttp-keys`,
  );
}

function addDiscover(gateway: Command, context: CommandContext): void {
  const discover = gateway
    .command('discover')
    .summary('ask a target whether it has a gateway')
    .description(
      'Ask a target whether it has an Oblivious HTTP gateway, at its well-known address and in DNS (RFC 9540), before it goes into the configuration of a relay.',
    )
    .argument('<origin>', 'https origin of the target, such as https://target.example')
    .option('--resolver <address>', 'DNS resolver to ask, with an optional port (default: those of the system)')
    .option('--no-dns', 'do not look for a service record')
    .option('--cacert <file>', 'PEM file with further certificate authorities to trust')
    .option('--allow-private', 'whether the target may be on a private or loopback address')
    .option('--json', 'print one JSON document')
    .action(async (origin: string, options: DiscoverOptions) => {
      context.exitCode = await (await import('../discover/command.ts')).gatewayDiscover(origin, options);
    });
  withExamples(discover, 'privacy-edge gateway discover https://api.example.com');
}
