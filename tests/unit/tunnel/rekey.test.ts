import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { type RekeyLink, type RekeyTimes, RekeyWatch } from "../../../src/tunnel/rekey.ts";

const MIB = 2 ** 20;
const MINUTE = 60_000;
const TIMES: RekeyTimes = { rekeyLimit: 100 * MIB, rekeyInterval: 60 * MINUTE };

/** A watch whose clock goes when it is told to. */
class Clock {
  now = 100_000;
  readonly watch = new RekeyWatch(() => this.now);

  /** Lets time pass, with a look every second, as the timer has it. */
  pass(milliseconds: number, each: () => void = () => {}): void {
    for (let passed = 0; passed < milliseconds; passed += 1000) {
      this.now += 1000;
      this.watch.look();
      each();
    }
  }
}

/** A connection in memory, of which both ends are the test. */
class Link implements RekeyLink {
  volume = 0;
  exchanging = false;
  isFragile = false;
  onExchanged = (): void => {};
  /** How many exchanges were begun here. */
  begun = 0;
  readonly violations: string[] = [];
  #alarm: [at: number, call: () => void] = [Infinity, () => {}];

  constructor(t: TestContext, { watch }: Clock, times: RekeyTimes = TIMES) {
    t.after(watch.add(this, times));
  }

  rekey(): void {
    this.begun++;
    this.exchanging = true;
  }

  alarmAt(volume: number, call: () => void): void {
    this.#alarm = [volume, call];
  }

  violated(what: string): void {
    this.violations.push(what);
  }

  carry(bytes: number): void {
    this.volume += bytes;
    const [at, call] = this.#alarm;
    if (this.volume < at) return;
    this.#alarm = [Infinity, () => {}];
    call();
  }

  /** The end of an exchange, whoever began it. */
  exchanged(): void {
    this.exchanging = false;
    this.onExchanged();
  }
}

test("rekey: keys are exchanged after the volume that is set, at the latest, and again after as much", (t) => {
  const link = new Link(t, new Clock());
  for (let exchange = 1; exchange <= 5; exchange++) {
    link.carry(74 * MIB);
    assert.equal(link.begun, exchange - 1);
    link.carry(26 * MIB);
    assert.equal(link.begun, exchange);
    link.exchanged();
  }
});

test("rekey: keys are exchanged at the age that is set, at the latest, and again at that age", (t) => {
  const clock = new Clock();
  const link = new Link(t, clock);
  for (let exchange = 1; exchange <= 5; exchange++) {
    clock.pass(44 * MINUTE);
    assert.equal(link.begun, exchange - 1);
    clock.pass(16 * MINUTE, () => link.exchanging && link.exchanged());
    assert.equal(link.begun, exchange);
    // As if the peer had begun one, so that the next turn has a beginning that is known.
    link.carry(MIB);
    link.exchanged();
  }
});

test("rekey: an exchange that the peer began counts as one", (t) => {
  const clock = new Clock();
  const link = new Link(t, clock);
  for (let quarter = 0; quarter < 20; quarter++) {
    clock.pass(15 * MINUTE);
    link.carry(50 * MIB);
    link.exchanged();
  }
  assert.equal(link.begun, 0);
});

test("rekey: nothing is begun while an exchange is under way", (t) => {
  const clock = new Clock();
  const link = new Link(t, clock);
  link.exchanging = true;
  link.carry(200 * MIB);
  clock.now += 70 * MINUTE;
  clock.watch.look();
  assert.equal(link.begun, 0);
});

test("rekey: both limits at 0 leave it to the other end, up to what the ciphers bear", (t) => {
  const clock = new Clock();
  const link = new Link(t, clock, { rekeyLimit: 0, rekeyInterval: 0 });
  clock.pass(600 * MINUTE);
  link.carry(2 ** 35);
  assert.equal(link.begun, 0);
  link.carry(2 ** 35);
  assert.equal(link.begun, 1);
});

test("rekey: limits that a reload has changed hold for the keys in use", (t) => {
  const clock = new Clock();
  const times = { ...TIMES };
  const link = new Link(t, clock, times);
  clock.pass(10_000);
  Object.assign(times, { rekeyLimit: MIB, rekeyInterval: 0 });
  clock.pass(1000);
  link.carry(MIB);
  assert.equal(link.begun, 1);
});

