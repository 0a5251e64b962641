/** Writing to the terminal: results on stdout, everything else on stderr. */
import { styleText } from 'node:util';

/** Writes a result. */
export function writeOut(text: string | Uint8Array): void {
  process.stdout.write(text);
}

/** Writes a JSON document, and a line end. */
export function writeJson(value: unknown): void {
  writeOut(`${JSON.stringify(value, undefined, 2)}\n`);
}

/** Writes what is for people to read while the result goes elsewhere. */
export function writeNote(text: string): void {
  process.stderr.write(text);
}

/**
 * Text that a peer wrote, safe to show: control characters, which could drive the terminal, are shown as numbers.
 *
 * @param text - controlled by anybody
 */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** Styles that this program uses. */
export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

/** `text` in a style, or as it is when the stream is no terminal or NO_COLOR is set. */
export function styled(style: Style, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  return styleText(style, text, { stream });
}

/**
 * Ends quietly when whoever reads our output goes away, as in `privacy-edge inspect … | head -1`.
 */
export function endQuietlyOnClosedPipe(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? 0 : 1);
  });
}
