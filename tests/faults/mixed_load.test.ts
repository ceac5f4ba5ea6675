import assert from "node:assert/strict";
import test from "node:test";
import { startService } from "../world/world.ts";
import { Baseline } from "./world/baseline.ts";
import { FaultRelay } from "./world/fault_relay.ts";
import { makeFaultWorld } from "./world/fault_world.ts";
import { figure } from "./world/figure.ts";
import { inForm, isLong, mixedMinutes, seed, SLOW } from "./world/form.ts";
import { MixedLoad } from "./world/mixed_load.ts";
import { seeded } from "./world/random.ts";
import { randomFaults } from "./world/random_faults.ts";
import { answeredAgain, RECOVERY } from "./world/recovery.ts";
import { serveVerifiably } from "./world/verifying_service.ts";

const LASTS = isLong ? mixedMinutes * 60_000 : 20_000;
/** Until everything has happened once or so, and memory has the size that it keeps. */
const FIRST = inForm(5000, 120_000);
const LONGEST = inForm(2500, 20_000);
/** MiB */
const MARGIN = 40;
const PATIENCE = 45_000;

test("mixed load with random faults: no byte wrong, no request stuck, no growth", SLOW, async (t) => {
  const fault = `mixed load with random faults, ${LASTS / 60_000 >= 1 ? `${LASTS / 60_000} min` : `${LASTS / 1000} s`}`;
  console.log(`${fault}: PETIT_FAULTS_SEED=${seed}`);
  const service = await FaultRelay.to(t, (await startService(t, serveVerifiably)).port);
  const world = await makeFaultWorld(t, {
    servicePort: service.port,
    random: seeded(seed),
    // Tunnels that last for seconds only are the rule here, and are not what is tested: a client would wait longer and longer.
    client: { "client.reconnectDelayMax": "1s" },
  });
  const pids = [world.client.daemon.pid, world.server.daemon.pid];
  const faults = { tunnel: world.relay, service, pids, longest: LONGEST, pause: 1500, random: seeded(seed + 1) };
  const load = () => new MixedLoad(world.caller(PATIENCE), { callers: 12, pause: 50, random: seeded(seed + 2) });
  const first = load();
  const recovery = async () => (await answeredAgain(world)).milliseconds;
  await randomFaults(faults, FIRST, recovery);
  const early = await first.stop();
  const baseline = await Baseline.of(world);
  const running = load();
  const past = await randomFaults(faults, LASTS, recovery);
  const tally = await running.stop();
  console.log(`${fault}: ${tally}; ${JSON.stringify(tally.reasons)}`);
  figure(fault, "faults", past.length, "");
  for (const [name, count] of Object.entries(tally.counts)) figure(fault, `${name} requests`, count, "");
  const late = past.filter(({ recovered = Infinity, bound }) => recovered > bound);
  for (const isLasting of [false, true]) {
    const times = past.filter(({ bound }) => bound > RECOVERY === isLasting).map(({ recovered }) => recovered ?? NaN);
    const after = isLasting ? "a connection was lost unnoticed" : "healing";
    figure(fault, `slowest answer after ${after}`, Math.max(0, ...times) / 1000, "s");
  }
  assert.deepEqual([...early.inexcusable, ...tally.inexcusable], []);
  assert.ok(tally.counts.correct > 0);
  assert.deepEqual(late, []);
  await baseline.check(fault, MARGIN);
});
