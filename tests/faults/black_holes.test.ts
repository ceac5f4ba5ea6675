import assert from "node:assert/strict";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileScope } from "../world/file_scope.ts";
import { clientTunnelSince, serverSaysConnected, within } from "./world/daemon_status.ts";
import { type FaultWorld, makeFaultWorld } from "./world/fault_world.ts";
import type { DirectionFaults } from "./world/faults.ts";
import { figure } from "./world/figure.ts";
import { inForm, SLOW } from "./world/form.ts";
import { answeredAgain, DETECTION, RECOVERY } from "./world/recovery.ts";

/** "forget": as "drop", and what was connected or connecting until the hole is healed is lost for good, as behind a firewall. */
type Hole = Exclude<DirectionFaults["hole"], "none"> | "forget";

const DIRECTIONS = {
  "client to server": "up",
  "server to client": "down",
  "both ways": "both",
} as const;

/** Where each hole is, what it does, and the seconds that it lasts, in the short form and in the long one. */
const HOLES: [where: keyof typeof DIRECTIONS, how: Hole, short: number[]][] = [
  ["both ways", "stall", [12]],
  ["both ways", "drop", [3]],
  ["both ways", "forget", [12]],
  ["client to server", "stall", [5]],
  ["client to server", "drop", [12]],
  ["server to client", "stall", [12]],
  ["server to client", "drop", [5]],
];
const LONG = [3, 6, 9, 12, 18, 25];
/** Shorter holes are over before anybody has to know of them. */
const LONG_FORGOTTEN = [11, 12, 18, 25];

/** Milliseconds between two holes: a client begins at once after a tunnel that stood for 10 s, and waits longer and longer otherwise. */
const LIVED = 11_000;

/** A poll more than the bound itself. */
const POLLED = 300;

const scope = fileScope();

// At the same time, each in a world of its own: what takes long is waiting.
const passed = Promise.all(HOLES.map(async ([where, how, short]) => {
  const found: (() => void)[] = [];
  const world = await makeFaultWorld(scope);
  for (const seconds of inForm(short, how === "forget" ? LONG_FORGOTTEN : LONG)) {
    if (found.length > 0) await sleep(LIVED);
    found.push(await fallInto(world, where, how, seconds));
  }
  return found;
}));
passed.catch(() => {});

for (const [index, [where, how]] of HOLES.entries()) {
  test(
    `a black hole ${where} (${how}) is noticed within 10 s, and answered within 2 s once it is healed`,
    SLOW,
    async () => {
      for (const check of (await passed)[index] ?? []) check();
    },
  );
}

/** Lets the world fall into a hole, heals it, and returns what checks the figures of that. */
async function fallInto(
  world: FaultWorld,
  where: keyof typeof DIRECTIONS,
  how: Hole,
  seconds: number,
): Promise<() => void> {
  const fault = `black hole ${where} (${how}), ${seconds} s`;
  assert.equal((await world.caller().ask()).class, "correct");
  const tunnel = await clientTunnelSince(world);
  const begun = performance.now();
  await world.relay.set({ [DIRECTIONS[where]]: { hole: how === "stall" ? "stall" : "drop" } });
  const during = world.caller().ask();
  const bound = Math.min(seconds * 1000, DETECTION + POLLED);
  const [server, client] = await Promise.all([
    within(bound, async () => !await serverSaysConnected(world)),
    within(bound, async () => await clientTunnelSince(world) !== tunnel),
  ]);
  await sleep(Math.max(0, seconds * 1000 - (performance.now() - begun)));
  if (how === "forget") world.relay.forget();
  await world.relay.heal();
  const { milliseconds, outcomes } = await answeredAgain(world);
  outcomes.push(await during, ...await Promise.all(Array.from({ length: 5 }, () => world.caller().tcp(1, 1000))));
  if (bound > DETECTION) {
    figure(fault, "found dead by the server after", (server ?? NaN) / 1000, "s");
    figure(fault, "found dead by the client after", (client ?? NaN) / 1000, "s");
  }
  figure(fault, "answered again after healing, in", (milliseconds ?? NaN) / 1000, "s");
  return () => {
    if (bound > DETECTION) {
      assert.ok(server !== undefined, "the server has not found it dead");
      assert.ok(client !== undefined, "the client has not found it dead");
    }
    assert.ok(milliseconds !== undefined && milliseconds <= RECOVERY, `answered after ${milliseconds} ms`);
    for (const outcome of outcomes) {
      assert.ok(["correct", "refused"].includes(outcome.class), JSON.stringify(outcome));
    }
    assert.deepEqual(outcomes.slice(-5).map((outcome) => outcome.class), Array(5).fill("correct"));
  };
}
