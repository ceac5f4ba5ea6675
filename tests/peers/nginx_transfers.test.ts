import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { startExecutables } from "../world/executable.ts";
import { output } from "../world/processes.ts";
import { startNginx } from "./nginx.ts";
import { peerTest, program } from "./peer_test.ts";
import { sha256 } from "./sha256.ts";

const MEBIBYTE = 1024 ** 2;
const SIZE = 300 * MEBIBYTE;

for (const way of ["HTTP proxy", "reverse port"]) {
  peerTest(`300 MB go down and up through the ${way} without a change`, ["nginx", "curl"], async (t) => {
    const nginx = await startNginx(t);
    const { proxyPort, rawPort, host } = await startExecutables(t, nginx.port);
    const url = `http://127.0.0.1:${way === "HTTP proxy" ? proxyPort : rawPort}`;
    const original = join(nginx.files, "original");
    await pipeline(function* () {
      for (let size = 0; size < SIZE; size += MEBIBYTE) yield randomBytes(MEBIBYTE);
    }, createWriteStream(original));
    const expected = await sha256(original);
    const curl = ["-sS", "--fail", "-H", `Host: ${host}`];

    const down = join(nginx.files, "down");
    await output(program("curl"), [...curl, "-o", down, `${url}/original`]);
    assert.equal(await sha256(down), expected);

    const status = await output(program("curl"), [...curl, "-w", "%{http_code}", "-T", original, `${url}/up`]);
    assert.equal(status, "201");
    assert.equal(await sha256(join(nginx.files, "up")), expected);
  });
}
