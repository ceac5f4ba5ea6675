import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { listenOn, type Scope } from "./world.ts";

/** The two ends of a TCP connection on loopback, gone with the test. */
export async function socketPair(scope: Scope): Promise<[near: Socket, far: Socket]> {
  const server = createServer({ allowHalfOpen: true, noDelay: true });
  const port = await listenOn(server);
  const accepted = once(server, "connection") as Promise<[Socket]>;
  const far = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
  const [near] = await accepted;
  server.close();
  for (const socket of [near, far]) {
    socket.on("error", () => {});
    scope.after(() => socket.destroy());
  }
  return [near, far];
}
