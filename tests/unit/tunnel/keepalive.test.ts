import assert from "node:assert/strict";
import test from "node:test";
import { keepAlive } from "../../../src/tunnel/keepalive.ts";
import type { Wire } from "../../../src/tunnel/wire.ts";

const TIMES = { interval: 5, countMax: 3 };

/** A wire of which only the time of the last bytes matters. */
class FakeWire {
  /** Called whenever somebody looks at it. */
  onLook: () => void = () => {};
  #last = performance.now();

  get lastReceived(): number {
    this.onLook();
    return this.#last;
  }

  /** Bytes come. */
  receive(): void {
    this.#last = performance.now();
  }

  get wire(): Wire {
    return this as unknown as Wire;
  }
}

/** Settles when a silent peer has been given up, which takes several intervals. */
function severalIntervals(): Promise<void> {
  return new Promise((resolve) => keepAlive(new FakeWire().wire, TIMES, () => {}, resolve));
}

test("keep-alive: a silent peer is asked so many times, and then given up once", async () => {
  const told: string[] = [];
  await new Promise<void>((resolve) => {
    keepAlive(new FakeWire().wire, TIMES, () => told.push("ask"), () => {
      told.push("lost");
      resolve();
    });
  });
  assert.deepEqual(told, ["ask", "ask", "ask", "lost"]);
  await severalIntervals();
  assert.deepEqual(told, ["ask", "ask", "ask", "lost"]);
});

test("keep-alive: a peer that answers each question is never given up", async () => {
  const fake = new FakeWire();
  let asked = 0;
  let lost = 0;
  await new Promise<void>((resolve) => {
    const stop = keepAlive(fake.wire, TIMES, () => {
      fake.receive();
      if (++asked === 4 * TIMES.countMax) {
        stop();
        resolve();
      }
    }, () => {
      lost++;
      resolve();
    });
  });
  assert.equal(lost, 0);
  assert.equal(asked, 4 * TIMES.countMax);
});

test("keep-alive: a peer that answers only the last question begins anew", async () => {
  const fake = new FakeWire();
  let asked = 0;
  await new Promise<void>((resolve) => {
    keepAlive(fake.wire, TIMES, () => {
      if (++asked === TIMES.countMax) fake.receive();
    }, resolve);
  });
  assert.equal(asked, 2 * TIMES.countMax);
});

test("keep-alive: a peer whose bytes keep coming is not asked", async () => {
  const fake = new FakeWire();
  let asked = 0;
  let looks = 0;
  await new Promise<void>((resolve) => {
    const stop = keepAlive(fake.wire, { interval: 5, countMax: 1 }, () => asked++, () => asked++);
    fake.onLook = () => {
      fake.receive();
      if (++looks < 30) return;
      stop();
      resolve();
    };
  });
  assert.equal(asked, 0);
});

test("keep-alive: once it is stopped nobody is asked or given up", async () => {
  let asked = 0;
  let lost = 0;
  await new Promise<void>((resolve) => {
    const stop = keepAlive(new FakeWire().wire, TIMES, () => {
      asked++;
      stop();
      resolve();
    }, () => lost++);
  });
  await severalIntervals();
  assert.deepEqual([asked, lost], [1, 0]);
});

test("keep-alive: an interval of 0 asks nobody and gives nobody up, as in OpenSSH", async (t) => {
  const told: string[] = [];
  const ask = () => told.push("ask");
  t.after(keepAlive(new FakeWire().wire, { interval: 0, countMax: 3 }, ask, () => told.push("lost")));
  await severalIntervals();
  assert.deepEqual(told, []);
});
