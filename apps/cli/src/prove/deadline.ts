/** Nothing of the audit waits for ever. */
import { CliError } from '../cli-error.ts';

const DEADLINE_MS = 60_000;

/**
 * The outcome of some work.
 *
 * @param what - completes "nothing came of waiting a minute for …"
 * @throws {@link CliError} `FAILED` when it takes too long
 */
export async function within<T>(work: Promise<T>, what: string): Promise<T> {
  const late = Promise.withResolvers<never>();
  const give = (): void =>
    late.reject(
      new CliError('FAILED', { what: 'Cannot prove anything', why: `nothing came of waiting a minute for ${what}` }),
    );
  const timer = setTimeout(give, DEADLINE_MS);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
