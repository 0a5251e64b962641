/** The checks in a runtime that runs files: its one argument is the world as JSON, its last line the outcomes. */
import { runChecks, type World } from './checks.ts';

console.log(JSON.stringify(await runChecks(JSON.parse(process.argv[2] ?? '') as World)));
