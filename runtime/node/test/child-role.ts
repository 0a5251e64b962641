/** The program that children.test.ts starts. */
import { connect } from 'node:net';
import { endWithParent, startChild } from '../src/index.ts';

const mode = process.argv[2];

if (mode === 'fail') process.exit(7);
if (mode === 'parent') {
  const child = await startChild({
    name: 'grandchild',
    command: process.execPath,
    args: [process.argv[1] ?? '', 'serve'],
    readyLine: /^ready/,
  });
  process.stdout.write(`child ${child.pid}\n`);
} else {
  const keepAlive = setInterval(() => undefined, 1000);
  endWithParent(() => process.exit(0));
  process.on('SIGTERM', () => {
    if (mode === 'stubborn') return;
    clearInterval(keepAlive);
    process.exit(0);
  });
  const port = process.env['PE_TEST_PORT'];
  if (port !== undefined) connect(Number(port), '127.0.0.1').on('error', () => process.exit(1));
  if (mode !== 'silent') process.stdout.write(`ready ${process.pid}\n`);
}
