import assert from "node:assert/strict";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Baseline } from "./world/baseline.ts";
import { makeFaultWorld } from "./world/fault_world.ts";
import { figure } from "./world/figure.ts";
import { FlappingService } from "./world/flapping_service.ts";
import { inForm, SLOW } from "./world/form.ts";
import { MixedLoad } from "./world/mixed_load.ts";

const EVERY = 500;
const FLAPS = inForm(16, 240);
/** MiB */
const MARGIN = 24;

test("while a service opens and closes every 500 ms its callers get right answers or a clean 502", SLOW, async (t) => {
  const fault = `service flapping every ${EVERY} ms`;
  const service = await FlappingService.start(t);
  const world = await makeFaultWorld(t, { servicePort: service.port });
  const caller = world.caller(10_000);
  for (let warm = 0; warm < 200; warm++) await caller.ask();
  const baseline = await Baseline.of(world);
  const accepted = world.relay.accepted;
  const load = new MixedLoad(caller, { callers: 8, pause: 40, random: Math.random, kinds: ["ask", "keptAlive"] });
  for (let flap = 0; flap < FLAPS; flap++) {
    await sleep(EVERY);
    if (flap % 2 === 0) service.close();
    else await service.open();
  }
  if (FLAPS % 2 === 1) await service.open();
  const tally = await load.stop();
  console.log(`${fault}: ${tally}; ${JSON.stringify(tally.reasons)}`);
  figure(fault, "correct answers", tally.counts.correct, "");
  figure(fault, "clean 502", tally.counts.refused, "");
  figure(fault, "other outcomes", tally.total - tally.counts.correct - tally.counts.refused, "");
  assert.equal(tally.counts.correct + tally.counts.refused, tally.total, JSON.stringify(tally.inexcusable));
  assert.ok(tally.counts.correct > 0 && tally.counts.refused > 0);
  for (const reason of Object.keys(tally.reasons)) assert.match(reason, /^502 /);
  const afterwards = await Promise.all(Array.from({ length: 50 }, () => caller.ask()));
  assert.deepEqual(afterwards.map((outcome) => outcome.class), Array(50).fill("correct"));
  assert.equal(world.relay.accepted, accepted, "the tunnel was lost");
  await baseline.check(fault, MARGIN);
});
