/** Looks for a distinctive text in bytes, also where it is encoded or turned around. */

/** One way to write a text. */
interface Form {
  readonly bytes: Buffer;
  /** Whether upper and lower case mean the same. */
  readonly anyCase: boolean;
}

/** Bytes that many texts are looked for in. */
export class Haystack {
  readonly bytes: Buffer;
  readonly #folded: Buffer;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
    this.#folded = fold(bytes);
  }

  /** Whether a text is in there in any of its forms. */
  holds(text: string): boolean {
    return formsOf(text).some(({ bytes, anyCase }) => (anyCase ? this.#folded : this.bytes).includes(bytes));
  }

  /** Whether a number is in there that is no part of a longer one. */
  holdsNumber(number: number): boolean {
    return new RegExp(`(?<!\\d)${number}(?!\\d)`).test(this.bytes.toString('latin1'));
  }
}

/** The forms in which a program may hold a text, as exact bytes; for searches through so much that case cannot be folded. */
export function exactForms(text: string): readonly Buffer[] {
  const bytes = Buffer.from(text);
  const encoded = [0, 1, 2].flatMap((before) => [...new Set(base64Inside(bytes, before))]);
  return [bytes, Buffer.from(text, 'utf16le'), ...[bytes.toString('hex'), ...encoded].map((form) => Buffer.from(form))];
}

function formsOf(text: string): readonly Form[] {
  const bytes = Buffer.from(text);
  const reversed = Buffer.from(bytes.toReversed());
  const hex = bytes.toString('hex');
  const anyCase = [
    bytes,
    reversed,
    Buffer.from(encodeURIComponent(text)),
    Buffer.from(hex.replace(/../g, '%$&')),
    Buffer.from(hex),
    Buffer.from(reversed.toString('hex')),
  ].map((form) => ({ bytes: fold(form), anyCase: true }));
  const exact = [
    ...[0, 1, 2].flatMap((before) => base64Inside(bytes, before)).map((form) => Buffer.from(form)),
    Buffer.from(text, 'utf16le'),
  ].map((form) => ({ bytes: form, anyCase: false }));
  return [...anyCase, ...exact];
}

/** A copy in which ASCII letters are lower case. */
function fold(bytes: Buffer): Buffer {
  return Buffer.from(bytes.map((byte) => (byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte)));
}

/** The part of Base64 and base64url that does not depend on what stands around, for each position modulo 3. */
function base64Inside(bytes: Buffer, before: number): readonly string[] {
  const whole = bytes.subarray((3 - before) % 3);
  const inside = whole.subarray(0, whole.length - (whole.length % 3));
  return [inside.toString('base64'), inside.toString('base64url')];
}
