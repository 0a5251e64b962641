/** Every example runs as its first lines say, without a network, and prints what it promises. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '..');
const FOLDER = join(ROOT, 'examples');
const MAX_LINES = 60;

/** What has to be on standard output, by file. */
const OUTPUT: Readonly<Record<string, readonly RegExp[]>> = {
  '01-oblivious-get.ts': [
    /^200 \{"advice":"drink more water","asked":"\?symptom=headache"\}$/m,
    /'relay' +│ 'yes' +│ 'no' /,
    /'gateway' +│ 'no' +│ 'yes' /,
    /'target' +│ 'no' +│ 'yes' /,
  ],
  '02-gateway-in-front-of-a-fetch-application.ts': [/^hello from \/direct$/m, /^hello from \/oblivious$/m],
  '03-gateway-in-front-of-a-node-application.ts': [/^GET \/secret\?page=2 for app\.example$/m],
  '04-streaming.ts': [/^data: no\n\ndata: one\n\ndata: knows\n\ndata: who\n\ndata: asked\n\n$/],
  '05-pinned-keys.ts': [/^the same keys as everyone$/m, /^refused: KEYS_REFUSED$/m],
};

const files = readdirSync(FOLDER).filter((name) => /^\d\d-.*\.ts$/.test(name));

describe('examples', () => {
  test('each has its output written down here', () => {
    assert.deepEqual(files.sort(), Object.keys(OUTPUT));
  });

  for (const file of files) {
    const source = readFileSync(join(FOLDER, file), 'utf8');

    test(`${file} is short, and says how to run it`, () => {
      assert.ok(source.trimEnd().split('\n').length < MAX_LINES);
      assert.ok(source.includes(` * Run: node examples/${file}\n`));
    });

    test(`${file} runs offline`, async () => {
      // A preloaded module refuses every connection that leaves the machine.
      const { stdout, stderr } = await run(process.execPath, ['--import', OFFLINE, join('examples', file)], {
        cwd: ROOT,
        env: { ...process.env, NODE_OPTIONS: '' },
        timeout: 60_000,
      });
      assert.equal(stderr, '');
      for (const expected of OUTPUT[file] ?? []) assert.match(stdout, expected);
    });
  }

  test('the guard against connections works', async () => {
    const args = ['--import', OFFLINE, '--eval', "require('node:net').connect(9, '192.0.2.1')"];
    await assert.rejects(run(process.execPath, args), /is not offline/);
  });

  test('the page of 06-browser compiles with the types of a browser', async () => {
    const compiled = await run('tsc', ['-p', join(FOLDER, '06-browser/public')]).catch((error: unknown) => error);
    assert.equal((compiled as { stdout: string }).stdout, '');
  });
});

const OFFLINE: string = `data:text/javascript,${encodeURIComponent(`
  import { Socket } from 'node:net';
  const connect = Socket.prototype.connect;
  Socket.prototype.connect = function (...args) {
    const [options] = Array.isArray(args[0]) ? args[0] : args;
    const host = typeof options === 'object' ? options.host : args[1];
    const local = options?.path !== undefined || host === undefined || /^(?:localhost|127\\.|::1$)/.test(host);
    if (!local) throw new Error('The example is not offline');
    return connect.apply(this, args);
  };
`)}`;
