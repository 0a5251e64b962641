/** Printing of results: a table for people, JSON for machines, both with what is needed to read them later. */
import { spawnSync } from 'node:child_process';
import { cpus, release } from 'node:os';

/** One line of a bench. Ratios are against a row of the same run. */
export interface Row {
  readonly name: string;
  /** CPU microseconds (user and system) of the measured process for one operation. */
  readonly cpuMicros: number;
  /** What was compared, and the factor: below 1 is cheaper than the peer. */
  readonly ratios?: Readonly<Record<string, number>>;
  readonly note?: string;
}

/** Prints a table and then one JSON document. */
export function report(title: string, rows: readonly Row[], versions: Readonly<Record<string, string>> = {}): void {
  const machine = {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    kernel: release(),
    node: process.version,
    openssl: process.versions.openssl,
    commit: spawnSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).stdout.trim() || 'none',
    ...versions,
  };
  const width = Math.max(...rows.map((row) => row.name.length), 9);
  console.log(`\n${title}`);
  console.log(
    Object.entries(machine)
      .map(([key, value]) => `${key} ${value}`)
      .join(' · '),
  );
  console.log(
    `\n${'operation'.padEnd(width)}  ${'CPU µs'.padStart(9)}  ${'per CPU-s'.padStart(10)}  ratios (below 1 is cheaper)`,
  );
  for (const { name, cpuMicros, ratios = {}, note } of rows) {
    const compared = Object.entries(ratios).map(([peer, ratio]) => `${ratio.toFixed(2)}x ${peer}`);
    const text = [...compared, ...(note === undefined ? [] : [note])].join(', ');
    const rate = cpuMicros > 0 ? Math.round(1e6 / cpuMicros) : 0;
    console.log(`${name.padEnd(width)}  ${cpuMicros.toFixed(1).padStart(9)}  ${String(rate).padStart(10)}  ${text}`);
  }
  console.log(`\n${JSON.stringify({ bench: title, machine, rows })}`);
}
