import assert from "node:assert/strict";
import { connect, createServer, type Socket } from "node:net";
import test from "node:test";
import { exchange, head, statusOf } from "../world/raw_http.ts";
import { listenOn, startService, TestClient, TestServer } from "../world/world.ts";

/** Passes everything on a byte at a time, each in a turn of its own, for as long as the first `bytes` last. */
function sliceByByte(from: Socket, to: Socket, bytes: number): void {
  let passed = 0;
  let last = Promise.resolve();
  from.on("data", (chunk: Buffer) => {
    last = last.then(async () => {
      let at = 0;
      for (; at < chunk.length && passed < bytes; at++, passed++) {
        to.write(chunk.subarray(at, at + 1));
        // The other end has read it before the next one comes.
        for (let turn = 0; turn < 4; turn++) await new Promise(setImmediate);
      }
      if (at < chunk.length) to.write(chunk.subarray(at));
    });
  });
  from.on("close", () => to.destroy()).on("error", () => {});
}

test("a login whose bytes come one by one, on either side, succeeds", async (t) => {
  const service = await startService(t, (socket) => {
    socket.once("data", () => socket.end(head("HTTP/1.1 200 OK", "Content-Length: 2") + "ok"));
  });
  const server = await new TestServer(t).start();
  const relay = createServer({ noDelay: true }, (near) => {
    const far = connect({ port: server.running.sshPort, host: "127.0.0.1", noDelay: true });
    sliceByByte(near, far, 3000);
    sliceByByte(far, near, 3000);
  });
  t.after(() => void relay.close());
  const port = await listenOn(relay);
  const client = new TestClient(t, server, service.port);
  client.config.client.port = port;
  await client.register({ ...server.joinCode(), port });
  await client.start();
  const request = head("GET / HTTP/1.1", `Host: ${client.registered.registeredId}`, "Connection: close");
  assert.equal(statusOf(await exchange(server.running.proxyPort, request)), 200);
  await client.stop();
});
