import assert from "node:assert/strict";
import test from "node:test";
import { parseConfig } from "../../../src/config/load.ts";
import { type AliveTimes, AliveWatch, type AliveWire } from "../../../src/tunnel/keepalive.ts";

const { server } = parseConfig("", "/nowhere/config.toml");
/** The defaults. */
const TIMES = { interval: server.ssh.clientAliveInterval, countMax: server.ssh.clientAliveCountMax };

/** A watch whose clock goes when it is told to, and a peer of which every sign is noted. */
class Peer {
  now = 100_000;
  readonly wire: { -readonly [Name in keyof AliveWire]: AliveWire[Name] };
  readonly signs: string[] = [];
  readonly watch = new AliveWatch(() => this.now);
  readonly begun = this.now;
  /** Whether it answers. */
  answers = false;
  readonly stop: () => void;

  constructor(times: AliveTimes = TIMES, greeting = "SSH-2.0-petit_1.0.0\r\n") {
    this.wire = { lastReceived: this.now, lastSent: this.now, unanswered: 0, greeting };
    this.stop = this.watch.add(this.wire, times, () => this.#ask(), (silent) => this.#note(`lost ${silent}`));
  }

  #ask(): void {
    this.#note("ask");
    this.wire.lastSent = this.now;
    if (this.answers) this.wire.lastReceived = this.now;
  }

  #note(what: string): void {
    this.signs.push(`${(this.now - this.begun) / 1000} s: ${what}`);
  }

  /** Lets time pass, with a look every half second, as the timer has it. */
  pass(milliseconds: number, each: () => void = () => {}): this {
    for (let passed = 0; passed < milliseconds; passed += 500) {
      this.now += 500;
      each();
      this.watch.look();
    }
    return this;
  }
}

test("keep-alive: a silent peer is asked so many times, and given up once, within ten seconds by default", (t) => {
  const peer = new Peer();
  t.after(peer.stop);
  peer.pass(30_000);
  assert.deepEqual(peer.signs, ["4 s: ask", "8 s: lost 8000"]);
});

test("keep-alive: a peer that answers is never given up, and is asked once an interval", (t) => {
  const peer = new Peer();
  t.after(peer.stop);
  peer.answers = true;
  peer.pass(60_000);
  assert.equal(peer.signs.length, 15);
  assert.ok(peer.signs.every((sign) => sign.endsWith("ask")));
});

test("keep-alive: a peer that answers the last question only begins anew", (t) => {
  const peer = new Peer();
  t.after(peer.stop);
  peer.pass(7500);
  peer.wire.lastReceived = peer.now;
  peer.pass(30_000);
  assert.deepEqual(peer.signs, ["4 s: ask", "8 s: ask", "12 s: ask", "15.5 s: lost 8000"]);
});

test("keep-alive: nobody asks while bytes go both ways", (t) => {
  const peer = new Peer();
  t.after(peer.stop);
  peer.pass(60_000, () => peer.wire.lastReceived = peer.wire.lastSent = peer.now);
  assert.deepEqual(peer.signs, []);
});

test("keep-alive: who only receives says something all the same, so that the other end hears it", (t) => {
  const peer = new Peer();
  t.after(peer.stop);
  peer.pass(12_000, () => peer.wire.lastReceived = peer.now);
  assert.deepEqual(peer.signs, ["4 s: ask", "8 s: ask", "12 s: ask"]);
});

test("keep-alive: a peer that is sent a lot counts as lost as soon as it is not heard", (t) => {
  const peer = new Peer();
  t.after(peer.stop);
  peer.wire.unanswered = 2 ** 21;
  peer.pass(8000);
  assert.equal(peer.signs.at(-1), "8 s: lost 8000");
});

test("keep-alive: a peer of another make, which speaks only when asked, is waited for while the question stands behind a lot", (t) => {
  const peer = new Peer(TIMES, "SSH-2.0-OpenSSH_9.2\r\n");
  t.after(peer.stop);
  peer.wire.unanswered = 2 ** 21;
  peer.pass(39_500);
  assert.ok(!peer.signs.some((sign) => sign.includes("lost")));
  peer.pass(500);
  assert.equal(peer.signs.at(-1), "40 s: lost 40000");
});

test("keep-alive: a process that stood still asks first, since what came meanwhile has not been read", (t) => {
  const peer = new Peer();
  t.after(peer.stop);
  peer.now += 15_000;
  peer.watch.look();
  assert.deepEqual(peer.signs, ["15 s: ask"]);
  peer.pass(7500);
  assert.ok(!peer.signs.some((sign) => sign.includes("lost")));
  peer.pass(500);
  assert.equal(peer.signs.at(-1), "23 s: lost 23000");
});

test("keep-alive: once it is stopped nobody is asked or given up", () => {
  const peer = new Peer();
  peer.pass(4000);
  peer.stop();
  peer.pass(30_000);
  assert.deepEqual(peer.signs, ["4 s: ask"]);
});

test("keep-alive: an interval of 0 asks nobody and gives nobody up, as in OpenSSH", (t) => {
  const peer = new Peer({ interval: 0, countMax: 3 });
  t.after(peer.stop);
  peer.pass(60_000);
  assert.deepEqual(peer.signs, []);
});
