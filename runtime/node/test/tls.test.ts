import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  type Certificate,
  createLocalAuthority,
  followCertificate,
  readCertificate,
  validUntil,
} from '../src/index.ts';
import { temporaryFolder } from './support.ts';

describe('createLocalAuthority', () => {
  it('issues leaf certificates for loopback and the given names, below a root that issues nothing else', async (t) => {
    const folder = join(await temporaryFolder(t), 'ca');
    const now = Date.UTC(2030, 0, 1);
    const authority = await createLocalAuthority(folder, now);
    const { certificatePem, keyPem } = await authority.issue('relay', ['relay.test', '10.0.0.7']);
    const root = new X509Certificate(authority.rootPem);
    const leaf = new X509Certificate(certificatePem);
    assert.equal(root.ca, true);
    assert.equal(leaf.ca, false);
    assert.equal(leaf.checkIssued(root), true);
    assert.equal(leaf.verify(root.publicKey), true);
    assert.equal(leaf.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1');
    for (const name of ['localhost', 'relay.test']) assert.equal(leaf.checkHost(name), name);
    for (const ip of ['127.0.0.1', '::1', '10.0.0.7']) assert.equal(leaf.checkIP(ip), ip);
    assert.equal(leaf.checkHost('other.test'), undefined);
    assert.ok(leaf.validFromDate.getTime() < now && leaf.validToDate.getTime() > now);
    assert.equal(validUntil(certificatePem), leaf.validToDate.getTime());
    assert.equal(await readFile(join(folder, 'relay.pem'), 'utf8'), certificatePem);
    assert.equal(await readFile(authority.rootPath, 'utf8'), authority.rootPem);
    assert.equal((await stat(join(folder, 'relay.key'))).mode & 0o777, 0o600);
    assert.equal((await stat(folder)).mode & 0o777, 0o700);
    assert.equal(String(keyPem), '[secret]');
    const files = { certificatePath: join(folder, 'relay.pem'), keyPath: join(folder, 'relay.key') };
    assert.equal((await readCertificate(files)).certificatePem, certificatePem);
  });
});

describe('followCertificate', () => {
  it('takes a new pair, keeps the old one when the new files are broken, and logs both', async (t) => {
    const folder = await temporaryFolder(t);
    const authority = await createLocalAuthority(folder, Date.now());
    const files = { certificatePath: join(folder, 'a.pem'), keyPath: join(folder, 'a.key') };
    const first = await authority.issue('a');
    const events: string[] = [];
    const changes: Certificate[] = [];
    const source = await followCertificate(
      files,
      (certificate) => changes.push(certificate),
      (_level, name) => events.push(name),
    );
    assert.equal(await source.reload(), false, 'nothing changed');

    const second = await authority.issue('a');
    assert.equal(await source.reload(), true);
    assert.equal(source.current.certificatePem, second.certificatePem);

    await writeFile(files.certificatePath, first.certificatePem);
    assert.equal(await source.reload(), false, 'certificate and key do not belong together');
    await writeFile(files.certificatePath, 'nonsense');
    assert.equal(await source.reload(), false);
    await authority.issue('a');
    await chmod(files.keyPath, 0o644);
    assert.equal(await source.reload(), false, 'others may read the key');
    assert.equal(source.current.certificatePem, second.certificatePem);
    await chmod(files.keyPath, 0o600);
    assert.equal(await source.reload(), true);
    assert.deepEqual(events, [
      'certificate_changed',
      'certificate_kept',
      'certificate_kept',
      'certificate_kept',
      'certificate_changed',
    ]);
    assert.equal(changes.length, 2);
  });

  it('fails at the start when there is nothing good', async (t) => {
    const folder = await temporaryFolder(t);
    const files = { certificatePath: join(folder, 'a.pem'), keyPath: join(folder, 'a.key') };
    await assert.rejects(
      followCertificate(
        files,
        () => undefined,
        () => undefined,
      ),
      { code: 'FILE_FAILED' },
    );
  });
});
