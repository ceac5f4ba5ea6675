import assert from "node:assert/strict";
import test from "node:test";
import { generateKey } from "../../../src/tunnel/keys.ts";
import { generateRsaKey } from "../../../src/tunnel/rsa_key.ts";
import { connectSsh } from "../../../src/tunnel/ssh_client.ts";
import { type Connection, type ConnectionInternals, Server } from "../../../src/tunnel/ssh_library.ts";
import { listenOn } from "../../world/world.ts";

const { privatePem } = generateRsaKey();

for (
  const [which, silent] of [["that says which signatures it takes", false], [
    "that says nothing of them",
    true,
  ]] as const
) {
  test(`RSA login: SHA-2 at a server ${which}`, async (t) => {
    const algorithms: string[] = [];
    const server = new Server({ hostKeys: [generateKey("host").privatePem] }, (connection: Connection) => {
      const protocol = (connection as unknown as ConnectionInternals)._protocol;
      const done = protocol._onHandshakeComplete;
      protocol._onHandshakeComplete = (...negotiated) => {
        if (silent && protocol._kex !== undefined) protocol._kex.remoteExtInfoEnabled = false;
        done(...negotiated);
      };
      connection.on("error", () => {});
      connection.on("authentication", (context) => {
        if (context.method !== "publickey") return context.reject(["publickey"]);
        algorithms.push(context.key.algo, context.hashAlgo ?? "question");
        context.accept();
      });
    });
    const port = await listenOn(server as never);
    t.after(() => server.close());
    const connection = await connectSsh({
      ...{ host: "127.0.0.1", port, user: "x", privateKey: privatePem, software: "petit_test", timeout: 10_000 },
      verifyHost: (_, greeting) => assert.match(greeting, /^SSH-2\.0-/),
      alive: { interval: 0, countMax: 1 },
      rekey: { rekeyLimit: 0, rekeyInterval: 0 },
      signal: t.signal,
    });
    connection.end();
    await connection.closed;
    assert.ok(algorithms.includes("sha256") || algorithms.includes("sha512"), algorithms.join());
    assert.ok(!algorithms.includes("sha1"), algorithms.join());
  });
}
