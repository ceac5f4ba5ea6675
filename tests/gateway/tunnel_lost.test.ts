import assert from "node:assert/strict";
import test from "node:test";
import { RawCaller } from "../world/raw_http.ts";
import { keyOf, SshPeer } from "../world/ssh_peer.ts";
import { makeWorld } from "../world/world.ts";

for (const how of ["ends", "breaks off"]) {
  test(`a caller in mid-stream is reset when the tunnel's connection ${how}, since an orderly end would look whole`, async (t) => {
    const world = await makeWorld(t, (socket) => socket.resume(), { client: 'reconnectDelayMax = "60s"' });
    const peer = new SshPeer(t);
    await peer.login(world.server, world.id, [keyOf(world.client)]);
    await peer.forward("127.0.0.1", world.rawPort);
    peer.client.on("tcp connection", (_, accept) => accept().write("the first half"));
    const caller = new RawCaller(world.rawPort);
    await caller.untilText("the first half");
    // deno-lint-ignore no-explicit-any
    const socket = (peer.client as any)._sock;
    if (how === "ends") socket.end();
    else socket.resetAndDestroy();
    assert.equal(await caller.closed, "ECONNRESET");
  });
}
