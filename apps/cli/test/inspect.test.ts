import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { encodeRequest } from '@privacy-edge/bhttp';
import { concatBytes, DecodeError, fromHex, utf8 } from '@privacy-edge/bytes';
import { CollectionJobReq, timeIntervalQuery, UploadRequest } from '@privacy-edge/dap';
import { KeySchedule } from '@privacy-edge/gateway-roles';
import { systemRandom } from '@privacy-edge/hpke';
import { encapsulateChunked, KeyConfigList, prepareEncapsulator, selectSuite } from '@privacy-edge/ohttp';
import fc from 'fast-check';
import { guessType } from '../src/inspect/describe.ts';
import { DAP_TYPES, describeDap } from '../src/inspect/describe-dap.ts';
import { renderTree } from '../src/inspect/tree.ts';
import { readKeyFile } from '../src/keys/key-file.ts';
import { runCli, temporaryFolder } from './run-cli.ts';

const vectors = fileURLToPath(new URL('vectors/ohttp/', import.meta.url));
function vector(file: string): Record<string, string> {
  return (JSON.parse(readFileSync(join(vectors, file), 'utf8')) as Record<string, string>[])[0]!;
}

const message = vector('ohttp-messages.json');
const chunked = vector('ohttp-chunked-valid.json');
const keys = vector('key-configs.json');

test('inspect prints key configurations with the suite that a client takes', async () => {
  const { code, out, err } = await runCli(['inspect', '--hex', '-t', 'application/ohttp-keys'], {
    input: keys['hex']!,
  });
  assert.deepEqual([code, err], [0, '']);
  assert.match(out, /^application\/ohttp-keys\n {2}bytes: 47\n {2}sha256: [0-9a-f]{64}\n/);
  assert.match(out, /\n {4}kem: x25519\n/);
  assert.match(
    out,
    /suite: hkdf-sha256, aes-128-gcm \(a client takes this one\)\n {6}suite: hkdf-sha256, chacha20-poly1305\n/,
  );
});

test('inspect prints binary HTTP, and escapes what could drive a terminal', async () => {
  const body = utf8('line\u001b[31m\n');
  const fields = [['x-a', 'b\u009bc']] as const;
  const bytes = encodeRequest({
    method: 'POST',
    scheme: 'https',
    authority: 'a.example',
    path: '/p?q',
    fields,
    body,
    trailers: [],
  });
  const { code, out } = await runCli(['inspect', '-t', 'message/bhttp; x=y', '-'], { input: bytes });
  assert.equal(code, 0);
  assert.match(
    out,
    /\n {2}method: POST\n {2}scheme: https\n {2}authority: a\.example\n {2}path: \/p\?q\n {2}fields\n {4}x-a: b\\x9bc\n/,
  );
  assert.equal(
    Array.from(out).some((character) => /\p{Cc}/u.test(character) && character !== '\n'),
    false,
  );
});

test('inspect prints the clear part of an encapsulated request without a key', async () => {
  const { code, out } = await runCli(['inspect', '--hex'], { input: message['encapsulated_request']! });
  assert.equal(code, 0);
  assert.match(
    out,
    /^message\/ohttp-req\n {2}bytes: 80\n {2}key id: 1\n {2}kem: x25519\n {2}kdf: hkdf-sha256\n {2}aead: aes-128-gcm\n/,
  );
  assert.match(out, /content: sealed; name the key file/);
});

test('inspect prints the chunks of a chunked request', async () => {
  const { code, out } = await runCli(['inspect', '--hex'], { input: chunked['encapsulated_request']! });
  assert.equal(code, 0);
  assert.match(out, /^message\/ohttp-chunked-req\n/);
  assert.match(
    out,
    / {2}chunks: 3\n {4}sealed bytes: 28\n {4}sealed bytes: 29\n {4}sealed bytes of the final chunk: 16\n/,
  );
});

test('inspect opens requests with the key file of the gateway', async () => {
  const folder = temporaryFolder();
  const keyFile = join(folder, 'k.json');
  assert.equal((await runCli(['keys', 'generate', keyFile])).code, 0);
  const ring = await new KeySchedule((await readKeyFile(keyFile)).state).ringAt(Date.now());
  const selected = selectSuite(KeyConfigList.decode(ring.published).usable);
  const encapsulator = await prepareEncapsulator(selected!.config, selected!.suite);
  const inner = encodeRequest({
    method: 'GET',
    scheme: 'https',
    authority: 'a.example',
    path: '/secret',
    fields: [],
    body: new Uint8Array(0),
    trailers: [],
  });
  const whole = (await encapsulator.encapsulate(inner, systemRandom)).message;
  const start = await encapsulateChunked(encapsulator, systemRandom);
  const stream = concatBytes(
    start.header,
    await start.request.seal(inner.subarray(0, 5)),
    await start.request.sealFinal(inner.subarray(5)),
  );
  for (const [type, bytes] of [
    ['message/ohttp-req', whole],
    ['message/ohttp-chunked-req', stream],
  ] as const) {
    const file = join(folder, 'message');
    writeFileSync(file, bytes);
    const opened = await runCli(['inspect', file, '-t', type, '--key-file', keyFile, '--json']);
    assert.equal(opened.code, 0, opened.err);
    assert.match(opened.out, /"value": "\/secret"/);
    bytes[bytes.length - 1] = bytes.at(-1)! ^ 1;
    writeFileSync(file, bytes);
    const changed = await runCli(['inspect', file, '-t', type, '--key-file', keyFile]);
    assert.deepEqual([changed.code, changed.out], [4, '']);
    assert.match(changed.err, /^privacy-edge: Cannot open the message; /);
  }
});

