/** Load from wrk, and what it cost the process under test. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { processCpuMicros } from './cpu.ts';

/** Messages of equal length, each to be sent once; wrk starts again at the first when they are used up. */
export interface Ammunition {
  readonly contentType: string;
  readonly messages: readonly Uint8Array[];
}

/** What a load run found. */
export interface LoadResult {
  readonly requests: number;
  /** Answers that were not 2xx, and socket errors. Anything but 0 makes the figures worthless. */
  readonly failed: number;
  readonly seconds: number;
  /** Of the process under test, for one request. */
  readonly cpuMicros: number;
}

const SCRIPT = `
local file = io.open(os.getenv("AMMUNITION"), "rb")
local data = file:read("*a")
file:close()
local size = tonumber(os.getenv("MESSAGE_SIZE"))
local count = #data / size
local from = tonumber(os.getenv("FIRST"))
local n = from - 1
wrk.method = "POST"
wrk.headers["Content-Type"] = os.getenv("CONTENT_TYPE")
request = function()
  n = n + 1
  local at = (n % count) * size
  return wrk.format(nil, nil, nil, string.sub(data, at + 1, at + size))
end
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("RESULT %d %d %d\\n", summary.requests, e.connect + e.read + e.write + e.status + e.timeout, summary.duration))
end
`;

/**
 * Sends messages over keep-alive connections, first to warm up, then measured.
 *
 * @param pid - process whose CPU time is counted
 */
export async function load(
  url: string,
  pid: number,
  shots: Ammunition,
  seconds = 4,
  connections = 32,
  warmSeconds = 6,
): Promise<LoadResult> {
  const folder = mkdtempSync(join(tmpdir(), 'privacy-edge-bench-'));
  try {
    const size = shots.messages[0]?.length ?? 0;
    writeFileSync(join(folder, 'messages'), Buffer.concat(shots.messages));
    writeFileSync(join(folder, 'load.lua'), SCRIPT);
    const run = (duration: number, first: number) =>
      wrk(folder, url, shots.contentType, size, first, duration, connections);
    const warm = await run(warmSeconds, 0);
    const before = processCpuMicros(pid);
    const result = await run(seconds, warm.requests + connections);
    return {
      ...result,
      failed: result.failed + warm.failed,
      cpuMicros: (processCpuMicros(pid) - before) / result.requests,
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function wrk(
  folder: string,
  url: string,
  contentType: string,
  size: number,
  first: number,
  duration: number,
  connections: number,
): Promise<{ requests: number; failed: number; seconds: number }> {
  const args = ['-t1', `-c${connections}`, `-d${duration}s`, '-s', join(folder, 'load.lua'), url];
  const env = {
    ...process.env,
    AMMUNITION: join(folder, 'messages'),
    MESSAGE_SIZE: String(size),
    FIRST: String(first),
    CONTENT_TYPE: contentType,
  };
  const output = await new Promise<string>((resolve, reject) => {
    const child = spawn('wrk', args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', (chunk) => (text += String(chunk)));
    child.once('error', reject).once('close', () => resolve(text));
  });
  const match = /RESULT (\d+) (\d+) (\d+)/.exec(output);
  if (match === null) throw new Error(`wrk said: ${output}`);
  return { requests: Number(match[1]), failed: Number(match[2]), seconds: Number(match[3]) / 1e6 };
}
