import { connect, createServer } from "node:net";

/**
 * So many free loopback ports. They are taken from below the range out of which Linux gives ports to outgoing
 * connections (32768 and up), or one of those could sit on a port before its daemon listens there.
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  for (let port = 20_000 + Math.floor(Math.random() * 8000); ports.length < count; port++) {
    if (port > 32_767) throw new Error("There are no free ports");
    if (await isFree(port)) ports.push(port);
  }
  return ports;
}

/** Whether something listens on a loopback port. */
export function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => (socket.destroy(), resolve(true)));
    socket.once("error", () => resolve(false));
  });
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
