/** Paths that a role serves itself. */

/** Where each role tells what it sees, keeps and never learns. */
export const PRIVACY_NOTICE_PATH = '/.well-known/privacy-notice';
