/** The committed kernels are what their sources compile to. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { checkKernels } from '../build-wasm.ts';
import { ROOT } from '../lib/workspace.ts';

it('checkKernels() finds nothing in this tree', () => {
  assert.deepEqual(checkKernels(ROOT), []);
});
