import assert from 'node:assert/strict';
import test from 'node:test';
import { checkEntry } from '../check-docs.ts';
import { formatFinding } from '../lib/finding.ts';

const check = (files: Readonly<Record<string, string>>): string[] =>
  checkEntry('src/index.ts', (path) => files[path]).map(formatFinding);

test('checkEntry() accepts documented names of every kind', () => {
  const found = check({
    'src/index.ts': [
      "export { type A, b as renamed } from './all.ts';",
      "export type { D } from './all.ts';",
      "export { hash } from '@noble/hashes';",
      '/** A constant. */',
      'export const e = 1;',
    ].join('\n'),
    'src/all.ts': [
      '/** A. */',
      'export interface A {',
      '  readonly inner: number;',
      '}',
      '/**',
      ' * B, documented once for all overloads.',
      ' */',
      'export function b(x: string): string;',
      'export function b(x: number): number;',
      'export function b(x: unknown): unknown {',
      '  return x;',
      '}',
      '/** D. */',
      '// biome-ignore lint/style/useNamingConvention: a name of the standard',
      'export type D = A;',
      'function internal(): void {}',
    ].join('\n'),
  });
  assert.deepEqual(found, []);
});

test('checkEntry() names file, line and symbol of what is undocumented', () => {
  const found = check({
    'src/index.ts': "export { a, B, type C, d } from './all.ts';\nexport { f } from './deep.ts';\n",
    'src/all.ts': [
      'export const a = 1;',
      '/* Not a doc comment. */',
      'export class B {}',
      '/** */',
      'export type C = string;',
      '/** Belongs to another one. */',
      'const other = 1;',
      'export async function d(): Promise<void> {}',
      'export const notOffered = other;',
    ].join('\n'),
    'src/deep.ts': "import { f } from './deeper.ts';\nexport { f };\n",
    'src/deeper.ts': '\nexport function f(): void {}\n',
  });
  assert.deepEqual(found, [
    'src/all.ts:1  const a has no doc comment',
    'src/all.ts:3  class B has no doc comment',
    'src/all.ts:5  type C has no doc comment',
    'src/all.ts:8  function d has no doc comment',
    'src/deeper.ts:2  function f has no doc comment',
  ]);
});

test('checkEntry() wants a comment for a type and one for a value of the same name', () => {
  const found = check({
    'src/index.ts': '/** Message. */\nexport interface M {}\nexport const M: Codec<M> = { encode, decode };\n',
  });
  assert.deepEqual(found, ['src/index.ts:3  const M has no doc comment']);
});

test('checkEntry() looks at public methods and accessors only', () => {
  const found = check({
    'src/index.ts': [
      '/** A class. */',
      'export class A<T extends { b: 1 }> extends Base implements C {',
      "  override readonly name: string = '{';",
      '  readonly #table = { method() {} };',
      '  readonly arrow = (): { x: number } => {',
      '    return inner({ y: 1 });',
      '  };',
      '  constructor(options: { deep: { z: 1 } }) {',
      '    super(options);',
      '    if (options) helper();',
      '  }',
      '  /** Documented. */',
      '  get length(): number {',
      '    return 1;',
      '  }',
      '  set length(value: number) {}',
      '  #hidden(): void {}',
      '  private closed(): void {}',
      '  override toString(): string {',
      "    return '';",
      '  }',
      '  /** First overload. */',
      '  read(a: string): { n: number };',
      '  read(a: number): { n: number } {',
      '    for (const b of a) call(b);',
      '  }',
      '  get open(): boolean {',
      '    return true;',
      '  }',
      '  async *stream<U>(from: U, options: { a: 1 }): AsyncGenerator<U> {',
      '    yield* other();',
      '  }',
      '  static of(): A {',
      '    return new A();',
      '  }',
      '}',
    ].join('\n'),
  });
  assert.deepEqual(found, [
    'src/index.ts:27  A.open() has no doc comment',
    'src/index.ts:30  A.stream() has no doc comment',
    'src/index.ts:33  A.of() has no doc comment',
  ]);
});

test('checkEntry() refuses stars, missing files and missing names', () => {
  const found = check({
    'src/index.ts': "export * from './a.ts';\nexport { b } from './nowhere.ts';\nexport { c } from './a.ts';\n",
    'src/a.ts': '',
  });
  assert.deepEqual(found, [
    'src/index.ts:1  export * hides what the package offers',
    'src/index.ts:2  re-exports b from ./nowhere.ts, which does not exist',
    'src/index.ts:3  c is not declared in src/a.ts',
  ]);
  assert.deepEqual(check({}), ['src/index.ts  is named by exports and does not exist']);
});
