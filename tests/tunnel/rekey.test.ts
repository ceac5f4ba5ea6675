import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import test from "node:test";
import { Server } from "../../src/tunnel/ssh_library.ts";
import { makeWorld } from "../world/world.ts";

test("bytes in both directions survive key exchanges in mid-stream", async (t) => {
  // The library's connection object is not handed out; this finds it where it is made.
  const connections: { rekey(done: (error?: Error) => void): void }[] = [];
  const { emit } = Server.prototype;
  Server.prototype.emit = function (this: object, event: string, ...args: unknown[]) {
    if (event === "connection") connections.push(args[0] as never);
    return emit.call(this as never, event as never, ...args as never[]);
  } as never;
  t.after(() => void (Server.prototype.emit = emit));

  const world = await makeWorld(t, (socket) => socket.pipe(socket));
  const sent = randomBytes(24 * 1024 * 1024);
  const caller = connect({ port: world.rawPort, host: "127.0.0.1", allowHalfOpen: true });
  const hash = createHash("sha256");
  let received = 0;
  let exchanges = 0;
  caller.on("data", (bytes: Buffer) => {
    hash.update(bytes);
    received += bytes.length;
    if (received > (exchanges + 1) * 4 * 1024 * 1024 && exchanges < 4) {
      exchanges++;
      connections.at(-1)?.rekey(() => {});
    }
  });
  caller.write(sent);
  caller.end();
  await once(caller, "end");
  assert.equal(exchanges, 4);
  assert.equal(received, sent.length);
  assert.equal(hash.digest("hex"), createHash("sha256").update(sent).digest("hex"));
});
