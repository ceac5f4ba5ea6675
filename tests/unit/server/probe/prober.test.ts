import assert from "node:assert/strict";
import test from "node:test";
import { Prober } from "../../../../src/server/probe/prober.ts";
import { Served, Tunnels } from "../../../../src/server/tunnels.ts";
import { MemoryLink } from "../../../world/memory_link.ts";

/** Services behind tunnels that are not there: what they are asked is counted, and the test moves the clock. */
class Services {
  now = 1_000_000;
  readonly tunnels = new Tunnels();
  readonly config = { openTimeout: 15_000, probeInterval: 60_000 };
  readonly prober = new Prober({ tunnels: this.tunnels, config: this.config, now: () => this.now });
  /** How often a channel to each was asked for. */
  readonly opened = new Map<string, number>();
  pings = 0;
  /** What the client says about its service; undefined accepts the channel. */
  refusal: string | undefined;
  /** What the service answers when something is sent to it. */
  answer = "";
  /** Channels that are asked for are not answered before this is settled. */
  gate: Promise<void> = Promise.resolve();

  add(id: string, probe?: string): Served {
    const link = {
      wire: { lastReceived: this.now, writable: true, greeting: "" },
      channels: 0,
      asked: -Infinity,
      pinged: -Infinity,
      answered: this.now,
      ping: () => {
        this.pings++;
        link.asked = link.pinged = this.now;
      },
    };
    const connection = { link, opening: 0, opensAtService: true, open: () => this.#open(id) };
    const served = new Served({ id } as never, connection as never, "", 1, "192.0.2.7", {
      maxChannels: 1000,
      maxPendingOpens: 1000,
    });
    if (probe !== undefined) this.tunnels.wish(id, { probe, host: "books.lan" });
    this.tunnels.add(served);
    return served;
  }

  async #open(id: string) {
    this.opened.set(id, this.of(id) + 1);
    await this.gate;
    if (this.refusal !== undefined) throw new Error(this.refusal);
    const memory = new MemoryLink();
    const { answer } = this;
    memory.onSent = ({ kind }) => kind === "data" && queueMicrotask(() => memory.receive(answer));
    return memory.channel;
  }

  of(id: string): number {
    return this.opened.get(id) ?? 0;
  }

