import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { asAbortSignal, type Cancellation, type CancellationListener } from '../src/cancellation.ts';

class Plain implements Cancellation {
  aborted = false;
  readonly listeners = new Set<CancellationListener>();
  addEventListener(_type: 'abort', listener: CancellationListener): void {
    this.listeners.add(listener);
  }
  removeEventListener(_type: 'abort', listener: CancellationListener): void {
    this.listeners.delete(listener);
  }
  fire(): void {
    this.aborted = true;
    for (const listener of this.listeners) listener.handleEvent();
  }
}

describe('asAbortSignal()', () => {
  it('returns an AbortSignal as it is', () => {
    const { signal } = new AbortController();
    assert.equal(asAbortSignal(signal), signal);
  });

  it('fires with anything else that tells of the end', () => {
    const plain = new Plain();
    const signal = asAbortSignal(plain);
    assert.equal(signal.aborted, false);
    plain.fire();
    assert.equal(signal.aborted, true);
  });

  it('has fired when the end has come already', () => {
    const plain = new Plain();
    plain.fire();
    assert.equal(asAbortSignal(plain).aborted, true);
  });
});
