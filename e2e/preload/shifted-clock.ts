/**
 * Loaded into a role process before anything else: its clock then differs from the machine's by the milliseconds in a file,
 * read at the start and again on SIGUSR2. The file is named by PRIVACY_EDGE_TEST_CLOCK.
 */
import { readFileSync } from 'node:fs';

const file = process.env['PRIVACY_EDGE_TEST_CLOCK'] ?? '';
const machine = Date.now.bind(Date);
let shiftMs = 0;

function read(): void {
  shiftMs = Number(readFileSync(file, 'utf8'));
  process.stderr.write(`{"event":"clock_shifted","count":${shiftMs}}\n`);
}

read();
process.on('SIGUSR2', read);
Date.now = () => machine() + shiftMs;
