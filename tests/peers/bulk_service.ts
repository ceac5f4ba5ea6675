// An HTTP service with bodies of any size, as a process of its own: GET /N answers with N bytes, PUT answers with the number of
// bytes it took and whether they were what GET sends. Prints its port.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { PATTERN } from "./bulk_pattern.ts";

const TWICE = Buffer.concat([PATTERN, PATTERN]);

const server = createServer((request, response) => {
  let position = 0;
  if (request.method === "GET") {
    const size = Number(request.url?.slice(1));
    response.setHeader("Content-Length", size);
    const send = () => {
      while (position < size) {
        const from = position % PATTERN.length;
        const chunk = TWICE.subarray(from, from + Math.min(PATTERN.length, size - position));
        position += chunk.length;
        if (!response.write(chunk)) return;
      }
      response.end();
    };
    response.on("drain", send);
    send();
    return;
  }
  let good = true;
  request.on("data", (bytes: Buffer) => {
    for (let done = 0; done < bytes.length;) {
      const from = position % PATTERN.length;
      const piece = bytes.subarray(done, done + PATTERN.length - from);
      good &&= piece.equals(PATTERN.subarray(from, from + piece.length));
      done += piece.length;
      position += piece.length;
    }
  });
  request.on("end", () => response.end(`${position} ${good ? "good" : "changed"}\n`));
});
server.listen(0, "127.0.0.1", () => console.error(`port ${(server.address() as AddressInfo).port}`));
process.on("SIGTERM", () => process.exit(0));
