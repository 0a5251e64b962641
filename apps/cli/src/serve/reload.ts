/** What a running role reads again on SIGHUP and, for keys and certificates, every minute. */
import { dirname, resolve } from 'node:path';
import { advanceKeySchedule, type KeyScheduleState } from '@privacy-edge/gateway-roles';
import { type CertificateSource, errorFields, followCertificate, type LogEvent, systemClock } from '@privacy-edge/node';
import type { RoleSection } from '../config/types.ts';
import { updateKeyFile } from '../keys/key-file.ts';
import type { KeyMaterial } from '../keys/source.ts';
import type { PlainCertificate } from './role.ts';

/** Follows the certificate files of a section. */
export async function followSectionCertificate(
  section: RoleSection,
  folder: string,
  onChange: (certificate: PlainCertificate) => void,
  log: LogEvent,
): Promise<{ readonly source: CertificateSource; readonly current: PlainCertificate } | undefined> {
  if (section.tls === undefined) return undefined;
  const certificatePath = resolve(folder, section.tls.certFile);
  const keyPath = resolve(folder, section.tls.keyFile);
  const plain = (certificate: CertificateSource['current']): PlainCertificate => ({
    certificatePem: certificate.certificatePem,
    keyPem: certificate.keyPem.reveal(),
  });
  const source = await followCertificate({ certificatePath, keyPath }, (one) => onChange(plain(one)), log);
  return { source, current: plain(source.current) };
}

/**
 * Forgets secrets of epochs that are over, in memory and, where it may be written, in the key file.
 *
 * @returns undefined when nothing is over
 */
export async function pruneKeys(material: KeyMaterial, log: LogEvent): Promise<KeyMaterial | undefined> {
  if (material.kind !== 'schedule') return undefined;
  const now = systemClock();
  const advanced = await advanceKeySchedule(material.state, now);
  if (advanced === material.state) return undefined;
  try {
    const state: KeyScheduleState = await updateKeyFile(material.file, (before) => advanceKeySchedule(before, now));
    return { ...material, state };
  } catch (error) {
    log('warn', 'keys_not_pruned_on_disk', { path: dirname(material.file), ...errorFields(error) });
    return { ...material, state: advanced };
  }
}
