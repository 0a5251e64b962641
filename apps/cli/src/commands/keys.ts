/** `privacy-edge keys …`: definitions; the work is in `../keys/`. */
import type { Command } from 'commander';
import { Option } from 'commander';
import { DEFAULT_SCHEDULE, KEM_NAMES, SUITE_NAMES } from '../keys/algorithms.ts';
import type { ExportOptions, GenerateOptions, ListOptions, RotateOptions } from '../keys/commands.ts';
import { type CommandContext, withExamples } from './context.ts';

/** Adds the commands about gateway keys. */
export function addKeysCommands(program: Command, context: CommandContext): void {
  const keys = program
    .command('keys')
    .summary('make, rotate, list and export gateway keys')
    .description('Work with the key file of a gateway. A running gateway reads it again on SIGHUP.');
  withExamples(keys, 'privacy-edge keys generate gateway-keys.json\nprivacy-edge keys list gateway-keys.json');

  const generate = keys
    .command('generate')
    .summary('make a new key file')
    .description(
      'Make a key file with a fresh secret and the schedule of its keys, readable by you only. An existing file is never overwritten.',
    )
    .argument('<file>', 'key file to make')
    .option('--epoch <duration>', 'how long one key set is active', DEFAULT_SCHEDULE.epoch)
    .option('--publish-ahead <duration>', 'how long before that it is published', DEFAULT_SCHEDULE.publishAhead)
    .option('--retain <duration>', 'how long after that it still opens messages', DEFAULT_SCHEDULE.retain)
    .addOption(
      new Option('--kem <kems...>', 'KEMs to offer, preferred first')
        .choices(KEM_NAMES)
        .default(DEFAULT_SCHEDULE.kems, DEFAULT_SCHEDULE.kems.join(' ')),
    )
    .addOption(
      new Option('--suite <suites...>', 'KDF/AEAD pairs to offer, preferred first')
        .choices(SUITE_NAMES)
        .default(DEFAULT_SCHEDULE.suites, DEFAULT_SCHEDULE.suites.join(' ')),
    )
    .option('--json', 'print the result as JSON')
    .action(async (file: string, options: GenerateOptions) => {
      context.exitCode = await (await import('../keys/commands.ts')).keysGenerate(file, options);
    });
  withExamples(
    generate,
    'privacy-edge keys generate gateway-keys.json\nprivacy-edge keys generate gateway-keys.json --epoch 1d --publish-ahead 6h --kem x-wing x25519',
  );

  const rotate = keys
    .command('rotate')
    .summary('start new keys now, outside of the schedule')
    .description(
      'Add a fresh secret to the key file. Keys change by themselves at every epoch; this is for when a secret may be known to others. The keys before keep opening messages while they are retained.',
    )
    .argument('<file>', 'key file to change')
    .option('--at <time>', 'when the new secret takes over: ISO 8601, such as 2030-01-31T00:00:00Z (default: now)')
    .option('--json', 'print the result as JSON')
    .action(async (file: string, options: RotateOptions) => {
      context.exitCode = await (await import('../keys/commands.ts')).keysRotate(file, options);
    });
  withExamples(
    rotate,
    'privacy-edge keys rotate gateway-keys.json && kill -HUP "$(cat gateway.pid)"\nprivacy-edge keys rotate gateway-keys.json --at 2030-01-31T00:00:00Z',
  );

  const list = keys
    .command('list')
    .summary('show which keys are next, active and retiring')
    .description('Show the keys that a gateway has at a moment, and for how long.')
    .argument('[file]', 'key file (default: what the configuration names)')
    .option('-c, --config <file>', 'configuration with gateway.keys, when no key file is named')
    .option('--at <time>', 'moment to look at, ISO 8601 (default: now)')
    .option('--json', 'print JSON')
    .action(async (file: string | undefined, options: ListOptions) => {
      context.exitCode = await (await import('../keys/commands.ts')).keysList(file, options);
    });
  withExamples(
    list,
    'privacy-edge keys list gateway-keys.json\nprivacy-edge keys list --config privacy-edge.yaml --json',
  );

  const prune = keys
    .command('prune')
    .summary('forget secrets of keys that are over')
    .description(
      'Rewrite the key file so that keys no longer accepted cannot be derived from it any more: what was recorded on the wire then stays closed. A running gateway does this by itself where it may write the file.',
    )
    .argument('<file>', 'key file to change')
    .option('--json', 'print the result as JSON')
    .action(async (file: string, options: { json?: boolean }) => {
      context.exitCode = await (await import('../keys/commands.ts')).keysPrune(file, options);
    });
  withExamples(prune, 'privacy-edge keys prune gateway-keys.json');

  const exported = keys
    .command('export')
    .summary('write the public key configurations, for pinning')
    .description(
      'Write the key configurations (application/ohttp-keys) that a gateway publishes now. The SHA-256 digest printed with them is what clients pin.',
    )
    .argument('[file]', 'key file (default: what the configuration names)')
    .option('-c, --config <file>', 'configuration with gateway.keys, when no key file is named')
    .option('-o, --output <file>', 'file to write (default: standard output)')
    .option('--at <time>', 'moment to look at, ISO 8601 (default: now)')
    .option('--json', 'print JSON with the bytes as base64 and their digest')
    .action(async (file: string | undefined, options: ExportOptions) => {
      context.exitCode = await (await import('../keys/commands.ts')).keysExport(file, options);
    });
  withExamples(
    exported,
    'privacy-edge keys export gateway-keys.json --output keys.ohttp-keys\nprivacy-edge keys export --config privacy-edge.yaml --json',
  );
}
