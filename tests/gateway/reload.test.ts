import assert from "node:assert/strict";
import test from "node:test";
import { parseConfig } from "../../src/config/load.ts";
import { head, RawCaller, takeAnswer } from "../world/raw_http.ts";
import { makeWorld, type World } from "../world/world.ts";

/** What the service saw of the client's address, for a caller that says it is somebody else. */
async function seenBy({ proxyPort, id }: World): Promise<string> {
  const caller = new RawCaller(proxyPort);
  caller.send(head("GET / HTTP/1.1", `Host: ${id}.example.com`, "X-Forwarded-For: 192.0.2.7", "Connection: close"));
  const { body } = await takeAnswer(caller);
  caller.close();
  return body;
}

test("a reload is in force for the next request, and tunnels stay", async (t) => {
  const world = await makeWorld(t, (socket) => {
    socket.on("data", (bytes) => {
      const seen = /x-forwarded-for: (.*)\r/i.exec(bytes.toString())?.[1] ?? "";
      socket.end(head("HTTP/1.1 200 OK", `Content-Length: ${seen.length}`) + seen);
    });
  });
  const { control } = world.server.running;
  const since = control.statusOf(world.id).tunnel?.since;
  assert.equal(await seenBy(world), "127.0.0.1");

  const read = parseConfig('[server]\ntrustedProxies = ["127.0.0.0/8"]\n', `${world.server.folder}/config.toml`).server;
  assert.ok(control.reload(read).changed.includes("server.trustedProxies"));
  assert.equal(await seenBy(world), "192.0.2.7, 127.0.0.1");
  assert.equal(control.statusOf(world.id).tunnel?.since, since);
});
