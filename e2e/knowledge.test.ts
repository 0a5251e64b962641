/**
 * The knowledge audit of the Gateway, as anybody runs it: `privacy-edge prove` sends distinctive values through relay and
 * gateway, and looks for them in everything that each party got hold of, wrote, shows, keeps in files or has in memory. What it
 * promises is checked against docs/privacy/gateway.md beside its source.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { before, describe, test } from 'node:test';

const CLI = join(import.meta.dirname, '../apps/cli/bin/privacy-edge.cjs');

interface Cell {
  readonly expected: 'known' | 'unknown' | 'not judged';
  readonly found: 'all' | 'some' | 'none';
}

interface Proof {
  readonly ok: boolean;
  readonly error?: string;
  readonly knowledge: readonly {
    readonly fact: string;
    readonly relay: Cell;
    readonly gateway: Cell;
    readonly target: Cell;
    readonly wrong: readonly string[];
  }[];
  readonly checks: readonly { readonly name: string; readonly wrong: readonly string[]; readonly skipped?: string }[];
}

describe('privacy-edge prove', { timeout: 180_000 }, () => {
  let proof: Proof;
  let code: number | null = null;
  before(async () => {
    const child = spawn(process.execPath, [CLI, 'prove', '--json'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(child, 'exit') as Promise<[number | null]>;
    const out = await text(child.stdout);
    [code] = await ended;
    proof = (JSON.parse(out) as { products: { gateway: Proof } }).products.gateway;
    assert.equal(proof.error, undefined);
  });

  test('exits 0: every promise holds', () => {
    assert.deepEqual(
      [...proof.knowledge, ...proof.checks].flatMap(({ wrong }) => wrong),
      [],
    );
    assert.deepEqual([code, proof.ok], [0, true]);
  });

  test('each party got hold of what it may know, and of nothing else', () => {
    assert.equal(proof.knowledge.length, 6);
    for (const { fact, relay, gateway, target } of proof.knowledge) {
      for (const { expected, found } of [relay, gateway, target]) {
        if (expected !== 'not judged') assert.equal(found, expected === 'known' ? 'all' : 'none', fact);
      }
    }
    const cells = Object.fromEntries(proof.knowledge.map((row) => [row.fact, [row.relay, row.gateway, row.target]]));
    const found = (fact: string): string[] | undefined => cells[fact]?.map((cell) => cell.found);
    assert.deepEqual(found('client address and port'), ['all', 'none', 'none']);
    assert.deepEqual(found('method, URL, fields, content of the request'), ['none', 'all', 'all']);
  });

  for (const name of ['received', 'answers', 'writings', 'memory', 'files']) {
    test(`nothing that must not be there is in: ${name}`, (t) => {
      const check = proof.checks.find((one) => one.name === name);
      assert.ok(check !== undefined);
      if (check.skipped !== undefined) return t.skip(check.skipped);
      assert.deepEqual(check.wrong, []);
    });
  }
});
