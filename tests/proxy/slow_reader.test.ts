import assert from "node:assert/strict";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { head, RawCaller } from "../world/raw_http.ts";
import { makeWorld } from "../world/world.ts";

/** Some of these end in the server's own buffers, behind as much as the kernel's take. */
const SIZES = Array.from({ length: 40 }, (_, index) => 2_500_000 + index * 100_000);

test("callers that stall for a while get the whole of an answer after which their connection is closed", async (t) => {
  const world = await makeWorld(t, (socket) => {
    socket.once("data", (bytes: Buffer) => {
      const size = Number(/\/(\d+) /.exec(bytes.toString("latin1"))?.[1]);
      socket.write(head("HTTP/1.1 200 OK", `Content-Length: ${size}`));
      socket.end(Buffer.alloc(size, "x"));
    });
  });
  await Promise.all(SIZES.map(async (size) => {
    const caller = new RawCaller(world.proxyPort);
    caller.socket.pause();
    caller.send(head(`GET /${size} HTTP/1.1`, `Host: ${world.id}`, "Connection: close"));
    // Longer than a connection that is closing is read for a last time.
    await sleep(4000);
    caller.socket.resume();
    assert.equal(await caller.closed, "end");
    assert.equal(caller.received.length - caller.received.indexOf("\r\n\r\n") - 4, size);
  }));
});
