/**
 * Makes the committed test vectors by running independent implementations from their registries: Go's ohttp-go with
 * circl, the Rust crates ohttp and bhttp, and the JavaScript libraries hpke, @panva/hpke-noble and @hpke/core.
 * Nothing of this kit takes part. Keys and messages are fresh on each run.
 *
 *     node interop/vectors/generate.ts [folder]
 */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { buildPeers, runVectorJobs, ToolchainMissing } from '../toolchain.ts';
import { bhttp } from './bhttp.ts';
import { chunkedInvalid, chunkedValid } from './chunked.ts';
import { hpkeBase, hpkeUnsupported, hpkeXWing } from './hpke.ts';
import { keyConfigs } from './key-configs.ts';
import { goPeer, ohttpMessages, rustPeer } from './messages.ts';

const folder = process.argv[2] ?? join(import.meta.dirname, '../../testing/vectors/ohttp');

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = error instanceof ToolchainMissing ? 2 : 1;
}

async function main(): Promise<void> {
  const peers = buildPeers(console.error);
  const v = versions(peers.go, peers.rust);
  const rust = `Rust ohttp ${v['ohttp']}`;
  const go = `ohttp-go ${v['ohttp-go']} with circl ${v['circl']}`;
  const core = `@hpke/core ${v['@hpke/core']}`;
  const panva = `hpke ${v['hpke']}`;
  const pq = `@noble/post-quantum ${v['@noble/post-quantum']}`;
  const notes: string[] = [];
  const note = (line: string): void => void notes.push(line);

  const files: Record<string, unknown[]> = {
    'bhttp.json': bhttp(peers.rust, { rust: `Rust bhttp ${v['bhttp']}`, hand: 'by hand from RFC 9292' }, note),
    'key-configs.json': await keyConfigs(peers.rust, `by hand from RFC 9458, keys by ${panva}`, note),
    'hpke-base.json': await hpkeBase(`sealed by ${core}, opened by ${panva}`),
    'hpke-xwing.json': await hpkeXWing(`sealed by ${pq} and node:crypto, opened by ${panva} on WebCrypto`),
    'hpke-unsupported.json': await hpkeUnsupported(
      `sealed and opened by ${panva}, keys also by @panva/hpke-noble ${v['@panva/hpke-noble']}`,
    ),
    'ohttp-messages.json': await ohttpMessages(peers, {
      go: `request by ${core}, response by ${go}, both opened by ${panva}`,
      rust: `request by ${pq} and node:crypto, response by ${rust}, both opened by ${panva}`,
      js: `request by ${core}, opened by ${panva}, response by node:crypto`,
    }),
    'ohttp-go-peer.json': await goPeer(peers.go, go),
    'ohttp-rust-peer.json': await rustPeer(peers.rust, rust),
    'ohttp-chunked-valid.json': await chunkedValid(peers, {
      rust: `request by ${core} (hybrid: ${pq}), opened by ${panva} and ${rust}, response by ${rust}`,
      js: `request by ${core}, opened by ${panva}, response by node:crypto, opened by @noble/ciphers ${v['@noble/ciphers']}`,
    }),
    'ohttp-chunked-invalid.json': await chunkedInvalid(
      peers,
      `by hand from a stream made with ${core} and node:crypto`,
      note,
    ),
  };

  mkdirSync(folder, { recursive: true });
  let total = 0;
  for (const [name, cases] of Object.entries(files)) {
    const text = toText(cases);
    total += text.length;
    writeFileSync(join(folder, name), text);
    console.log(
      `${name.padEnd(28)} ${String(cases.length).padStart(4)} cases ${String(text.length).padStart(8)} bytes`,
    );
  }
  writeFileSync(join(folder, 'README.md'), readme(v, notes));
  console.log(`${'total'.padEnd(28)} ${' '.repeat(10)} ${String(total).padStart(8)} bytes`);
  for (const line of notes) console.log(`note: ${line}`);
}

/** One case per block and one field per line; the numbers and pairs inside stay on their line. */
function toText(cases: readonly unknown[]): string {
  const blocks = cases.map((entry) => {
    const lines = Object.entries(entry as Record<string, unknown>).map(
      ([key, value]) => `  ${JSON.stringify(key)}: ${JSON.stringify(value)}`,
    );
    return ` {\n${lines.join(',\n')}\n }`;
  });
  return `[\n${blocks.join(',\n')}\n]\n`;
}

function versions(go: string, rust: string): Record<string, string> {
  const require = createRequire(import.meta.url);
  const out: Record<string, string> = { node: process.versions.node, openssl: process.versions.openssl };
  for (const name of [
    'hpke',
    '@panva/hpke-noble',
    '@hpke/core',
    '@noble/ciphers',
    '@noble/hashes',
    '@noble/post-quantum',
  ]) {
    const file = join(packageFolder(require, name), 'package.json');
    out[name] = String((JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version);
  }
  Object.assign(out, runVectorJobs(rust, []).versions);
  for (const [path, version] of Object.entries(runVectorJobs(go, []).versions)) {
    out[path.split('/').at(-1)!] = version;
  }
  return out;
}

function packageFolder(require: NodeJS.Require, name: string): string {
  const root = (require.resolve.paths(name) ?? []).find((path) => {
    try {
      readFileSync(join(path, name, 'package.json'));
      return true;
    } catch {
      return false;
    }
  });
  return join(root ?? '', name);
}

function readme(v: Record<string, string>, notes: readonly string[]): string {
  const tools = Object.entries(v).map(([name, version]) => `| ${name} | ${version} |`);
  return `# Oblivious HTTP test vectors

Made by \`node interop/vectors/generate.ts\`, which runs independent implementations from their registries; nothing of
this kit took part. Each file is a JSON array of cases, byte strings in lower case hexadecimal; \`source\` names the
programs behind a case. Text in \`decoded\` shows bytes as Latin-1.

| file | a case says |
|---|---|
| bhttp.json | \`hex\` is a binary HTTP message: \`expect\` "ok" with its \`decoded\` form, or "invalid"; \`decoder_may_accept\` marks a check that RFC 9292 leaves open; \`context\` is what the caller asked for |
| key-configs.json | \`hex\` is a key list: "ok" with its \`usable\` entries, "discard-collection" (malformed, nothing of it may be used), or "parses-but-refused" (well formed, no key that may be used) |
| hpke-base.json | base mode over DHKEM: fixed ephemeral key \`skEm\`, every intermediate value, messages by sequence number \`seq\`, exports |
| hpke-xwing.json | base mode over MLKEM768-X25519; \`ikmE\` is the 64 bytes that encapsulation draws |
| hpke-unsupported.json | genuine messages in modes and suites that must be refused |
| ohttp-messages.json | one request and one response with every intermediate value, \`skEm\` (for MLKEM768-X25519 the 64 bytes that encapsulation draws) and \`response_nonce\` recorded |
| ohttp-go-peer.json, ohttp-rust-peer.json | exchanges in which one foreign library was client and gateway |
| ohttp-chunked-valid.json | chunked exchanges: plaintext chunks in order, the last one is the final chunk; \`decapsulate_only\` where an encoder would not produce these bytes (lengths not in their shortest form); \`chunk_nonces\` lists the first eight |
| ohttp-chunked-invalid.json | \`message\` is a stream to refuse, in the \`direction\` given; \`encapsulated_request\` is the request whose context a response belongs to |

Versions of this run:

| tool | version |
|---|---|
${tools.join('\n')}

Where the Rust crates read a case differently from what it expects (the case follows the document):

${notes.map((line) => `- ${line}`).join('\n')}
`;
}
