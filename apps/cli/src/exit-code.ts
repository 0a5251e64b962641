/** What the process says to the shell when it ends. Part of the command line's contract: never renumber. */

/** Exit codes by name. */
export const ExitCode = {
  /** It worked. */
  OK: 0,
  /** It ran, and the answer is no: a vector failed, a check found something, a peer refused. */
  FAILED: 1,
  /** The command line or the configuration is wrong; nothing was started. */
  USAGE: 2,
  /** A relay, gateway, key server or file server could not be reached or did not answer in time. */
  UNREACHABLE: 3,
  /** Something is not what it must be to be trusted: a pin, a certificate, a message that does not open. */
  UNTRUSTED: 4,
  /** A fault in this program. */
  INTERNAL: 70,
} as const;

/** One of {@link ExitCode}. */
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** The table at the bottom of every `--help`. */
export const EXIT_CODE_HELP = `Exit codes:
  0   it worked
  1   it ran and failed: a check, a vector, a refused request
  2   the command line or the configuration is wrong
  3   a peer could not be reached or did not answer in time
  4   not trusted: a key pin, a certificate, a message that does not open
  70  a fault in this program`;
