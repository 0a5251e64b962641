import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { setDeadline } from '../src/deadlines.ts';

/** A clock and timers that the test moves; lengths are the test's own, because limits of one length share a timer. */
function moved(t: TestContext): (ms: number) => void {
  let now = 1000;
  t.mock.method(performance, 'now', () => now);
  t.mock.timers.enable({ apis: ['setTimeout'] });
  return (ms) => {
    for (let passed = 0; passed < ms; passed++) {
      now++;
      t.mock.timers.tick(1);
    }
  };
}

class Limited {
  times = 0;
  timeOut(): void {
    this.times++;
  }
}

describe('setDeadline()', () => {
  it('calls each once when its own time has passed, not before', (t) => {
    const pass = moved(t);
    const [first, second] = [new Limited(), new Limited()];
    setDeadline(first, 1001);
    pass(400);
    setDeadline(second, 1001);
    pass(590);
    assert.deepEqual([first.times, second.times], [0, 0]);
    pass(20);
    assert.deepEqual([first.times, second.times], [1, 0]);
    pass(400);
    assert.deepEqual([first.times, second.times], [1, 1]);
    pass(5000);
    assert.deepEqual([first.times, second.times], [1, 1]);
  });

  it('forgets one that was cleared, and still finds those behind it', (t) => {
    const pass = moved(t);
    const [cleared, kept, later] = [new Limited(), new Limited(), new Limited()];
    const limit = setDeadline(cleared, 1002);
    setDeadline(kept, 1002);
    limit.clear();
    limit.clear();
    pass(1010);
    assert.deepEqual([cleared.times, kept.times], [0, 1]);
    setDeadline(later, 1002);
    pass(1010);
    assert.equal(later.times, 1);
  });

  it('keeps limits of different lengths apart', (t) => {
    const pass = moved(t);
    const [long, short] = [new Limited(), new Limited()];
    setDeadline(long, 2003);
    setDeadline(short, 503);
    pass(600);
    assert.deepEqual([long.times, short.times], [0, 1]);
    pass(1500);
    assert.deepEqual([long.times, short.times], [1, 1]);
  });

  it('clears any of many, in any order, and keeps the order of the rest', (t) => {
    const pass = moved(t);
    const passed: number[] = [];
    const limits = Array.from({ length: 9 }, (_, n) => setDeadline({ timeOut: () => passed.push(n) }, 1005));
    for (const n of [8, 0, 4, 5, 3]) limits[n]!.clear();
    pass(1010);
    assert.deepEqual(passed, [1, 2, 6, 7]);
  });

  it('lets go of its neighbours when it is cleared', (t) => {
    moved(t);
    const limits = [1, 2, 3].map(() => setDeadline(new Limited(), 1006));
    limits[1]!.clear();
    assert.deepEqual([limits[1]!.before, limits[1]!.after, limits[1]!.overdue], [undefined, undefined, undefined]);
    assert.equal(limits[0]!.after, limits[2]);
  });

  it('takes limits that are set while others fall due', (t) => {
    const pass = moved(t);
    const next = new Limited();
    setDeadline({ timeOut: () => setDeadline(next, 1004) }, 1004);
    pass(1010);
    assert.equal(next.times, 0);
    pass(1010);
    assert.equal(next.times, 1);
  });
});
