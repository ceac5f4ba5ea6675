import { KeptConnection } from "./kept_connection.ts";

/** Where to ask, and how much. */
interface WarmUp {
  readonly port: number;
  readonly host: string;
  readonly path: string;
  readonly connections: number;
  readonly seconds: number;
}

/**
 * Asks on kept connections, each of which is closed when it has its last answer: wrk breaks off in the middle, of which
 * a server of 0.6.34 dies. An error ends its connection.
 */
export async function warmUp({ port, host, path, connections, seconds }: WarmUp): Promise<void> {
  const request = Buffer.from(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  const end = performance.now() + seconds * 1000;
  await Promise.all(Array.from({ length: connections }, async () => {
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    const connection = await KeptConnection.open(port, () => resolve());
    const ask = () => performance.now() < end ? connection.send(request, ask) : connection.close();
    ask();
    await ended;
  }));
}
