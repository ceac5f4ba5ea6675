import assert from "node:assert/strict";
import { chmodSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import test, { type TestContext } from "node:test";
import { petit, ServerProcess, startExecutables } from "../world/executable.ts";
import { startService } from "../world/world.ts";

const isWindows = process.platform === "win32";

/** A server whose REST API is there. */
async function startServer(t: TestContext): Promise<ServerProcess> {
  const server = await (await ServerProcess.init(t)).start();
  await server.daemon.logged(({ msg }) => msg.startsWith("The REST API listens"));
  return server;
}

function apiOf(folder: string, role: string): string {
  return `http://127.0.0.1:${(JSON.parse(readFileSync(join(folder, `${role}.pid`), "utf8")) as { api: number }).api}`;
}

test("the token that a command prints opens the REST API of either daemon", async (t) => {
  const service = await startService(t, (socket) => socket.end());
  const { server, client, id } = await startExecutables(t, service.port);
  for (const [role, { folder, config }] of [["server", server], ["client", client]] as const) {
    await { server, client }[role].daemon.logged(({ msg }) => msg.startsWith("The REST API listens"));
    const { code, stdout } = await petit([role, "token", "-c", config]);
    assert.equal(code, 0);
    const token = stdout.trim();
    assert.equal(stdout, `${token}\n`);
    assert.deepEqual(JSON.parse((await petit([role, "token", "-c", config, "--json"])).stdout), { token });
    if (!isWindows) assert.equal(statSync(join(folder, "api-token")).mode & 0o777, 0o600);
    const url = apiOf(folder, role);
    assert.equal((await fetch(`${url}/log`)).status, 401);
    const log = await fetch(`${url}/log`, { headers: { authorization: `Bearer ${token}` } });
    const { lines } = await log.json() as { lines: { msg: string }[] };
    assert.ok(lines.length > 0 && !JSON.stringify(lines).includes(token));
    assert.match(await (await fetch(`${url}/metrics`)).text(), /^petit_build_info\{.*\} 1$/m);
    const description = await (await fetch(`${url}/openapi.json`)).json() as { openapi: string };
    assert.equal(description.openapi, "3.1.0");
  }
  const status = await (await fetch(`${apiOf(server.folder, "server")}/status/${id}`)).json() as { connected: boolean };
  assert.equal(status.connected, true);
});

test("POST /stop ends the daemon in order", async (t) => {
  const server = await startServer(t);
  const token = readFileSync(join(server.folder, "api-token"), "utf8").trim();
  const answer = await fetch(`${apiOf(server.folder, "server")}/stop`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
  });
  assert.deepEqual(await answer.json(), { success: true });
  assert.equal(await server.daemon.process.exited, 0);
});

test("a token that others can read is refused by the command and by the daemon", {
  skip: isWindows && "Windows has no file modes",
}, async (t) => {
  const server = await startServer(t);
  const file = join(server.folder, "api-token");
  const token = readFileSync(file, "utf8").trim();
  chmodSync(file, 0o644);
  const printed = await petit(["server", "token", "-c", server.config]);
  assert.deepEqual([printed.code, printed.stdout], [1, ""]);
  assert.match(printed.stderr, /Others can read .*api-token" \(mode 644\)\n.*delete the file/s);
  const asked = await fetch(`${apiOf(server.folder, "server")}/log`, { headers: { authorization: `Bearer ${token}` } });
  assert.equal(asked.status, 500);
  assert.equal((await asked.json() as { code: string }).code, "token-exposed");
});
