import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import test, { type TestContext } from "node:test";
import { type Executables, petit, startExecutables } from "../world/executable.ts";
import { type Background, background } from "../world/processes.ts";

const SLOW = { timeout: 120_000 };
const PEER = fileURLToPath(new URL("../world/ws_peer.mjs", import.meta.url));

/** A caller and a service that are the package "ws", in the middle of many messages. */
async function busyWorld(t: TestContext): Promise<Executables & { caller: Background; service: Background }> {
  const service = background(t, "node", [PEER, "service"]);
  const { port } = JSON.parse(await service.line((line) => line.includes("port")));
  const settings = { "server.drainFor": "60s" };
  const world = await startExecutables(t, port, { server: settings, client: { "client.drainFor": "60s" } });
  const caller = background(t, "node", [PEER, "caller", `ws://127.0.0.1:${world.proxyPort}/`, world.host]);
  await caller.line((line) => line.includes("received"));
  return { ...world, caller, service };
}

const COMMANDS = {
  "server stop": ({ server }: Executables) => petit(["server", "stop", "-c", server.config]),
  "client stop": ({ client }: Executables) => petit(["client", "stop", "-c", client.config]),
};

for (const [name, stop] of Object.entries(COMMANDS)) {
  test(`${name} ends the WebSockets of others' software with code 1001, and waits for no more`, SLOW, async (t) => {
    const world = await busyWorld(t);
    const begun = performance.now();
    assert.equal((await stop(world)).code, 0);
    t.diagnostic(`${name} took ${Math.round(performance.now() - begun)} ms`);
    for (const peer of [world.caller, world.service]) {
      await peer.line((line) => line.includes("connection"));
      const said = peer.lines.map((line) => JSON.parse(line)).filter((said) => !("port" in said || "received" in said));
      assert.deepEqual(new Set(said), new Set([{ code: 1001 }, { connection: "ended" }]));
    }
    assert.ok(performance.now() - begun < 30_000, "it did not wait for drainFor");
  });
}
