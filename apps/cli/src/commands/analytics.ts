/** `privacy-edge analytics …`: definitions; the work is in `../analytics/`. */
import { Argument, type Command, Option } from 'commander';
import type { CollectCommandOptions } from '../analytics/collect.ts';
import type { NewTaskOptions } from '../analytics/new-task.ts';
import type { RoundsOptions } from '../analytics/rounds.ts';
import type { UploadOptions } from '../analytics/upload.ts';
import { addAnalyticsServe } from './analytics-serve.ts';
import { type CommandContext, collect, suggesting, withExamples } from './context.ts';

/** Adds the commands of the analytics product. */
export function addAnalyticsCommands(program: Command, context: CommandContext): void {
  const analytics = program
    .command('analytics')
    .summary('private measurement: make tasks, report, collect')
    .description(
      'Measure what people do without learning what any of them does: an app reports values, two aggregators each get one half of every report, which says nothing by itself, and a collector gets sums. DAP with Prio3 and Poplar1.',
    );
  withExamples(
    analytics,
    `privacy-edge analytics task new reading-time --title "Reading time" --statistic mean \\
  -p lo=0 -p hi=60 -p step=0.5 -p unit=min --min-batch 100 \\
  --leader https://leader.example/dap --helper https://helper.example
privacy-edge analytics upload --task reading-time/task.json --input times.csv
privacy-edge analytics collect --task reading-time/collector.json \\
  --from 2026-05-01 --to 2026-05-02`,
  );
  addTask(analytics, context);
  addUpload(analytics, context);
  addCollect(analytics, context);
  addRounds(analytics, context);
  addAnalyticsServe(analytics, context);
}

function addTask(analytics: Command, context: CommandContext): void {
  const task = analytics
    .command('task')
    .summary('make, show and list tasks')
    .description('Tasks: what is measured, by whom, and under which promises.');
  withExamples(task, 'privacy-edge analytics task new --help\nprivacy-edge analytics task show reading-time/task.json');
  addNew(task, context);

  const show = task
    .command('show')
    .summary('print everything about a task but its secrets')
    .description(
      'Print what a task file says, how long its reports are, what its noise will do to results, and which secrets the file holds.',
    )
    .argument('<file>', 'task file of any party')
    .option('--json', 'print JSON')
    .action(async (file: string, options: { json?: boolean }) => {
      context.exitCode = await (await import('../analytics/show-task.ts')).showTask(file, options);
    });
  withExamples(show, 'privacy-edge analytics task show reading-time/leader.json');

  const list = task
    .command('list')
    .summary('list the tasks in a folder')
    .description('List the tasks in a folder and in those directly below it, each once, with whose files there are.')
    .addArgument(new Argument('[dir]', 'folder to look into').default('.'))
    .option('--json', 'print JSON')
    .action(async (folder: string, options: { json?: boolean }) => {
      context.exitCode = await (await import('../analytics/show-task.ts')).listTasks(folder, options);
    });
  withExamples(list, 'privacy-edge analytics task list tasks');

  const key = task
    .command('key')
    .summary('make a key for a collector who keeps it')
    .description(
      'Write a private key for results into a file, mode 600, and print its public part, for whoever makes tasks with --collector-key.',
    )
    .argument('<file>', 'key file to write')
    .option('--json', 'print the public part and nothing else')
    .action(async (file: string, options: { json?: boolean }) => {
      context.exitCode = await (await import('../analytics/new-task.ts')).newCollectorKey(file, options);
    });
  withExamples(key, 'privacy-edge analytics task key collector-key.json --json > collector-public.json');
}

const STATISTICS = [
  'count',
  'mean',
  'histogram',
  'flags',
  'common-words',
  'prefix-round',
  'poplar1',
  'linear-regression',
];