test('inspect says what is wrong, and exits 1 for content, 2 for usage', async () => {
  const cut = await runCli(['inspect', '--hex', '-t', 'application/ohttp-keys'], { input: '002d01' });
  assert.deepEqual([cut.code, cut.out], [1, '']);
  assert.match(cut.err, /^privacy-edge: Cannot decode as application\/ohttp-keys; /);
  assert.equal((await runCli(['inspect'], { input: 'hello' })).code, 1);
  const type = await runCli(['inspect', '-t', 'message/bhtp'], { input: '' });
  assert.equal(type.code, 2);
  assert.match(type.err, /did you mean message\/bhttp\?/);
  assert.equal((await runCli(['inspect', '/nonexistent'])).code, 2);
  assert.equal((await runCli(['inspect', '--hex'], { input: 'zz' })).code, 2);
});

test('guessType() knows its own messages', () => {
  assert.equal(guessType(fromHex(keys['hex']!)), 'application/ohttp-keys');
  assert.equal(guessType(fromHex(message['encapsulated_request']!)), 'message/ohttp-req');
  assert.equal(guessType(fromHex(message['request']!)), 'message/bhttp');
  assert.equal(guessType(fromHex(message['response']!)), 'message/bhttp');
  assert.equal(guessType(new Uint8Array(0)), undefined);
});

test('guessType() never throws', () => {
  const numRuns = Number(process.env['PRIVACY_EDGE_FUZZ_RUNS'] ?? 2000);
  const mutated = fc
    .tuple(
      fc.constantFrom(...[keys['hex']!, message['encapsulated_request']!, message['request']!].map(fromHex)),
      fc.nat(),
      fc.nat({ max: 255 }),
    )
    .map(([bytes, at, value]) => {
      const copy = bytes.slice();
      copy[at % copy.length] = value;
      return copy;
    });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), mutated), (bytes) => {
      guessType(bytes);
    }),
    { numRuns },
  );
});

test('inspect prints every message of DAP that it decodes, and refuses what it does not', async () => {
  const sealed = { configId: 7, enc: new Uint8Array(32), payload: new Uint8Array(50) };
  const report = {
    reportMetadata: { reportId: new Uint8Array(16), time: 1234, publicExtensions: [] },
    publicShare: new Uint8Array(0),
    leaderEncryptedInputShare: sealed,
    helperEncryptedInputShare: sealed,
  };
  const uploaded = describeDap('application/ppm-dap;message=upload-req', UploadRequest.encode([report, report]));
  assert.match(renderTree(uploaded), /\n {2}reports: 2\n {2}report\n {4}report id: A{22}\n {4}time.*: 1234\n/);
  assert.match(
    renderTree(uploaded),
    /\n {4}sealed to helper\n {6}key id: 7\n {6}enc bytes: 32\n {6}ciphertext bytes: 50\n/,
  );
  const query = timeIntervalQuery({ start: 10, duration: 2 });
  const asked = CollectionJobReq.encode({ query, aggParam: new Uint8Array(0), extensions: [] });
  const args = ['inspect', '-t', 'application/ppm-dap; version=18; message="collection-job-req"'];
  const { code, out } = await runCli(args, { input: asked });
  assert.equal(code, 0);
  assert.match(out, /\n {4}batch mode: time-interval\n {4}start.*: 10\n {4}duration.*: 2\n/);
  for (const type of DAP_TYPES) assert.throws(() => describeDap(type, Uint8Array.of(255, 255, 255)), DecodeError, type);
  const unknown = await runCli(['inspect', '-t', 'application/ppm-dap;message=upload'], { input: asked });
  assert.equal(unknown.code, 2);
});

test('describeDap throws nothing but DecodeError', () => {
  fc.assert(
    fc.property(fc.constantFrom(...DAP_TYPES), fc.uint8Array({ maxLength: 200 }), (type, bytes) => {
      try {
        describeDap(type, bytes);
      } catch (error) {
        assert.ok(error instanceof DecodeError, String(error));
      }
    }),
  );
});
