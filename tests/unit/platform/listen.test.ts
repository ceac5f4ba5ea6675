import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { connect, createServer, type Server } from "node:net";
import test from "node:test";
import { listen, stopListening } from "../../../src/platform/listen.ts";
import type { Scope } from "../../world/world.ts";

const SETTING = "[server] proxyPort";

function newServer(scope: Scope): Server {
  const server = createServer((socket) => socket.end("hello"));
  scope.after(() => void server.close());
  return server;
}

test("listen: the system chooses a port where 0 is asked for, and it answers", async (t) => {
  const port = await listen(newServer(t), "127.0.0.1", 0, SETTING);
  assert.ok(port > 0);
  const socket = connect(port, "127.0.0.1");
  const [bytes] = await once(socket, "data");
  assert.equal(String(bytes), "hello");
  socket.destroy();
});

test("listen: a star is every address", async (t) => {
  const server = newServer(t);
  await listen(server, "*", 0, SETTING);
  const { address } = server.address() as { address: string };
  assert.ok(address === "::" || address === "0.0.0.0", address);
});

test("listen: a port that is in use is told with the setting that names it", async (t) => {
  const port = await listen(newServer(t), "127.0.0.1", 0, SETTING);
  await assert.rejects(listen(newServer(t), "127.0.0.1", port, SETTING), {
    name: "PetitError",
    code: "port-in-use",
    message: `Cannot listen on 127.0.0.1, port ${port}: another program uses that port`,
    hint: `Stop that program, or set another port as ${SETTING}`,
  });
});

test("listen: an address that is not this machine's is told with the setting beside it", async (t) => {
  // 192.0.2.0/24 is nobody's (RFC 5737).
  await assert.rejects(
    listen(newServer(t), "192.0.2.1", 0, SETTING),
    (error: Error & { code: string; hint: string }) => {
      assert.equal(error.code, "address-unusable");
      assert.ok(error.message.startsWith("Cannot listen on 192.0.2.1, port 0: "), error.message);
      assert.ok(error.hint.includes(SETTING));
      return true;
    },
  );
});

/** A server whose system lets it listen nowhere: whoever runs the tests may be allowed to. */
class ForbiddenServer extends EventEmitter {
  listen(): void {
    queueMicrotask(() => this.emit("error", Object.assign(new Error("listen EACCES"), { code: "EACCES" })));
  }
}

test("listen: a port that this user may not use is told with the setting and the way out", async () => {
  await assert.rejects(listen(new ForbiddenServer() as unknown as Server, "*", 443, SETTING), {
    name: "PetitError",
    code: "port-forbidden",
    message: "Cannot listen on every address, port 443: this user may not use that port",
    hint: /above 1023 as \[server\] proxyPort.*CAP_NET_BIND_SERVICE/,
  });
});

test("listen: a server that failed to listen can be told to listen elsewhere", async (t) => {
  const port = await listen(newServer(t), "127.0.0.1", 0, SETTING);
  const server = newServer(t);
  await assert.rejects(listen(server, "127.0.0.1", port, SETTING));
  assert.notEqual(await listen(server, "127.0.0.1", 0, SETTING), port);
});

test("stop listening: the port is free again, and stopping twice does no harm", async (t) => {
  const server = newServer(t);
  const port = await listen(server, "127.0.0.1", 0, SETTING);
  await stopListening(server);
  await stopListening(server);
  assert.equal(await listen(newServer(t), "127.0.0.1", port, SETTING), port);
});
