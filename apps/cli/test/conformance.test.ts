import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { kindOf } from '../src/conformance/kinds.ts';
import { runVectors, totalsOf } from '../src/conformance/run.ts';
import { root, runCli, temporaryFolder } from './run-cli.ts';

const good = fileURLToPath(new URL('vectors/ohttp/', import.meta.url));
type Case = Record<string, unknown>;

function casesOf(file: string): Case[] {
  return JSON.parse(readFileSync(join(good, file), 'utf8')) as Case[];
}

/** Runs one file with these cases and gives the reasons of failures. */
async function failures(file: string, content: unknown): Promise<string[]> {
  const folder = temporaryFolder();
  writeFileSync(join(folder, file), typeof content === 'string' ? content : JSON.stringify(content));
  const files = [];
  for await (const result of runVectors('ohttp', folder)) files.push(result);
  return files.flatMap((one) => one.cases).flatMap(({ verdict }) => (verdict.kind === 'failed' ? [verdict.why] : []));
}

/** The hexadecimal text with its fourth digit changed: some bits of the first byte mean nothing to X25519. */
function bent(value: unknown): string {
  const text = String(value);
  return text.slice(0, 3) + (text[3] === '0' ? '1' : '0') + text.slice(4);
}

test('every driver passes recorded vectors, and says what passed by refusal', async () => {
  const { code, out, err } = await runCli(['conformance', 'ohttp', '--vectors', good]);
  assert.deepEqual([code, err], [0, '']);
  assert.match(out, /^2 passed by being refused as they should be: HPKE mode 1 \(1\), KEM 0x0021 \(1\)$/m);
  assert.match(out, /\n9 passed, 0 failed, 0 skipped\n$/);
});

test('--json gives the same as one document', async () => {
  const { code, out } = await runCli(['conformance', 'ohttp', '--vectors', good, '--json']);
  const { ok, passed, failed, skipped, refused, failures: failed2 } = JSON.parse(out) as Record<string, unknown>;
  assert.deepEqual([code, ok, passed, failed, skipped, refused, failed2], [0, true, 9, 0, 0, 2, []]);
});

/** Members whose change every driver has to notice. */
const MEMBERS: readonly [file: string, index: number, members: readonly string[]][] = [
  ['hpke-rfc9180.json', 0, ['skRm', 'pkRm', 'enc', 'info', 'ikmE', 'ikmR']],
  [
    'ohttp-messages.json',
    0,
    [
      'skRm',
      'skEm',
      'key_config',
      'request',
      'encapsulated_request',
      'response',
      'encapsulated_response',
      'export_secret',
      'response_nonce',
      'prk',
      'aead_key',
      'aead_nonce',
      'info',
    ],
  ],
  [
    'ohttp-chunked-valid.json',
    0,
    ['skRm', 'skEm', 'encapsulated_request', 'encapsulated_response', 'response_nonce', 'export_secret', 'aead_nonce'],
  ],
];

for (const [file, index, members] of MEMBERS) {
  for (const member of members) {
    test(`${file}: a changed ${member} fails`, async () => {
      const vector = casesOf(file)[index]!;
      const reasons = await failures(file, [{ ...vector, [member]: bent(vector[member]) }]);
      assert.equal(reasons.length, 1);
    });
    test(`${file}: a missing ${member} fails`, async () => {
      const { [member]: _, ...rest } = casesOf(file)[index]!;
      const reasons = await failures(file, [rest]);
      // A derivation input that is not recorded is not needed to check the rest.
      assert.equal(reasons.length, ['ikmR'].includes(member) ? 0 : 1);
    });
  }
}

test('hpke: a changed ciphertext or export fails', async () => {
  const vector = casesOf('hpke-rfc9180.json')[0]!;
  for (const [list, member] of [
    ['encryptions', 'ct'],
    ['exports', 'exported_value'],
  ] as const) {
    const entries = vector[list] as Case[];
    const changed = entries.map((entry, i) =>
      i === entries.length - 1 ? { ...entry, [member]: bent(entry[member]) } : entry,
    );
    assert.equal((await failures('hpke-rfc9180.json', [{ ...vector, [list]: changed }])).length, 1);
  }
});

