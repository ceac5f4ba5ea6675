import type { TestContext } from "node:test";
import { Client } from "../../src/tunnel/ssh_library.ts";
import type { TestServer } from "./world.ts";

/**
 * What is agreed on with a peer that offers `algorithms` only: the names of the key exchange, the host key, the cipher and its authentication code,
 * with a space between two; or the error. Nobody logs in.
 */
export function negotiated(
  t: TestContext,
  server: TestServer,
  algorithms: Readonly<Record<string, readonly string[]>> = {},
): Promise<string> {
  const client = new Client();
  t.after(() => client.destroy());
  return new Promise((resolve) => {
    client.on("handshake", ({ kex, serverHostKey, cs }) => resolve(`${kex} ${serverHostKey} ${cs.cipher} ${cs.mac}`));
    client.on("error", (error) => resolve(error.message));
    client.on("close", () => resolve("closed"));
    client.connect({
      host: "127.0.0.1",
      port: server.running.sshPort,
      username: "petit",
      authHandler: () => undefined as never,
      algorithms: algorithms as never,
    });
  });
}
