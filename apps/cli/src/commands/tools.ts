/** `up`, `inspect`, `conformance`, `version`: definitions. */
import type { Command } from 'commander';
import { Argument, Option } from 'commander';
import type { InspectOptions } from '../inspect/command.ts';
import type { ProveOptions } from '../prove/command.ts';
import type { UpOptions } from '../up/command.ts';
import { type CommandContext, suggesting, withExamples } from './context.ts';

/** Adds the commands that belong to no single product. */
export function addToolCommands(program: Command, context: CommandContext): void {
  addInspect(program, context);
  addConformance(program, context);
  const version = program
    .command('version')
    .summary('show versions of this program and its runtime')
    .description('Show the versions of this program, of Node and of OpenSSL.')
    .option('--json', 'print JSON')
    .action(async (options: { json?: boolean }) => {
      context.exitCode = await (await import('../version.ts')).showVersion(options);
    });
  withExamples(version, 'privacy-edge version --json');
}

/** Adds `up` and `prove`. */
export function addDemonstrations(program: Command, context: CommandContext): void {
  addUp(program, context);
  addProve(program, context);
}

function addUp(program: Command, context: CommandContext): void {
  const up = program
    .command('up')
    .summary('start everything on this machine and show who sees what')
    .description(
      'Start a relay, a gateway and a demo target, then a leader and a helper with databases of their own, as separate processes on loopback. Send real requests, report a public data set for three private measurements, and print the results beside those in the clear, and what each party saw. Then stay up until Ctrl-C.',
    )
    .option('--once', 'stop after the table; exit 0 only if everything really worked')
    .option('--json', 'print one JSON document on standard output and nothing else (implies --once)')
    .action(async (options: UpOptions) => {
      context.exitCode = await (await import('../up/command.ts')).up(options);
    });
  withExamples(up, 'privacy-edge up\nprivacy-edge up --once --json');
}

function addProve(program: Command, context: CommandContext): void {
  const prove = program
    .command('prove')
    .summary('search everything that each party gets for what it must not know')
    .description(
      'Run relay, gateway and target as separate processes on loopback, send distinctive values through them, also by requests that fail, and look for these in all that each party received, answered, logged, shows, keeps in files or has in memory. Exits 1 when a party has what it must not know, or lacks what it needs, which would mean that nothing was tested.',
    )
    .option('--json', 'print one JSON document on standard output and nothing else')
    .action(async (options: ProveOptions) => {
      context.exitCode = await (await import('../prove/command.ts')).prove(options);
    });
  withExamples(prove, 'privacy-edge prove\nprivacy-edge prove --json');
}

const MEDIA_TYPES = ['application/ohttp-keys', 'message/bhttp', 'message/ohttp-req', 'message/ohttp-chunked-req'];

const DAP_MESSAGES = [
  'hpke-config-list',
  'upload-req',
  'upload-errors',
  'aggregation-job-init-req',
  'aggregation-job-resp',
  'aggregation-job-continue-req',
  'aggregate-share-req',
  'aggregate-share',
  'collection-job-req',
  'collection-job-resp',
].map((name) => `application/ppm-dap;message=${name}`);

function addInspect(program: Command, context: CommandContext): void {
  const inspect = program
    .command('inspect')
    .summary('decode a message and print what is in it')
    .description(
      'Decode a message of the protocols of this kit and print it as a tree. Without --media-type the format is guessed, but for messages of DAP.',
    )
    .argument('[file]', 'file to read; - for standard input', '-')
    .addOption(
      suggesting(
        [...MEDIA_TYPES, ...DAP_MESSAGES],
        new Option('-t, --media-type <type>', `${MEDIA_TYPES.join(', ')} or application/ppm-dap;message=NAME`),
      ),
    )
    .option('--key-file <file>', 'key file of the gateway, to open an encapsulated request')
    .option('--hex', 'the input is hexadecimal text')
    .option('--json', 'print JSON')
    .action(async (file: string, options: InspectOptions) => {
      context.exitCode = await (await import('../inspect/command.ts')).inspect(file, options);
    });
  withExamples(
    inspect,
    'curl -s https://gateway.example.com/ohttp-keys | privacy-edge inspect -t application/ohttp-keys\nprivacy-edge inspect request.ohttp-req --key-file gateway-keys.json\ncurl -s https://leader.example/dap/hpke_config \\\n  | privacy-edge inspect -t "application/ppm-dap;message=hpke-config-list"',
  );
}

function addConformance(program: Command, context: CommandContext): void {
  const conformance = program
    .command('conformance')
    .summary('run a folder of test vectors through this implementation')
    .description(
      'Run every vector file in a folder. The kind of a file follows from its path; sizes, suites and expected results come from the file itself. What this kit refuses on purpose passes only on exactly that refusal.',
    )
    .addArgument(
      suggesting(['ohttp', 'vdaf', 'dap'], new Argument('<area>', 'what the vectors are about: ohttp, vdaf or dap')),
    )
    .requiredOption('--vectors <dir>', 'folder with vector files; *.md is ignored, any other unknown file fails')
    .option('-v, --verbose', 'list every vector, not only failures')
    .option('--json', 'print JSON')
    .action(async (area: string, options: { vectors: string; verbose?: boolean; json?: boolean }) => {
      context.exitCode = await (await import('../conformance/command.ts')).conformance(area, options);
    });
  withExamples(conformance, 'privacy-edge conformance ohttp --vectors ./vectors/ohttp');
}
