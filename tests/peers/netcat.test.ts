import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { startExecutables } from "../world/executable.ts";
import { run } from "../world/processes.ts";
import { startService } from "../world/world.ts";
import { peerTest, program } from "./peer_test.ts";

const MEBIBYTE = 1024 ** 2;

peerTest("nc ends its direction and still gets the whole answer", ["nc"], async (t) => {
  const tail = randomBytes(3 * MEBIBYTE).toString("hex");
  const { port } = await startService(t, (socket) => {
    const hash = createHash("sha256");
    socket.on("data", (bytes) => hash.update(bytes));
    // Answers once the caller has said that it has sent everything.
    socket.on("end", () => socket.end(`${hash.digest("hex")}\n${tail}`));
  });
  const { rawPort } = await startExecutables(t, port);
  const input = randomBytes(5 * MEBIBYTE);
  const { code, stdout } = await run(program("nc"), ["-N", "127.0.0.1", String(rawPort)], { input });
  assert.equal(code, 0);
  const [hash, received] = stdout.split("\n");
  assert.equal(hash, createHash("sha256").update(input).digest("hex"));
  assert.equal(received?.length, tail.length);
  assert.ok(received === tail, "the answer arrived changed");
});

peerTest("a service that ends its direction first still gets all that nc sends", ["nc"], async (t) => {
  let received!: (bytes: number) => void;
  const whole = new Promise<number>((resolve) => received = resolve);
  const { port } = await startService(t, (socket) => {
    let size = 0;
    socket.end("bye\n");
    socket.on("data", (bytes) => size += bytes.length);
    socket.on("end", () => received(size));
  });
  const { rawPort } = await startExecutables(t, port);
  const input = randomBytes(5 * MEBIBYTE);
  const { stdout } = await run(program("nc"), ["-N", "127.0.0.1", String(rawPort)], { input });
  assert.equal(stdout, "bye\n");
  assert.equal(await whole, input.length);
});
