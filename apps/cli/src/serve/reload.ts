/** What a running role reads again on SIGHUP and, for keys and certificates, every minute. */
import { dirname, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { advanceKeySchedule, type KeyScheduleState } from '@privacy-edge/gateway-roles';
import {
  type Certificate,
  type CertificateSource,
  errorFields,
  followCertificate,
  type LogEvent,
  systemClock,
  validUntil,
} from '@privacy-edge/node';
import type { RoleSection, TlsFiles } from '../config/types.ts';
import { updateKeyFile } from '../keys/key-file.ts';
import type { KeyMaterial } from '../keys/source.ts';
import type { PlainCertificate } from './role.ts';

/** The certificate of a section, which follows its files, and the section when that names other files. */
export interface SectionCertificate {
  /** The last one that was good. */
  readonly current: PlainCertificate;
  /** Looks at the files again; broken ones change nothing and are logged. */
  reload(): Promise<boolean>;
  /**
   * Follows these files from now on. Where they are the ones that are followed already, it looks at them again.
   *
   * @throws RuntimeError for other files that cannot be used; then the old ones are still followed
   */
  follow(files: TlsFiles): Promise<void>;
}

/**
 * Follows the certificate files of a section.
 *
 * @param onChange - gets every certificate after the first
 * @returns undefined where the section has none
 * @throws RuntimeError for files that cannot be used
 */
export async function followSectionCertificate(
  section: RoleSection,
  folder: string,
  onChange: (certificate: PlainCertificate) => void,
  log: LogEvent,
): Promise<SectionCertificate | undefined> {
  if (section.tls === undefined) return undefined;
  let followed = section.tls;
  const open = (files: TlsFiles): Promise<CertificateSource> => {
    const paths = { certificatePath: resolve(folder, files.certFile), keyPath: resolve(folder, files.keyFile) };
    // A look at files that were left behind may still be under way.
    const changed = (certificate: Certificate): void => void (files === followed && onChange(plain(certificate)));
    return followCertificate(paths, changed, log);
  };
  let source = await open(followed);
  return {
    get current() {
      return plain(source.current);
    },
    reload: () => source.reload(),
    follow: async (files) => {
      if (isDeepStrictEqual(files, followed)) {
        await source.reload();
        return;
      }
      const path = resolve(folder, files.certFile);
      const opened = await open(files).catch((error: unknown) => {
        log('error', 'certificate_kept', { path, ...errorFields(error) });
        throw error;
      });
      followed = files;
      source = opened;
      log('info', 'certificate_changed', { path, untilMs: validUntil(opened.current.certificatePem) });
      onChange(plain(opened.current));
    },
  };
}

function plain({ certificatePem, keyPem }: Certificate): PlainCertificate {
  return { certificatePem, keyPem: keyPem.reveal() };
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
