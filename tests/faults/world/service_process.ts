// A verifying service as a process of its own, which can be stopped and killed: prints its port on standard error.
import { createServer } from "node:net";
import process from "node:process";
import { serveVerifiably } from "./verifying_service.ts";

const server = createServer({ allowHalfOpen: true, noDelay: true }, serveVerifiably);
server.listen(Number(process.argv[2] ?? 0), "127.0.0.1", () => {
  console.error(`port ${(server.address() as { port: number }).port}`);
});
process.on("SIGTERM", () => process.exit(0));