test('hpke: an algorithm that is offered must not be refused, one that is not offered must be', async () => {
  const [base, psk] = casesOf('hpke-rfc9180.json') as [Case, Case];
  // Base mode numbers under a PSK recording: offered, so it is really run, and differs.
  assert.match((await failures('hpke-x.json', [{ ...psk, mode: 0 }]))[0]!, /MISMATCH|HpkeError/);
  for (const kdf of [0x10, 0x11, 0x12, 0x13])
    assert.deepEqual(await failures('hpke-x.json', [{ ...base, kdf_id: kdf }]), []);
  for (const kem of [0x21, 0x40, 0x41, 0x42, 0x50, 0x51])
    assert.deepEqual(await failures('hpke-x.json', [{ ...base, kem_id: kem }]), []);
});

test('bhttp: wrong expectations fail in both directions', async () => {
  const [request] = casesOf('bhttp.json') as [Case];
  assert.match(
    (await failures('bhttp.json', [{ ...request, expect: 'invalid' }]))[0]!,
    /as a request is accepted, expected a refusal$/,
  );
  assert.match((await failures('bhttp.json', [{ ...request, hex: '04' }]))[0]!, /^DecodeError INVALID: /);
  const decoded = request['decoded'] as Case;
  for (const [member, value] of [
    ['method', 'PUT'],
    ['path', '/x'],
    ['headers', []],
    ['content', '00'],
    ['trailers', [['a', 'b']]],
  ] as const)
    assert.match(
      (await failures('bhttp.json', [{ ...request, decoded: { ...decoded, [member]: value } }]))[0]!,
      /^VectorError MISMATCH: decoded message differs/,
    );
  assert.match((await failures('bhttp.json', [{ ...request, expect: 'maybe' }]))[0]!, /no known expectation$/);
});

test('bhttp: what a decoder may accept passes either way', async () => {
  const [request] = casesOf('bhttp.json') as [Case];
  const loose = { ...request, expect: 'invalid', decoder_may_accept: true };
  assert.deepEqual(await failures('bhttp.json', [loose, { ...loose, hex: `${String(request['hex'])}0001` }]), []);
});

test('key-configs: wrong expectations fail in every direction', async () => {
  const [list] = casesOf('key-configs.json') as [Case];
  const reasons = async (change: Case): Promise<string> =>
    (await failures('key-configs.json', [{ ...list, ...change }]))[0] ?? '';
  assert.match(await reasons({ expect: 'discard-collection' }), /the list is accepted, expected a refusal$/);
  assert.match(
    await reasons({ expect: 'parses-but-refused' }),
    /a request with this list is accepted, expected a refusal$/,
  );
  assert.match(await reasons({ usable: [] }), /usable configurations differs/);
  assert.match(await reasons({ skipped_unknown: 1 }), /skipped configurations differs/);
  assert.match(await reasons({ hex: `${String(list['hex'])}00` }), /^DecodeError/);
});

test('chunked-invalid: a stream that is complete is a failure', async () => {
  const [valid] = casesOf('ohttp-chunked-valid.json') as [Case];
  const shared = { ...valid, expect: 'error', why: '' };
  const request = { ...shared, direction: 'request', message: valid['encapsulated_request'] };
  const response = { ...shared, direction: 'response', message: valid['encapsulated_response'] };
  assert.deepEqual(
    await failures('ohttp-chunked-invalid.json', [request, response]),
    Array(2).fill('VectorError MISMATCH: the message is accepted, expected a refusal'),
  );
  const cut = (text: unknown): string => String(text).slice(0, -2);
  assert.deepEqual(
    await failures('ohttp-chunked-invalid.json', [
      { ...request, message: cut(request.message) },
      { ...response, message: cut(response.message) },
    ]),
    [],
  );
});

test('a peer exchange is opened in both directions', async () => {
  const [vector] = casesOf('ohttp-messages.json') as [Case];
  assert.deepEqual(await failures('ohttp-any-peer.json', [vector]), []);
  assert.equal(
    (
      await failures('ohttp-any-peer.json', [
        { ...vector, encapsulated_response: bent(vector['encapsulated_response']) },
      ])
    ).length,
    1,
  );
});

