import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import test from "node:test";
import { retryForEver } from "../../../src/client/retry.ts";

interface Wait {
  error: unknown;
  milliseconds: number;
}

/** Retries until so many waits have been told, and returns them. */
async function waitsOf(
  attempt: (index: number) => Promise<void>,
  count: number,
  times: { delay: number; delayMax: number; livedAfter: number },
): Promise<{ waits: Wait[]; attempts: number }> {
  const controller = new AbortController();
  const waits: Wait[] = [];
  let attempts = 0;
  await retryForEver(() => attempt(attempts++), {
    ...times,
    signal: controller.signal,
    onWait(error, milliseconds) {
      if (waits.push({ error, milliseconds }) === count) controller.abort();
    },
  });
  return { waits, attempts };
}

const NEVER_LIVES = Number.MAX_SAFE_INTEGER;
const failure = new Error("refused");
const fail = () => Promise.reject(failure);

/** Half of a wait is left to chance. */
function assertWithin(milliseconds: number | undefined, nominal: number, what: string): void {
  assert.ok(
    milliseconds !== undefined && milliseconds >= Math.floor(nominal / 2) && milliseconds <= nominal,
    `${what}: ${milliseconds} ms instead of ${nominal / 2} to ${nominal}`,
  );
}

test("retry: waits double up to the longest, and are told with the reason", async () => {
  const { waits } = await waitsOf(fail, 6, { delay: 4, delayMax: 20, livedAfter: NEVER_LIVES });
  for (const [index, nominal] of [4, 8, 16, 20, 20, 20].entries()) {
    assertWithin(waits[index]?.milliseconds, nominal, `wait ${index}`);
    assert.equal(waits[index]?.error, failure);
  }
});

test("retry: waits differ from one client to the next, so that they do not knock in step", async () => {
  const times = { delay: 60_000, delayMax: 600_000, livedAfter: NEVER_LIVES };
  const first = await Promise.all(Array.from({ length: 30 }, () => waitsOf(fail, 1, times)));
  assert.ok(new Set(first.map(({ waits }) => waits[0]?.milliseconds)).size > 10);
});

test("retry: after an attempt that lived the next begins at once", async () => {
  const { waits, attempts } = await waitsOf(() => Promise.resolve(), 5, {
    delay: 60_000,
    delayMax: 60_000,
    livedAfter: 0,
  });
  assert.deepEqual(waits, Array.from({ length: 5 }, () => ({ error: undefined, milliseconds: 0 })));
  assert.equal(attempts, 5);
});

test("retry: an attempt that fails is a failure however long it took: a server that is slow to refuse is waited for", async () => {
  const attempt = async () => {
    await sleep(5);
    throw failure;
  };
  const { waits } = await waitsOf(attempt, 3, { delay: 8, delayMax: 1000, livedAfter: 1 });
  for (const [index, nominal] of [8, 16, 32].entries()) {
    assertWithin(waits[index]?.milliseconds, nominal, `wait ${index}`);
  }
});

test("retry: an attempt that ends early is waited for, although it did not fail", async () => {
  const { waits } = await waitsOf(() => Promise.resolve(), 1, {
    delay: 1000,
    delayMax: 1000,
    livedAfter: NEVER_LIVES,
  });
  assert.equal(waits[0]?.error, undefined);
  assertWithin(waits[0]?.milliseconds, 1000, "the wait");
});

test("retry: a wait is cut to what its error allows, and half of that is left to chance", async () => {
  const controller = new AbortController();
  const waits: number[] = [];
  await retryForEver(fail, {
    delay: 8,
    delayMax: 1000,
    livedAfter: NEVER_LIVES,
    signal: controller.signal,
    atMost: (error) => error === failure ? 20 : Infinity,
    onWait(_, milliseconds) {
      if (waits.push(milliseconds) === 6) controller.abort();
    },
  });
  for (const [index, nominal] of [8, 16, 20, 20, 20, 20].entries()) {
    const wait = waits[index] as number;
    assert.ok(wait >= Math.floor(Math.min(nominal, 16) / 2) && wait <= nominal, `wait ${index}: ${wait}`);
  }
  assert.ok(new Set(waits.slice(2)).size > 1);
});

test("retry: an attempt that says so is followed by the next at once, untold", async () => {
  const controller = new AbortController();
  let attempts = 0;
  await retryForEver(() => {
    if (++attempts === 5) controller.abort();
    return Promise.resolve("at-once");
  }, {
    delay: 3_600_000,
    delayMax: 3_600_000,
    livedAfter: NEVER_LIVES,
    signal: controller.signal,
    onWait: () => assert.fail("there is nothing to wait for"),
  });
  assert.equal(attempts, 5);
});

test("retry: after an attempt that lived the waits begin anew", async () => {
  // A machine under load must not take a short attempt for one that lived.
  const livedAfter = 400;
  const attempt = async (index: number) => {
    if (index !== 2) throw failure;
    await sleep(livedAfter + 50);
  };
  const { waits } = await waitsOf(attempt, 4, { delay: 8, delayMax: 1000, livedAfter });
  assertWithin(waits[0]?.milliseconds, 8, "first wait");
  assertWithin(waits[1]?.milliseconds, 16, "second wait");
  assert.equal(waits[2]?.milliseconds, 0);
  assertWithin(waits[3]?.milliseconds, 8, "wait after success");
});

test("retry: a long outage is not held against what came about after it, nor the other way round", async () => {
  const attempt = (index: number) => [3, 7].includes(index) ? Promise.resolve() : fail();
  const { waits } = await waitsOf(attempt, 9, { delay: 4, delayMax: 1000, livedAfter: NEVER_LIVES });
  for (const [index, nominal] of [4, 8, 16, 4, 4, 8, 16, 8, 4].entries()) {
    assertWithin(waits[index]?.milliseconds, nominal, `wait ${index}`);
  }
});

test("retry: it ends at once while it waits", async () => {
  const { waits, attempts } = await waitsOf(fail, 1, {
    delay: 3_600_000,
    delayMax: 3_600_000,
    livedAfter: NEVER_LIVES,
  });
  assert.equal(waits.length, 1);
  assert.equal(attempts, 1);
});

for (const [name, end] of [["ends", () => Promise.resolve()], ["fails", fail]] as const) {
  test(`retry: it ends with an attempt that ${name} because of the abort, and tells nothing of it`, async () => {
    const controller = new AbortController();
    let attempts = 0;
    await retryForEver(() => {
      attempts++;
      controller.abort();
      return end();
    }, {
      delay: 3_600_000,
      delayMax: 3_600_000,
      livedAfter: 0,
      signal: controller.signal,
      onWait: () => assert.fail("there is nothing to wait for"),
    });
    assert.equal(attempts, 1);
  });
}

test("retry: nothing is attempted for a signal that is aborted already", async () => {
  await retryForEver(() => assert.fail("attempted"), {
    delay: 1,
    delayMax: 1,
    livedAfter: 1,
    signal: AbortSignal.abort(),
    onWait: () => assert.fail("waited"),
  });
});
