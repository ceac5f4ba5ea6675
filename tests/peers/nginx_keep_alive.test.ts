import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { startExecutables } from "../world/executable.ts";
import { output } from "../world/processes.ts";
import { startNginx } from "./nginx.ts";
import { peerTest, program } from "./peer_test.ts";

const NEEDS = ["nginx", "curl", "wrk"];
const NAMES = ["one", "two", "three", "four", "five"];

peerTest(
  "curl fetches several URLs over one connection through the HTTP proxy and the reverse port",
  NEEDS,
  async (t) => {
    const nginx = await startNginx(t);
    for (const name of NAMES) writeFileSync(join(nginx.files, name), `this is ${name}\n`);
    const { proxyPort, rawPort, host } = await startExecutables(t, nginx.port);
    for (const port of [proxyPort, rawPort]) {
      const urls = NAMES.map((name) => `http://127.0.0.1:${port}/${name}`);
      const written = "%{num_connects} %header{x-connection}\n";
      const printed = await output(program("curl"), ["-sS", "-H", `Host: ${host}`, "-w", written, ...urls]);
      const connection = / (\d+)\n$/.exec(printed)?.[1];
      // The first URL opened the only connection, and nginx saw one as well.
      const expected = NAMES.map((name, index) => `this is ${name}\n${index === 0 ? 1 : 0} ${connection}\n`);
      assert.equal(printed, expected.join(""));
    }
  },
);

peerTest("wrk gets nothing but good answers through the HTTP proxy and the reverse port", NEEDS, async (t) => {
  const nginx = await startNginx(t);
  writeFileSync(join(nginx.files, "page"), "x".repeat(1024));
  const { proxyPort, rawPort, host } = await startExecutables(t, nginx.port);
  for (const port of [proxyPort, rawPort]) {
    const args = ["-t", "1", "-c", "16", "-d", "2s", "-H", `Host: ${host}`, `http://127.0.0.1:${port}/page`];
    const report = await output(program("wrk"), args);
    assert.match(report, /[1-9]\d* requests in /);
    assert.doesNotMatch(report, /Non-2xx|Socket errors/);
  }
});
