import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startLoop } from '../src/serve/step-loop.ts';

const base = { random: () => 0.5, onFault: (error: unknown) => assert.fail(String(error)) };

test('a loop goes on at once while there is more, then waits until it is woken', async () => {
  let steps = 0;
  const idle = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const loop = startLoop({
    ...base,
    paceMs: 1_000_000,
    step: async () => {
      steps++;
      if (steps === 3) idle[0]?.resolve();
      if (steps === 4) idle[1]?.resolve();
      return steps < 3;
    },
  });
  await idle[0]?.promise;
  assert.equal(steps, 3);
  loop.wake();
  await idle[1]?.promise;
  await loop.stop();
  assert.equal(steps, 4);
});

test('a wake during a step is not lost', async () => {
  let steps = 0;
  const again = Promise.withResolvers<void>();
  const loop = startLoop({
    ...base,
    paceMs: 1_000_000,
    step: async () => {
      await Promise.resolve();
      steps++;
      if (steps === 1) loop.wake();
      else again.resolve();
      return false;
    },
  });
  await again.promise;
  await loop.stop();
});

test('stop() waits for the step under way and begins no other', async () => {
  const work = Promise.withResolvers<void>();
  let steps = 0;
  const loop = startLoop({
    ...base,
    paceMs: 1,
    step: async () => {
      steps++;
      await work.promise;
      return true;
    },
  });
  let stopped = false;
  const end = loop.stop().then(() => {
    stopped = true;
  });
  await Promise.resolve();
  assert.equal(stopped, false);
  work.resolve();
  await end;
  assert.equal(steps, 1);
});

test('a step that fails is told of, and tried again later and later', async () => {
  const faults: unknown[] = [];
  const third = Promise.withResolvers<void>();
  const loop = startLoop({
    random: () => 0,
    paceMs: 1,
    onFault: (error) => faults.push(error),
    step: async () => {
      if (faults.length === 2) third.resolve();
      throw new RangeError('away');
    },
  });
  await third.promise;
  await loop.stop();
  assert.ok(faults.length >= 2);
});