function addNew(task: Command, context: CommandContext): void {
  const create = task
    .command('new')
    .summary('make a task and one file for each of its parties')
    .description(
      'Make a task, its secrets and the key of its collector, and write one file for each party into a folder: task.json for everybody, leader.json, helper.json and collector.json, mode 600. Says what to hand to whom.',
    )
    .argument('<dir>', 'folder to write into; nothing is overwritten')
    .option('-d, --description <file>', 'YAML or JSON with what the options say, which win over it');
  describing(create)
    .option('--collector-key <file>', 'public key of a collector who keeps the private one; see "task key"')
    .option('--publish-leader <dir>', 'put the file of the leader into the folder that it watches, too')
    .option('--publish-helper <dir>', 'put the file of the helper into the folder that it watches, too')
    .option('--json', 'print identifier and files as JSON')
    .action(async (folder: string, options: NewTaskOptions) => {
      context.exitCode = await (await import('../analytics/new-task.ts')).newTask(folder, options);
    });
  create.addHelpText('after', PARAMETERS);
  withExamples(
    create,
    `privacy-edge analytics task new reading-time --title "Reading time" --statistic mean \\
  -p lo=0 -p hi=60 -p step=0.5 -p unit=min --min-batch 100 \\
  --leader https://leader.example/dap --helper https://helper.example
privacy-edge analytics task new ages --description ages.yaml --epsilon 1/2
privacy-edge analytics task new browsers ... --statistic common-words -p words=@browsers.txt`,
  );
}

const PARAMETERS = `
Parameters of statistics (-p):
  count              none
  mean               lo, hi, step; unit, outside (clip or refuse)
  histogram          boundaries, outside (separate, clip or refuse);
                     or categories, other (true or false)
  flags              names; maxWeight
  common-words       words; ignoreCase
  prefix-round       plan
  poplar1            maxBytes, bitsPerRound, minCount, maxPrefixes
  linear-regression  features, target: each with name, lo, hi, step`;

/** Options that describe a task. */
function describing(command: Command): Command {
  return command
    .option('--title <text>', 'what is measured, for people')
    .addOption(suggesting(STATISTICS, new Option('--statistic <kind>', `${STATISTICS.join(', ')}`)))
    .option(
      '-p, --parameter <name=value>',
      'parameter of the statistic, YAML or @FILE with lines; may be repeated',
      collect,
    )
    .option('--leader <url>', 'URL of the leader')
    .option('--helper <url>', 'URL of the helper')
    .option('--min-batch <reports>', 'no batch of fewer reports is collected')
    .option('--time-precision <duration>', 'unit of all times, smallest batch by time (default: 1h)')
    .addOption(
      new Option('--batch-mode <mode>', 'who chooses batches (default: time-interval)').choices([
        'time-interval',
        'leader-selected',
      ]),
    )
    .option('--from <time>', 'reports from before are refused')
    .option('--to <time>', 'reports from then on are refused')
    .option('--epsilon <budget>', 'discrete Laplace noise with this budget, such as 1 or 1/2')
    .option('--rho <budget>', 'discrete Gaussian noise with this budget, zCDP')
    .addOption(
      new Option('--adjacency <change>', 'what the noise hides (default: substitution)').choices([
        'substitution',
        'addition',
      ]),
    );
}

/** Options that say how aggregators are reached. */
function reaching(command: Command, maxTime: string): Command {
  return command
    .option('--cacert <file>', 'PEM file with further certificate authorities to trust')
    .option('--max-time <seconds>', 'give up on one answer after this long', maxTime)
    .option('-v, --verbose', 'show steps on standard error');
}

function addUpload(analytics: Command, context: CommandContext): void {
  const upload = analytics
    .command('upload')
    .summary('report values from a file or the command line')
    .description(
      'Report values: those of the command line, or one for each row of CSV (RFC 4180, with a header) or each line of JSON. Rows that cannot be measured are named by line and reason, the others are reported; the exit code is 1 then. Values are never printed, unless --verbose is given.',
    )
    .argument('[values...]', 'values such as 12.5, yes, a,b for flags, or age=44,pressure=128.5')
    .requiredOption('--task <file>', 'task file of any party')
    .option('-i, --input <file>', 'file to read; - for standard input')
    .addOption(
      new Option('--input-format <format>', 'how the input is written (default: by its name, else csv)').choices([
        'csv',
        'jsonl',
      ]),
    )
    .option('--column <name>', 'column or member; VARIABLE=COLUMN where a value has several; may be repeated', collect)
    .option('--start-line <number>', 'skip what stands before, to go on after a failure')
    .option('--time <time>', 'when all of it was measured (default: now)')
    .option('--dry-run', 'measure, but report nothing')
    .option('--relay <url>', 'reach leader and helper through this Oblivious HTTP relay')
    .option('--gateway <url>', 'the gateway resource behind the relay')
    .option('--keys <url|file>', 'where the keys of the gateway are (default: from --gateway by GET)')
    .option('--pin <digest>', 'SHA-256 of the keys of the gateway; others are refused');
  reaching(upload, '30')
    .option('--json', 'print the result as one JSON document')
    .action(async (values: string[], options: UploadOptions) => {
      context.exitCode = await (await import('../analytics/upload.ts')).upload(values, options);
    });
  withExamples(
    upload,
    `privacy-edge analytics upload --task reading-time/task.json 12.5 3 47.5
privacy-edge analytics upload --task reading-time/task.json --input times.csv --column minutes
privacy-edge analytics upload --task health/task.json -i study.csv --column pressure=systolic
zcat visits.jsonl.gz | privacy-edge analytics upload --task visits/task.json -i - \\
  --input-format jsonl --column seconds`,
  );
}