test("rekey: two ends with the same limits do not begin at the same moment", (t) => {
  const clock = new Clock();
  const at = new Map<Link, number>();
  const links = Array.from({ length: 100 }, () => new Link(t, clock));
  for (let carried = 0; carried < 100; carried += 0.5) {
    for (const link of links) {
      link.carry(MIB / 2);
      if (link.begun > 0 && !at.has(link)) at.set(link, carried);
    }
  }
  assert.equal(at.size, 100);
  assert.ok(new Set(at.values()).size > 20, "they began together");
});

for (const [what, standsStill] of [["that were built together", false], ["after a suspend", true]] as const) {
  test(`rekey: a thousand idle tunnels ${what} do not exchange keys at the same moment`, (t) => {
    const clock = new Clock();
    const links = Array.from({ length: 1000 }, () => new Link(t, clock));
    if (standsStill) clock.now += 600 * MINUTE;
    let most = 0;
    clock.pass(61 * MINUTE, () => {
      const under = links.filter((link) => link.exchanging);
      most = Math.max(most, under.length);
      for (const link of under) link.exchanged();
    });
    assert.ok(links.every(({ begun }) => begun >= 1));
    assert.ok(most <= 24, `${most} at a time`);
  });
}

test("rekey: a peer that does not do its part is waited for a minute", (t) => {
  const clock = new Clock();
  const link = new Link(t, clock);
  link.exchanging = true;
  clock.pass(60_000);
  assert.deepEqual(link.violations, []);
  clock.pass(1000);
  assert.deepEqual(link.violations, ["did not exchange keys within 60 s"]);
});

test("rekey: the time in which this process stood still is not the peer's", (t) => {
  const clock = new Clock();
  const link = new Link(t, clock);
  link.exchanging = true;
  clock.pass(30_000);
  clock.now += 3_600_000;
  clock.watch.look();
  clock.pass(59_000);
  assert.deepEqual(link.violations, []);
});

test("rekey: a peer that exchanges keys again and again is broken off", (t) => {
  const clock = new Clock();
  const link = new Link(t, clock);
  for (let exchange = 0; exchange < 20; exchange++) link.exchanged();
  assert.deepEqual(link.violations, []);
  link.exchanged();
  assert.deepEqual(link.violations, ["exchanged keys again and again"]);
});

test("rekey: a peer with a small limit of its own may exchange keys as often as it likes, if it sends as much", (t) => {
  const link = new Link(t, new Clock());
  for (let exchange = 0; exchange < 1000; exchange++) {
    link.carry(MIB);
    link.exchanged();
  }
  assert.deepEqual(link.violations, []);
});

test("rekey: a peer with a short interval of its own may exchange keys as often, within reason", (t) => {
  const clock = new Clock();
  const link = new Link(t, clock);
  for (let exchange = 0; exchange < 1000; exchange++) {
    clock.pass(1000);
    link.exchanged();
  }
  assert.deepEqual(link.violations, []);
});

test("rekey: a peer that begins once a second may do so for ever, while this end begins in between", (t) => {
  const clock = new Clock();
  const link = new Link(t, clock, { rekeyLimit: MIB, rekeyInterval: 0 });
  for (let exchange = 0; exchange < 1000; exchange++) {
    clock.pass(1000);
    link.exchanged();
    link.carry(MIB);
    link.exchanged();
  }
  assert.equal(link.begun, 1000);
  assert.deepEqual(link.violations, []);
});

test("rekey: a peer to which an exchange does harm is waited for, up to what a key may carry", (t) => {
  const clock = new Clock();
  const link = new Link(t, clock);
  link.isFragile = true;
  clock.pass(120 * MINUTE);
  link.carry(500 * MIB);
  clock.pass(2 * MINUTE, () => link.carry(MIB));
  assert.equal(link.begun, 0);
  link.isFragile = false;
  clock.pass(1000);
  assert.equal(link.begun, 1);
  link.exchanged();
  link.isFragile = true;
  link.carry(2 ** 36);
  assert.equal(link.begun, 2);
});

test("rekey: an exchange that was due by what had been carried comes when it does no harm any more", (t) => {
  const clock = new Clock();
  const link = new Link(t, clock, { rekeyLimit: 100 * MIB, rekeyInterval: 0 });
  link.isFragile = true;
  link.carry(200 * MIB);
  clock.pass(MINUTE);
  assert.equal(link.begun, 0);
  link.isFragile = false;
  clock.pass(1000);
  assert.equal(link.begun, 1);
});
