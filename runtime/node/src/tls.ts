/**
 * Certificates: a local authority for a demonstration on one machine, and operators' files that can change while the
 * process runs.
 */
import { createHash, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import type * as X509 from '@peculiar/x509';
import { Secret } from '@privacy-edge/bytes';
import { RuntimeError } from './error.ts';
import { makePrivateFolder, readSecretFile, writeFileAtomic, writeSecretFile } from './files.ts';
import { errorFields, type LogEvent } from './log.ts';

/** A certificate chain and its private key. */
export interface Certificate {
  /** PEM, leaf first. */
  readonly certificatePem: string;
  /** PEM, PKCS #8. */
  readonly keyPem: Secret<string>;
}

/** A local authority and the certificates it issued. */
export interface LocalAuthority {
  /** PEM to trust; public. */
  readonly rootPem: string;
  /** Path of the root certificate. */
  readonly rootPath: string;
  /** Issues a certificate for loopback names and `names`, and writes it and its key below the folder. */
  issue(name: string, names?: readonly string[]): Promise<Certificate>;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const LOOPBACK = ['localhost', '127.0.0.1', '::1'];
const DAY_MS = 86_400_000;

/**
 * Makes an authority that exists for this start only: its private key never leaves the process, and nothing outside of the
 * processes that get `rootPem` trusts it.
 *
 * @param folder - made if absent, readable by the owner only; gets `ca.pem`, and `<name>.pem` and `<name>.key` for each issue
 * @param now - milliseconds since the epoch
 */
export async function createLocalAuthority(folder: string, now: number): Promise<LocalAuthority> {
  await makePrivateFolder(folder);
  const x509 = await loadX509();
  const keys = await generateKeys();
  const root = await x509.X509CertificateGenerator.createSelfSigned(
    {
      name: 'CN=privacy-edge local authority',
      serialNumber: serialNumber(),
      ...validity(now),
      signingAlgorithm: ALGORITHM,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    },
    crypto,
  );
  const rootPem = root.toString('pem');
  const rootPath = join(folder, 'ca.pem');
  await writeFileAtomic(rootPath, rootPem);
  return {
    rootPem,
    rootPath,
    issue: async (name, names = []) => {
      const issued = await issueLeaf(x509, root, keys.privateKey, [...LOOPBACK, ...names], now);
      await writeFileAtomic(join(folder, `${name}.pem`), issued.certificatePem);
      await writeSecretFile(join(folder, `${name}.key`), issued.keyPem.reveal());
      return issued;
    },
  };
}

/** Loaded on first use: most processes never make a certificate, and the library costs more to start than all else. */
async function loadX509(): Promise<typeof X509> {
  await import('reflect-metadata');
  return import('@peculiar/x509');
}

async function issueLeaf(
  x509: typeof X509,
  root: X509.X509Certificate,
  signingKey: CryptoKey,
  names: readonly string[],
  now: number,
): Promise<Certificate> {
  const keys = await generateKeys();
  const leaf = await x509.X509CertificateGenerator.create(
    {
      subject: `CN=${names[3] ?? 'localhost'}`,
      issuer: root.subject,
      serialNumber: serialNumber(),
      ...validity(now),
      signingAlgorithm: ALGORITHM,
      publicKey: keys.publicKey,
      signingKey,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension(
          names.map((value) => ({ type: isIP(value) ? 'ip' : 'dns', value }) as const),
        ),
        await x509.AuthorityKeyIdentifierExtension.create(root.publicKey, false, crypto),
      ],
    },
    crypto,
  );
  const pkcs8 = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  const lines = pkcs8.match(/.{1,64}/g) ?? [];
  const keyPem = `-----BEGIN PRIVATE KEY-----\n${lines.join('\n')}\n-----END PRIVATE KEY-----\n`;
  return { certificatePem: leaf.toString('pem'), keyPem: new Secret(keyPem) };
}

function generateKeys(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

/** Positive and 16 bytes at most, as RFC 5280 §4.1.2.2 asks. */
function serialNumber(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return Buffer.from(bytes).toString('hex');
}

function validity(now: number): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(now - DAY_MS), notAfter: new Date(now + 30 * DAY_MS) };
}

/** Files of an operator's certificate. */
export interface CertificateFiles {
  /** PEM chain, leaf first. */
  readonly certificatePath: string;
  /** PEM private key, mode 0600. */
  readonly keyPath: string;
}

/**
 * Reads a certificate and its key and checks that they belong together.
 *
 * @throws {@link RuntimeError} `FILE_EXPOSED`, `FILE_FAILED` or `CERTIFICATE_INVALID`
 */
export async function readCertificate(files: CertificateFiles): Promise<Certificate> {
  const certificatePem = await readFile(files.certificatePath, 'utf8').catch((cause: unknown) => {
    throw new RuntimeError('FILE_FAILED', `Cannot read ${files.certificatePath}`, { cause });
  });
  const keyPem = Buffer.from(await readSecretFile(files.keyPath)).toString('utf8');
  try {
    createSecureContext({ cert: certificatePem, key: keyPem });
  } catch (cause) {
    const message = `Cannot use ${files.certificatePath} with ${files.keyPath}: not a certificate and its key`;
    throw new RuntimeError('CERTIFICATE_INVALID', message, { cause });
  }
  return { certificatePem, keyPem: new Secret(keyPem) };
}

/** A certificate that follows its files. */
export interface CertificateSource {
  /** The last one that was good. */
  readonly current: Certificate;
  /**
   * Looks at the files again; call it on SIGHUP and every minute or so. New files that are broken change nothing and are
   * logged, so that a half-finished renewal never takes a listener down.
   *
   * @returns true when there is a new certificate
   */
  reload(): Promise<boolean>;
}

/**
 * Follows an operator's files.
 *
 * @param onChange - gets every new certificate; give it to `Listener.setCertificate`
 * @throws {@link RuntimeError} as {@link readCertificate}, at the start only
 */
export async function followCertificate(
  files: CertificateFiles,
  onChange: (certificate: Certificate) => void,
  log: LogEvent,
): Promise<CertificateSource> {
  let current = await readCertificate(files);
  let digest = digestOf(current);
  return {
    get current() {
      return current;
    },
    reload: async () => {
      try {
        const read = await readCertificate(files);
        const readDigest = digestOf(read);
        if (readDigest === digest) return false;
        onChange(read);
        current = read;
        digest = readDigest;
        log('info', 'certificate_changed', { path: files.certificatePath, untilMs: validUntil(read.certificatePem) });
        return true;
      } catch (error) {
        log('error', 'certificate_kept', { path: files.certificatePath, ...errorFields(error) });
        return false;
      }
    },
  };
}

/** When the first certificate of a PEM chain ends, milliseconds since the epoch. */
export function validUntil(certificatePem: string): number {
  return new X509Certificate(certificatePem).validToDate.getTime();
}

function digestOf(certificate: Certificate): string {
  return createHash('sha256').update(certificate.certificatePem).update(certificate.keyPem.reveal()).digest('hex');
}
