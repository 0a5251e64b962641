import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { connect } from 'node:tls';
import { createLocalAuthority } from '@privacy-edge/node';
import { runCli, temporaryFolder } from './run-cli.ts';
import { type Role, start, stop } from './run-role.ts';

/** Sends SIGHUP and returns the log entries that it led to. */
async function reload(role: Role): Promise<readonly Record<string, unknown>[]> {
  const before = role.log().length;
  role.child.kill('SIGHUP');
  while (!/"event":"reload(?:ed|_failed)"/.test(role.log().slice(before))) await once(role.child.stderr!, 'data');
  const lines = role.log().slice(before).trim().split('\n');
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** Fingerprint of the certificate that a new connection gets. */
async function served(role: Role): Promise<string> {
  const socket = connect({
    port: Number(new URL(role.ready['url']!).port),
    host: '127.0.0.1',
    rejectUnauthorized: false,
  });
  await once(socket, 'secureConnect');
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256;
}

for (const workers of [1, 2]) {
  describe(`certificates and SIGHUP with ${workers} worker`, { timeout: 60_000 }, () => {
    test('other tls files are read, or refused with everything kept', async () => {
      const folder = temporaryFolder();
      const config = join(folder, 'edge.yaml');
      const authority = await createLocalAuthority(folder, Date.now());
      const prints: Record<string, string> = {};
      for (const name of ['one', 'two', 'three']) {
        const { certificatePem } = await authority.issue(name);
        prints[name] = new X509Certificate(certificatePem).fingerprint256;
      }
      assert.equal((await runCli(['keys', 'generate', join(folder, 'keys.json')])).code, 0);
      const settings = (tls: object | undefined, name: string): string =>
        JSON.stringify({
          gateway: {
            port: 0,
            workers,
            admin: { enabled: false },
            log: { format: 'json' },
            keys: { file: 'keys.json' },
            targets: [{ origin: `https://${name}.example` }],
            ...(tls === undefined ? {} : { tls }),
          },
        });
      const files = (name: string, key = name): object => ({ certFile: `${name}.pem`, keyFile: `${key}.key` });
      writeFileSync(config, settings(files('one'), 'a'));
      const role = await start('serve', config);
      assert.equal(await served(role), prints['one']);

      writeFileSync(config, settings(files('two'), 'a'));
      const taken = await reload(role);
      const changed = taken.find(({ event }) => event === 'certificate_changed');
      assert.equal(changed?.['path'], join(folder, 'two.pem'));
      assert.ok(!taken.some(({ event }) => event === 'restart_needed_for_setting'));
      // Threads are told at once, and take it up when they come to it.
      while ((await served(role)) !== prints['two']);

      // Another name that holds a certificate without its key, and a setting beside it that would be fine.
      writeFileSync(config, settings(files('three', 'one'), 'b'));
      const refused = await reload(role);
      assert.deepEqual(
        refused.map(({ event, path, code }) => [event, path, code]),
        [
          ['certificate_kept', join(folder, 'three.pem'), 'CERTIFICATE_INVALID'],
          ['reload_failed', undefined, 'CERTIFICATE_INVALID'],
        ],
      );
      assert.equal(await served(role), prints['two']);

      // The files that are followed now may go: they are named no more.
      rmSync(join(folder, 'two.pem'));
      writeFileSync(config, settings(files('three'), 'b'));
      const third = await reload(role);
      assert.deepEqual(
        third.map(({ event }) => event),
        ['certificate_changed', 'reloaded'],
      );
      while ((await served(role)) !== prints['three']);

      writeFileSync(config, settings(undefined, 'b'));
      for (let again = 0; again < 2; again++) {
        const without = await reload(role);
        const restart = without.find(({ event }) => event === 'restart_needed_for_setting');
        assert.deepEqual([restart?.['entry'], restart?.['level']], ['tls', 40]);
      }
      assert.equal(await served(role), prints['three']);
      assert.equal(await stop(role), 0);
    });
  });
}

test('SIGHUP keeps what a relay knows of its clients, unless the limits change', { timeout: 60_000 }, async () => {
  const folder = temporaryFolder();
  const config = join(folder, 'edge.yaml');
  const write = (name: string, burst: number): void =>
    writeFileSync(
      config,
      JSON.stringify({
        relay: {
          port: 0,
          name,
          admin: { enabled: false },
          log: { format: 'json' },
          rateLimit: { requestsPerSecond: 0.001, burst },
          gateways: [{ name: 'g', path: '/r', url: 'http://127.0.0.1:1', allowPrivate: true }],
        },
      }),
    );
  write('one', 2);
  const role = await start('relay', config);
  const ask = async (): Promise<number> => {
    const headers = { 'content-type': 'message/ohttp-req' };
    return (await fetch(`${role.ready['url']}/r`, { method: 'POST', headers, body: 'x' })).status;
  };
  assert.deepEqual([await ask(), await ask(), await ask()], [502, 502, 429]);
  write('two', 2);
  await reload(role);
  assert.equal(await ask(), 429);
  write('two', 3);
  await reload(role);
  assert.equal(await ask(), 502);
  assert.equal(await stop(role), 0);
});