test('files: unknown names, no JSON, no list, no cases and no object are failures; *.md is ignored', async () => {
  assert.deepEqual(await failures('other.json', []), ['no kind of vector file has this path']);
  assert.match((await failures('bhttp.json', '{'))[0]!, /^cannot be read: SyntaxError/);
  assert.deepEqual(await failures('bhttp.json', {}), ['is no JSON array']);
  assert.deepEqual(await failures('bhttp.json', []), ['has no vectors in it']);
  assert.match((await failures('bhttp.json', [3]))[0]!, /it is no JSON object$/);
  assert.deepEqual(await failures('notes.md', 'x'), []);
});

test('files in folders below are not overlooked', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'below'));
  cpSync(join(good, 'bhttp.json'), join(folder, 'below/bhttp.json'));
  const { code, out } = await runCli(['conformance', 'ohttp', '--vectors', folder]);
  assert.equal(code, 1);
  assert.match(out, /^FAIL {2}below\/bhttp\.json: no kind of vector file has this path$/m);
  assert.match(out, /\n0 passed, 1 failed, 0 skipped\n$/);
});

test('a failure is printed with its reason, and exits 1', async () => {
  const folder = temporaryFolder();
  const [request] = casesOf('bhttp.json') as [Case];
  writeFileSync(join(folder, 'bhttp.json'), JSON.stringify([request, { ...request, expect: 'invalid' }]));
  const { code, out } = await runCli(['conformance', 'ohttp', '--vectors', folder]);
  assert.equal(code, 1);
  assert.match(out, /^FAIL {2}bhttp\.json#1 rfc9292-known-request: VectorError MISMATCH: as a request is accepted/m);
  assert.match(out, /\n1 passed, 1 failed, 0 skipped\n$/);
});

test('nothing to check is a failure', async () => {
  const { code, out } = await runCli(['conformance', 'ohttp', '--vectors', temporaryFolder()]);
  assert.equal(code, 1);
  assert.match(out, /nothing was checked/);
  assert.match(out, /\n0 passed, 0 failed, 0 skipped\n$/);
});

test('an unknown area or folder is a usage error', async () => {
  const area = await runCli(['conformance', 'ohtp', '--vectors', good]);
  assert.equal(area.code, 2);
  assert.match(area.err, /did you mean ohttp\?/);
  const folder = await runCli(['conformance', 'ohttp', '--vectors', '/nonexistent']);
  assert.equal(folder.code, 2);
  assert.match(folder.err, /there is no such folder/);
});

test('kindOf() takes the longest pattern and whole paths only', () => {
  assert.equal(kindOf('ohttp/hpke-pq.json')?.title, 'HPKE');
  assert.equal(kindOf('ohttp/ohttp-chunked-invalid.json')?.title, 'chunked messages to refuse');
  assert.equal(kindOf('ohttp/ohttp-go-peer.json')?.title, "a peer's exchanges");
  assert.equal(kindOf('x/ohttp/bhttp.json'), undefined);
  assert.equal(kindOf('ohttp/bhttp.json.bak'), undefined);
});

test('totals count refusals among what passed', () => {
  const cases = [
    { id: 'a', verdict: { kind: 'same' } },
    { id: 'b', verdict: { kind: 'refused', what: 'x' } },
    { id: 'c', verdict: { kind: 'failed', why: 'y' } },
  ] as const;
  const { passed, failed, skipped, refused } = totalsOf([{ path: 'p', title: 't', cases }]);
  assert.deepEqual([passed, failed, skipped, refused], [2, 1, 0, 1]);
});

const shared = join(root, '../shared/vectors/ohttp');
test('the shared vectors pass', {
  skip: existsSync(shared) ? false : 'there is no folder of shared vectors',
}, async () => {
  const { code, out } = await runCli(['conformance', 'ohttp', '--vectors', shared]);
  assert.equal(code, 0, out);
  assert.match(out, /\n[1-9]\d* passed, 0 failed, 0 skipped\n$/);
});
