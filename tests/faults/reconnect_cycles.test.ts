import assert from "node:assert/strict";
import test from "node:test";
import { Baseline } from "./world/baseline.ts";
import { type FaultWorld, makeFaultWorld } from "./world/fault_world.ts";
import { figure, secondsSince } from "./world/figure.ts";
import { inForm, SLOW } from "./world/form.ts";

const CYCLES = inForm(200, 1000);
/** Until buffers and pools have the size that they keep. */
const FIRST = 30;
/** MiB. The heap is collected on growth by a quarter, and comes back to within that. */
const MARGIN = 24;

/** Settles when the server has said once more than so many times that the client is connected. */
function connectedAgain(world: FaultWorld): () => Promise<unknown> {
  const text = `"msg":"${world.id} is connected`;
  let seen = world.server.daemon.process.lines.filter((line) => line.includes(text)).length;
  return () => {
    let line = 0;
    const wanted = ++seen;
    return world.server.daemon.process.line((printed) => printed.includes(text) && ++line >= wanted);
  };
}

test(`after ${CYCLES} lost tunnels both daemons hold what they held before`, SLOW, async (t) => {
  const fault = `${CYCLES} drop/reconnect cycles`;
  const world = await makeFaultWorld(t, { client: { "client.reconnectDelayMax": "50ms" } });
  const again = connectedAgain(world);
  const cycle = async () => {
    const connected = again();
    world.relay.reset();
    await connected;
    const { class: found, detail } = await world.caller().ask();
    assert.equal(found, "correct", detail);
  };
  for (let count = 0; count < FIRST; count++) await cycle();
  const baseline = await Baseline.of(world);
  const begun = performance.now();
  for (let count = 0; count < CYCLES; count++) await cycle();
  figure(fault, "a cycle with a request takes", secondsSince(begun) * 1000 / CYCLES, "ms");
  await baseline.check(fault, MARGIN);
});
