import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type FaultWorldOptions, makeFaultWorld } from "./world/fault_world.ts";
import { figure, secondsSince } from "./world/figure.ts";
import { inForm, SLOW } from "./world/form.ts";
import { type Outcome, Tally } from "./world/outcome.ts";

/** Bytes a second. */
const BANDWIDTH = 64 * 1024;
/** Half of 167 ms there and back, with the jitter's mean. */
const LATENCY = { latency: 78.5, jitter: 10, bandwidth: BANDWIDTH };
/** Milliseconds: what the kernels between caller and relay hold takes half a minute and more. */
const PATIENCE = 120_000;

test("over 167 ms, 64 KB/s and slices of one byte all bytes are equal, and nothing times out", SLOW, async (t) => {
  const fault = "167 ms round trip with jitter, 64 KB/s, one-byte slices";
  const bytes = inForm(300_000, 1_500_000);
  const begun = performance.now();
  const world = await makeFaultWorld(t, { faults: { both: { ...LATENCY, slice: 1 } } });
  figure(fault, "registered and connected after", secondsSince(begun), "s");
  const tunnels = world.relay.accepted;
  const caller = world.caller(PATIENCE);
  const steps: (() => Promise<Outcome | Outcome[]>)[] = [
    () => caller.ask(),
    () => caller.upload(bytes),
    () => caller.download(bytes),
    () => Promise.all([caller.upload(bytes / 3), caller.download(bytes / 3, { chunked: true })]),
    () => caller.keptAlive(10),
    () => caller.events(10, 20),
    () => caller.webSocket(4, 5000),
    () => caller.tcp(4, 5000),
  ];
  const tally = new Tally();
  for (const step of steps) {
    for (const outcome of [await step()].flat()) {
      tally.add(outcome);
      if (outcome.kind === "upload" || outcome.kind === "download") {
        figure(fault, `${outcome.kind} of ${bytes / 1000} KB or a part of it took`, outcome.milliseconds / 1000, "s");
      }
    }
  }
  figure(fault, "tunnels lost", world.relay.accepted - tunnels, "");
  assert.deepEqual([tally.counts.correct, tally.reasons], [tally.total, {}]);
  assert.equal(world.relay.accepted, tunnels);
});

test(
  "a tunnel that one transfer fills for longer than 10 s is not lost, and other callers are answered",
  SLOW,
  async (t) => {
    const checks = await Promise.all((["upload", "download"] as const).map((direction) => fill(t, direction)));
    for (const check of checks) check();
  },
);

test(
  "a slow tunnel that one transfer fills is not lost while both ends change its keys every two seconds",
  SLOW,
  async (t) => {
    const settings = { server: { "server.ssh.rekeyInterval": "2s" }, client: { "client.rekeyInterval": "2s" } };
    const checks = await Promise.all(
      (["upload", "download"] as const).map((direction) => fill(t, direction, settings)),
    );
    for (const check of checks) check();
  },
);

/** Fills one direction of a tunnel, and returns what checks what became of that. */
async function fill(
  t: TestContext,
  direction: "upload" | "download",
  settings: FaultWorldOptions = {},
): Promise<() => void> {
  const fault = `64 KB/s filled by one ${direction}${settings.server === undefined ? "" : ", new keys every 2 s"}`;
  const bytes = inForm(900_000, 2_500_000);
  const world = await makeFaultWorld(t, settings);
  await world.relay.set({ both: LATENCY });
  const tunnels = world.relay.accepted;
  const caller = world.caller(PATIENCE);
  const begun = performance.now();
  let over = false;
  const transfer = caller[direction](bytes).finally(() => over = true);
  const asking: Promise<Outcome>[] = [];
  while (!over) {
    asking.push(caller.ask());
    await Promise.race([sleep(2000), transfer]);
  }
  const outcome = await transfer;
  const seconds = secondsSince(begun);
  const asked = await Promise.all(asking);
  return () => {
    figure(fault, "lasted", seconds, "s");
    figure(fault, "slowest small request meanwhile", Math.max(...asked.map((one) => one.milliseconds)) / 1000, "s");
    figure(fault, "tunnels lost", world.relay.accepted - tunnels, "");
    assert.equal(outcome.class, "correct", outcome.detail);
    assert.ok(seconds > 10, `it took ${seconds} s only`);
    assert.equal(world.relay.accepted, tunnels);
    assert.deepEqual(asked.filter((one) => one.class !== "correct"), []);
  };
}
