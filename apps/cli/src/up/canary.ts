/** Looking for a distinctive value in everything that a process got hold of, also where it is encoded. */

/** Whether bytes hold a text: as it is, reversed, in hexadecimal, percent-encoded, or in Base64 at any alignment. */
export function holds(haystack: Uint8Array, canary: string): boolean {
  const bytes = Buffer.from(haystack.buffer, haystack.byteOffset, haystack.byteLength);
  const folded = Buffer.from(bytes.toString('latin1').toLowerCase(), 'latin1');
  return formsOf(canary).some(({ form, anyCase }) =>
    anyCase ? folded.includes(Buffer.from(form.toLowerCase(), 'latin1')) : bytes.includes(form, 0, 'latin1'),
  );
}

interface Form {
  readonly form: string;
  readonly anyCase: boolean;
}

function formsOf(canary: string): readonly Form[] {
  const bytes = Buffer.from(canary, 'utf8');
  const hex = bytes.toString('hex');
  const plain = [
    canary,
    Array.from(canary).reverse().join(''),
    hex,
    Buffer.from(bytes.toReversed()).toString('hex'),
    hex.replace(/../g, '%$&'),
    encodeURIComponent(canary),
  ];
  return [
    ...plain.map((form) => ({ form, anyCase: true })),
    ...[0, 1, 2].flatMap((offset) => base64At(bytes, offset)).map((form) => ({ form, anyCase: false })),
  ];
}

/** The characters that are the same whatever stands before and after, when the value starts at this offset modulo 3. */
function base64At(bytes: Uint8Array, offset: number): readonly string[] {
  const padded = Buffer.concat([Buffer.alloc(offset), bytes])
    .toString('base64')
    .replace(/=+$/, '');
  const first = Math.ceil((offset * 4) / 3);
  const last = Math.floor(((offset + bytes.length) * 4) / 3);
  const stable = padded.slice(first, last);
  return [stable, stable.replaceAll('+', '-').replaceAll('/', '_')];
}
