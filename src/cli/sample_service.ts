import { createServer } from "node:http";
import { listen } from "../platform/listen.ts";

/**
 * An HTTP service that tells what it was asked, and streams events under /events.
 *
 * @returns its port; it ends with `signal`
 */
export async function startSampleService(host: string, signal: AbortSignal): Promise<number> {
  const server = createServer((request, response) => {
    const { method, url, headers } = request;
    if (url === "/events") {
      response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
      const send = () => response.write(`data: ${new Date().toISOString()}\n\n`);
      send();
      const timer = setInterval(send, 1000);
      response.on("close", () => clearInterval(timer));
      return;
    }
    response.writeHead(200, { "content-type": "application/json" });
    response.end(`${JSON.stringify({ service: "sample", method, url, headers }, null, 2)}\n`);
  });
  const port = await listen(server, host, 0, "the demo");
  signal.addEventListener("abort", () => {
    server.close();
    server.closeAllConnections();
  });
  return port;
}