function addCollect(analytics: Command, context: CommandContext): void {
  const command = analytics
    .command('collect')
    .summary('get the result of a batch')
    .description(
      'Ask the leader for a batch, open the shares of both aggregators with the private key, which stays here, and print what they say. The same command finds the same job again.',
    )
    .requiredOption('--task <file>', 'collector.json of the task')
    .option('--key <file>', 'key file, where the private key is not in collector.json')
    .option('--from <time>', 'begin of the batch, such as 2026-05-01T12:00Z, or 2026-05-01 for midnight UTC')
    .option('--to <time>', 'end of the batch, not included')
    .option('--next', 'the next batch, where the leader chooses batches; it can be had once')
    .option('--wait [duration]', 'how long to wait until the leader is ready; 0 asks once, alone: without end', '1m')
    .addOption(
      new Option('--format <format>', 'how to write it (default: by the name of --output, else table)').choices([
        'table',
        'csv',
        'json',
        'svg',
      ]),
    )
    .option('-o, --output <file>', 'file to write to (default: standard output); a plot is SVG')
    .option('--top <number>', 'most strings and flags that a table lists', '40')
    .option('--confidence <share>', 'of intervals of regressions', '0.95')
    .addOption(new Option('--dependent <what>', 'features that depend on others exactly').choices(['refuse', 'drop']))
    .addOption(new Option('--repair <how>', 'correlations that noise has made impossible').choices(['ridge', 'clip']));
  reaching(command, '60').action(async (options: CollectCommandOptions) => {
    context.exitCode = await (await import('../analytics/collect.ts')).collectResult(options);
  });
  withExamples(
    command,
    `privacy-edge analytics collect --task reading-time/collector.json \\
  --from 2026-05-01 --to 2026-05-02 --wait 10m
privacy-edge analytics collect --task ages/collector.json --next --wait --output ages.svg`,
  );
}

function addRounds(analytics: Command, context: CommandContext): void {
  const rounds = analytics
    .command('rounds')
    .summary('find common strings that nobody knows before, on any DAP service')
    .description(
      'Go down the tree of all strings with one histogram task after the other, each over reports of its own. Tasks are put into the folders that leader and helper watch; clients read current.json, which is the task of the round. Run it again to go on where it has stopped.',
    )
    .argument('<dir>', 'folder for tasks, key and state')
    .option('-d, --description <file>', 'YAML or JSON with what the options say, which win over it');
  describing(rounds)
    .requiredOption('--publish-leader <dir>', 'folder in which the leader looks for tasks')
    .requiredOption('--publish-helper <dir>', 'folder in which the helper looks for tasks')
    .option('--round-time <duration>', 'how long a round takes reports, where batches are intervals')
    .option('--wait <duration>', 'how long aggregators may take until they know a new task', '5m')
    .option('--top <number>', 'most strings that the table lists', '40');
  reaching(rounds, '60')
    .option('--json', 'print the result as JSON')
    .action(async (folder: string, options: RoundsOptions) => {
      context.exitCode = await (await import('../analytics/rounds.ts')).prefixRounds(folder, options);
    });
  withExamples(
    rounds,
    `privacy-edge analytics rounds words --title Words --min-batch 1000 --round-time 1h \\
  -p 'plan={alphabet: {kind: bits, bits: 8}, maxLength: 16, minCount: 50, maxPrefixes: 64}' \\
  --leader https://leader.example/dap --helper https://helper.example \\
  --publish-leader /srv/leader/tasks --publish-helper /srv/helper/tasks`,
  );
}
