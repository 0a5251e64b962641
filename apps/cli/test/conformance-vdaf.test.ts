/** `conformance vdaf` over vectors that a second implementation makes, and over wrong ones. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { runVectors } from '../src/conformance/run.ts';
import { root, runCli, temporaryFolder } from './run-cli.ts';

const made = temporaryFolder();
execFileSync(process.execPath, [join(root, 'crypto/vdaf/test/write-vectors.ts'), made]);
const files = readdirSync(made);
/** Asks for the refusal of a message, so hardly any change of it matters. */
const FORGED = 'Prio3Histogram_bad_message.json';

/** Runs one file and gives the reasons of failures. */
async function failures(file: string, content: unknown): Promise<string[]> {
  const folder = temporaryFolder();
  writeFileSync(join(folder, file), JSON.stringify(content));
  const reasons: string[] = [];
  for await (const result of runVectors('vdaf', folder))
    for (const { verdict } of result.cases) if (verdict.kind === 'failed') reasons.push(verdict.why);
  return reasons;
}

/** Whether a value may change without making the vector wrong. */
function isFree(file: string, path: string): boolean {
  // Which step is taken when; a second time is not wrong.
  if (path.startsWith('.operations.')) return !path.endsWith('.success') || file.includes('_bad_');
  // A report that is to be refused was not made from these, and need not be refused for them.
  if (file.includes('_bad_')) return /\.(?:measurement|rand|agg_result|shares|max_\w+)$/.test(path);
  // What is not below the modulus may be something else that is not, and a constant has one value everywhere.
  return /\.(?:decode_errors\.\d+\.(?:hex|why)|lagrange\.0\.x)$/.test(path);
}

type Path = readonly (string | number)[];

/** All places of values, of lists only the first and last entries. */
function places(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  const entries = Array.isArray(value)
    ? [...value.entries()].filter(([i]) => i === 0 || i === value.length - 1)
    : Object.entries(value);
  return entries.flatMap(([key, member]) => places(member, [...path, key]));
}

/** A copy with one value changed. */
function changed(value: unknown, [key, ...rest]: Path): unknown {
  if (key === undefined) return bent(value);
  if (Array.isArray(value)) return value.with(Number(key), changed(value[Number(key)], rest));
  const members = value as Readonly<Record<string, unknown>>;
  return { ...members, [key]: changed(members[key], rest) };
}

function bent(value: unknown): unknown {
  if (typeof value === 'boolean') return !value;
  if (typeof value === 'number') return value + 1;
  if (typeof value !== 'string') return 0;
  // The second digit of a byte, and the first of a number, may change without making it something else than that.
  const at = Math.min(1, value.length - 1);
  return value === '' ? '00' : value.slice(0, at) + (value[at] === '1' ? '2' : '1') + value.slice(at + 1);
}

describe('conformance vdaf', () => {
  it('passes vectors of a second implementation', async () => {
    const { code, out, err } = await runCli(['conformance', 'vdaf', '--vectors', made]);
    assert.deepEqual([code, err], [0, ''], out);
    assert.match(out, /\n[1-9]\d* passed, 0 failed, 0 skipped\n$/);
  });

  for (const file of files.filter((name) => name !== FORGED)) {
    it(`notices every changed value of ${file}`, async () => {
      const content: unknown = JSON.parse(readFileSync(join(made, file), 'utf8'));
      assert.deepEqual(await failures(file, content), []);
      for (const path of places(content)) {
        const name = `.${path.join('.')}`;
        if (isFree(file, name)) continue;
        const reasons = await failures(file, changed(content, path));
        assert.equal(reasons.length, 1, `${file}${name} is not noticed`);
      }
    });
  }
});

describe('refusals', () => {
  it('have to happen: of all last digits of a message that is to be refused, the right one fails', async () => {
    const vector = JSON.parse(readFileSync(join(made, FORGED), 'utf8')) as {
      reports: [{ verifier_messages: [string] }];
    };
    const [report] = vector.reports;
    const digits = Array.from({ length: 16 }, (_, digit) => digit.toString(16));
    const failed = await Promise.all(
      digits.map(async (digit) => {
        const verifier_messages = [report.verifier_messages[0].slice(0, -1) + digit];
        return failures(FORGED, { ...vector, reports: [{ ...report, verifier_messages }] });
      }),
    );
    assert.match(
      failed.flat().join(),
      /^VectorError MISMATCH: success of operation 1, verify_next .* expected false, got true$/,
    );
  });

  it('have to happen: an encoding that is one fails where none should be', async () => {
    const [field] = JSON.parse(readFileSync(join(made, 'fields.json'), 'utf8')) as [Record<string, unknown>];
    const decode_errors = [{ hex: '0100000000000000', why: 'no reason' }];
    assert.match(
      (await failures('fields.json', [{ ...field, decode_errors }])).join(),
      /decoding of what is "no reason"/,
    );
  });

  it('are read from a single report, too', async () => {
    const vector = JSON.parse(readFileSync(join(made, 'Prio3LinReg_bad_product.json'), 'utf8')) as Record<
      string,
      unknown
    >;
    const { operations: _, agg_param: __, reports, ...rest } = vector;
    const [{ nonce, public_share, input_shares, verifier_shares }] = reports as [Record<string, unknown[]>];
    const single = { ...rest, nonce, public_share, input_shares, verifier_shares: verifier_shares?.[0] };
    const expected = { ...single, expect: 'verifier_shares_to_message fails' };
    assert.deepEqual(await failures('Prio3LinReg_bad_product.json', expected), []);
    assert.match(
      (await failures('Prio3LinReg_bad_product.json', { ...single, expect: 'verify_next fails' })).join(),
      /UNREADABLE/,
    );
    assert.match(
      (await failures('Prio3LinReg_bad_product.json', { ...expected, nonce: '00'.repeat(16) })).join(),
      /MISMATCH/,
    );
  });
});

const shared = join(root, '../shared/vectors/vdaf');
describe('shared vectors', { skip: existsSync(shared) ? false : 'there is no folder of shared vectors' }, () => {
  it('pass', async () => {
    const { code, out } = await runCli(['conformance', 'vdaf', '--vectors', shared]);
    assert.equal(code, 0, out);
    assert.match(out, /\n[1-9]\d* passed, 0 failed, 0 skipped\n$/);
  });
});