  get total(): number {
    return [...this.opened.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Lets that much time pass, with a look at its end. @returns how many probes were begun */
  async pass(milliseconds: number): Promise<number> {
    const before = this.total;
    this.now += milliseconds;
    this.prober.look();
    await turns();
    return this.total - before;
  }
}

/** Until everything that can be done has been. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
}

test("prober: a service is probed once when it begins to be served, and by a bare connection no more while it is green", async () => {
  const services = new Services();
  const served = services.add("1001");
  assert.equal(await services.pass(0), 1);
  assert.equal(served.evidence.state(services.now, 1000), "green");
  for (let hour = 0; hour < 3; hour++) assert.equal(await services.pass(3_600_000), 0);
});

test("prober: a service that is red is probed every 15 s until it is green, without anybody asking", async () => {
  const services = new Services();
  const { evidence } = services.add("1001", "connect");
  services.refusal = "ECONNREFUSED";
  await services.pass(0);
  const light = evidence.light(services.now, 1000);
  assert.deepEqual([light.state, light.error, light.code], ["red", "ECONNREFUSED", "service-refused"]);
  assert.equal(await services.pass(14_999), 0);
  assert.equal(await services.pass(1), 1);
  services.refusal = undefined;
  assert.equal(await services.pass(15_000), 1);
  assert.equal(evidence.state(services.now, 1000), "green");
  assert.equal(await services.pass(15_000), 0);
});

test("prober: a kind that asks the service something is repeated when nothing was seen for probeInterval", async () => {
  const services = new Services();
  services.answer = "HTTP/1.1 200 OK\r\n";
  const { evidence } = services.add("1001", "/health");
  await services.pass(0);
  assert.equal(await services.pass(59_999), 0);
  assert.equal(await services.pass(1), 1);
  // Each caller's connection is as good.
  for (let minute = 0; minute < 5; minute++) {
    services.now += 30_000;
    evidence.reached(services.now, 1, "caller");
    assert.equal(await services.pass(30_000), 0);
  }
  services.config.probeInterval = 0;
  assert.equal(await services.pass(3_600_000), 0);
});

test("prober: what a service answers wrongly makes it red, and callers' connections do not make it green", async () => {
  const services = new Services();
  services.answer = "HTTP/1.1 503 Down for maintenance\r\n";
  const { evidence } = services.add("1001", "/health");
  await services.pass(0);
  assert.equal(evidence.light(services.now, 1000).error, "It answered GET /health with 503 Down for maintenance");
  evidence.reached(services.now, 1, "caller");
  assert.equal(evidence.state(services.now, 1000), "red");
  services.answer = "HTTP/1.1 200 OK\r\n";
  assert.equal(await services.pass(15_000), 1);
  assert.equal(evidence.state(services.now, 1000), "green");
});

test("prober: who wants no probes gets none, even while it is red", async () => {
  const services = new Services();
  const { evidence } = services.add("1001", "none");
  assert.equal(await services.pass(0), 0);
  evidence.failed(services.now, "service-refused", "ECONNREFUSED", "caller");
  assert.equal(await services.pass(60_000), 0);
});

test("prober: whoever asks while a probe is under way gets what comes of that one", async () => {
  const services = new Services();
  const served = services.add("1001");
  const all = await Promise.all([services.prober.probe(served), services.prober.probe(served)]);
  assert.deepEqual(all.map(({ reached }) => reached), [true, true]);
  assert.equal(services.total, 1);
});

test("prober: a thousand that come at once are probed 50 at a time, and all of them in their turn", async () => {
  const services = new Services();
  let open = () => {};
  services.gate = new Promise((resolve) => open = resolve);
  for (let id = 0; id < 1000; id++) services.add(String(id));
  assert.equal(await services.pass(0), 50);
  assert.equal(await services.pass(250), 0, "none is done");
  open();
  await turns();
  for (let ticks = 0; ticks < 30; ticks++) await services.pass(250);
  assert.equal(services.total, 1000);
  assert.equal(Math.max(...services.opened.values()), 1);
});

test("prober: services that do not come back keep none from its turn for ever", async () => {
  const services = new Services();
  services.refusal = "ETIMEDOUT";
  for (let id = 0; id < 200; id++) services.add(String(id));
  for (let ticks = 0; ticks < 240; ticks++) await services.pass(250);
  const counts = [...services.opened.values()];
  assert.equal(counts.length, 200);
  assert.ok(Math.min(...counts) >= 3, `${Math.min(...counts)} to ${Math.max(...counts)} times in a minute`);
});

test("prober: a tunnel through which nothing came back for 30 s is asked, once until it answers", async () => {
  const services = new Services();
  const { connection: { link } } = services.add("1001", "none");
  await services.pass(30_000);
  assert.equal(services.pings, 0);
  await services.pass(1);
  assert.equal(services.pings, 1);
  await services.pass(20_000);
  assert.equal(services.pings, 1);
  Object.assign(link, { answered: services.now });
  await services.pass(29_000);
  assert.equal(services.pings, 1);
});

test("prober: ten thousand registrations with nothing due cost next to nothing", async (t) => {
  const services = new Services();
  for (let id = 0; id < 10_000; id++) services.add(String(id)).evidence.reached(services.now, 1, "caller");
  const before = performance.now();
  for (let tick = 0; tick < 40; tick++) services.prober.look();
  const each = (performance.now() - before) / 10;
  t.diagnostic(`${each.toFixed(2)} ms for each second`);
  assert.ok(each < 100, `${each} ms`);
  assert.equal(services.total, 0);
});
