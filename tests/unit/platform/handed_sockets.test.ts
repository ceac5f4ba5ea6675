import assert from "node:assert/strict";
import { closeSync, openSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import test from "node:test";
import {
  canHandSockets,
  closeInherited,
  inheritSockets,
  ownSockets,
  takeInherited,
} from "../../../src/platform/handed_sockets.ts";
import { listen, stopListening } from "../../../src/platform/listen.ts";

const options = canHandSockets ? {} : { skip: "no descriptor can be inherited here" };

/** A server that says who it is. */
function sayer(t: test.TestContext, word: string): Server {
  const server = createServer((socket) => socket.end(word));
  t.after(() => void server.close());
  return server;
}

function ask(port: number): Promise<string> {
  return new Promise((resolve) => {
    connect(port, "127.0.0.1").on("data", (bytes) => resolve(String(bytes))).on(
      "error",
      (error) => resolve(error.message),
    );
  });
}

test(
  "handed sockets: those that are to be handed on are known by name, port and descriptor, until they are closed",
  options,
  async (t) => {
    const server = sayer(t, "old");
    const port = await listen(server, "127.0.0.1", 0, "[server] proxyPort", true);
    await listen(sayer(t, "other"), "127.0.0.1", 0, "[server] apiPort");
    const own = ownSockets();
    assert.deepEqual(own.map(({ name, port }) => ({ name, port })), [{ name: "127.0.0.1 0 [server] proxyPort", port }]);
    assert.ok((own[0]?.fd ?? -1) >= 0);
    await stopListening(server);
    assert.deepEqual(ownSockets(), []);
  },
);

test(
  "handed sockets: whoever listens on an inherited one gets its port, and accepts nothing before it may",
  options,
  async (t) => {
    const old = sayer(t, "old");
    const port = await listen(old, "127.0.0.1", 0, "here", true);
    const [socket] = ownSockets() as [{ name: string; port: number; fd: number }];
    // This process is its own successor.
    inheritSockets([socket], socket.fd);
    const successor = sayer(t, "new");
    assert.equal(await listen(successor, "127.0.0.1", 0, "here", true), port);
    assert.equal(successor.listening, false);
    assert.equal(await ask(port), "old");
    assert.equal(takeInherited(socket.name), undefined, "it is taken once");
  },
);

test("handed sockets: a name that nobody listens on any more is closed", options, () => {
  const fd = openSync("/dev/null", "r");
  inheritSockets([{ name: "gone", port: 1 }], fd);
  closeInherited();
  assert.throws(() => closeSync(fd), { code: "EBADF" });
  assert.equal(takeInherited("gone"), undefined);
});
