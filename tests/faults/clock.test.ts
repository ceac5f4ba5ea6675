import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { peerTest } from "../peers/peer_test.ts";
import { ClientProcess } from "../world/executable.ts";
import { makeFaultWorld } from "./world/fault_world.ts";
import { FakedClock, hasFakedClock } from "./world/faked_clock.ts";
import { figure } from "./world/figure.ts";
import { inForm } from "./world/form.ts";
import { MixedLoad } from "./world/mixed_load.ts";

const HOUR = 3600;
/** Milliseconds after each jump; in the long form longer than a peer may be silent. */
const AFTER = inForm(2000, 12_000);

/** What a daemon takes for the time, in milliseconds since 1970. */
async function timeOf({ folder }: { folder: string }, role: "server" | "client"): Promise<number> {
  const { api } = JSON.parse(readFileSync(join(folder, `${role}.pid`), "utf8")) as { api: number };
  const answer = await fetch(`http://127.0.0.1:${api}/ping`, { headers: { connection: "close" } });
  return new Date(answer.headers.get("date") ?? "").getTime();
}

peerTest("a clock that jumps an hour to and fro on either side ends no tunnel and no request", [{
  name: "libfaketime (faketime)",
  met: () => hasFakedClock,
}], async (t) => {
  const clocks = { server: new FakedClock(t), client: new FakedClock(t) };
  const world = await makeFaultWorld(t, { serverEnv: clocks.server.env, clientEnv: clocks.client.env });
  const early = await world.server.joinCode();
  const tunnels = world.relay.accepted;
  const load = new MixedLoad(world.caller(10_000), { callers: 6, pause: 50, random: Math.random });
  for (const role of ["server", "client"] as const) {
    for (const offset of [HOUR, 0, -HOUR, 0]) {
      clocks[role].set(offset);
      await sleep(AFTER / 2);
      const { class: found, detail } = await world.caller(5000).ask();
      assert.equal(found, "correct", `${role} at ${offset} s: ${detail}`);
      const wrong = await timeOf(world[role], role) - Date.now() - offset * 1000;
      assert.ok(Math.abs(wrong) < 10_000, `the clock of the ${role} was not set: ${wrong} ms`);
      await sleep(AFTER / 2);
      const log = readFileSync(join(world[role].folder, `logs/${role}.log`), "utf8").trimEnd().split("\n");
      for (const line of log) assert.ok(Number.isFinite(new Date(JSON.parse(line).time).getTime()), line);
    }
  }
  // A code is good for its 24 hours, whatever hour it is by now.
  clocks.server.set(HOUR);
  await new ClientProcess(t).register(early, world.client.port);
  await new ClientProcess(t).register(await world.server.joinCode(), world.client.port);
  clocks.server.set(-HOUR);
  await new ClientProcess(t).register(await world.server.joinCode(), world.client.port);
  const tally = await load.stop();
  figure("clock ±1 h on server and client", "tunnels lost", world.relay.accepted - tunnels, "");
  figure("clock ±1 h on server and client", "correct requests", tally.counts.correct, "");
  figure("clock ±1 h on server and client", "other outcomes", tally.total - tally.counts.correct, "");
  assert.equal(world.relay.accepted, tunnels);
  assert.deepEqual([tally.counts.correct, tally.reasons], [tally.total, {}]);
});
