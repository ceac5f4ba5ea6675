import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { startExecutables } from "../world/executable.ts";
import { run } from "../world/processes.ts";
import { startService } from "../world/world.ts";
import { peerTest, program } from "./peer_test.ts";

/** What ends the daemon, has no end, is refused by design, or leads away from the server: other tests ask it. */
const LEFT_OUT = [
  "stop",
  "restart",
  "followLog",
  "upgrade",
  "changeConfig",
  "register",
  "registerTenant",
  "unregister",
  "evict",
];

/** Has schemathesis ask everything that the description of an API names, with values that fit it and values that do not. */
async function fuzz(t: TestContext, role: "server" | "client"): Promise<void> {
  const service = await startService(t, (socket) => socket.end());
  const { server, client } = await startExecutables(t, service.port);
  const { folder, daemon } = { server, client }[role];
  await daemon.logged(({ msg }) => msg.startsWith("The REST API listens"));
  const { api } = JSON.parse(readFileSync(join(folder, `${role}.pid`), "utf8")) as { api: number };
  const token = readFileSync(join(folder, "api-token"), "utf8").trim();
  const { code, stdout, stderr } = await run(program("schemathesis"), [
    ...["run", `http://127.0.0.1:${api}/openapi.json`, "-H", `Authorization: Bearer ${token}`],
    ...["--phases", "examples,coverage,fuzzing", "-n", "3", "--seed", "1", "--checks", "all", "--continue-on-failure"],
    // A schema does not say that a start has to come before its end.
    ...["--exclude-checks", "positive_data_acceptance"],
    ...LEFT_OUT.flatMap((id) => ["--exclude-operation-id", id]),
  ], { cwd: folder, env: { HOME: folder }, timeout: 240_000 });
  assert.equal(code, 0, `${stdout.slice(-6000)}\n${stderr.slice(-2000)}`);
}

peerTest("schemathesis finds nothing wrong with the server's REST API", ["schemathesis"], (t) => fuzz(t, "server"));

peerTest("schemathesis finds nothing wrong with the client's REST API", ["schemathesis"], (t) => fuzz(t, "client"));
