/** The checks as one worker of workerd, bundled by the conditions that its deployment tool uses; it gets the world as a request. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { bundle } from './bundle.ts';
import type { Outcome, World } from './checks.ts';

const RUN_MS = 300_000;
const ENTRY = 'worker.js';

/** Runs them with one authority to trust and no way out but to this machine. */
export async function runInWorkerd(workerd: string, world: World, caFile: string): Promise<Outcome[]> {
  const folder = mkdtempSync(join(tmpdir(), 'privacy-edge-workerd-'));
  try {
    const files = await bundle(
      (checks) => `import { runChecks } from ${checks};
export default { fetch: async (request) => Response.json(await runChecks(await request.json())) };`,
      ENTRY,
      ['workerd', 'worker', 'browser', 'import'],
    );
    for (const [name, code] of files) writeFileSync(join(folder, name), code);
    writeFileSync(join(folder, 'ca.pem'), readFileSync(caFile));
    writeFileSync(join(folder, 'config.capnp'), workerConfig([...files.keys()]));
    const child = spawn(workerd, ['serve', 'config.capnp', '--control-fd=3'], {
      cwd: folder,
      stdio: ['ignore', 'inherit', 'pipe', 'pipe'],
      timeout: RUN_MS,
      killSignal: 'SIGKILL',
    });
    const exited = once(child, 'exit');
    const complaints = text(child.stderr!);
    try {
      const ended = exited.then(async () => Promise.reject(new Error(`it ended early: ${(await complaints).trim()}`)));
      const port = await Promise.race([listeningPort(child.stdio[3] as Readable), ended]);
      const asking = fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: JSON.stringify(world) });
      const answer = await Promise.race([asking, ended]);
      if (!answer.ok) throw new Error(`it answers ${answer.status}: ${await answer.text()}`);
      return (await answer.json()) as Outcome[];
    } finally {
      child.kill('SIGKILL');
      await exited;
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function workerConfig(modules: readonly string[]): string {
  const embedded = modules.map((name) => `(name = "${name}", esModule = embed "${name}")`);
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    (name = "internet", network = (
      allow = ["private"],
      tlsOptions = (trustBrowserCas = false, trustedCertificates = [embed "ca.pem"]),
    )),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
const worker :Workerd.Worker = (
  modules = [${embedded.join(', ')}],
  compatibilityDate = "2026-04-01",
);
`;
}

/** Announced as a line of JSON on a descriptor of its own. */
async function listeningPort(announcements: Readable): Promise<number> {
  for await (const line of createInterface({ input: announcements })) {
    const { event, port } = JSON.parse(line) as { event: string; port?: number };
    if (event === 'listen' && port !== undefined) return port;
  }
  return new Promise(() => {});
}
