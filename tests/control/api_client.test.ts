import assert from "node:assert/strict";
import { createServer } from "node:net";
import { chmodSync } from "node:fs";
import process from "node:process";
import test, { type TestContext } from "node:test";
import { callDaemon } from "../../src/control/api_client.ts";
import { apiToken } from "../../src/control/api_token.ts";
import { lockFolder } from "../../src/platform/folder_lock.ts";
import { pidFile, writePidFile } from "../../src/platform/pid_file.ts";
import { TestApi } from "../world/api.ts";
import { listenOn, startService, temporaryFolder, TestServer } from "../world/world.ts";

/** Makes a folder look as if its server runs and its API listens on `port`. */
function pretend(t: TestContext, folder: string, api: number | null): void {
  const lock = lockFolder(folder, "server");
  t.after(() => lock.release());
  const now = new Date().toISOString();
  writePidFile(folder, "server", { pid: process.pid, listen: 1, socket: null, api, startedAt: now, ready: now });
}

test("a daemon's answer comes as a value, its refusal as the error that it was", async (t) => {
  const server = await new TestServer(t).start();
  const api = await TestApi.ofServer(t, server);
  const { folder } = server;
  pretend(t, folder, api.port);
  const role = "server" as const;
  const status = await callDaemon<{ status: string; connections: unknown[] }>({ folder, role, path: "/registry" });
  assert.deepEqual([status.status, status.connections], ["running", []]);
  const made = await callDaemon<{ uses: number }>({
    folder,
    role,
    method: "POST",
    path: "/join-codes",
    body: { uses: 3 },
  });
  assert.equal(made.uses, 3);
  await assert.rejects(callDaemon({ folder, role, path: "/status/7" }), {
    code: "registration-unknown",
    message: 'There is no registration "7"',
    hint: '"petit server status" lists them',
    exitCode: 1,
  });
  const wrong = callDaemon({ folder, role, method: "PATCH", path: "/config", body: { "server.idleTimeout": "soon" } });
  await assert.rejects(wrong, { code: "request-invalid", exitCode: 2 });
});

test("where no daemon runs, that is said with exit code 3, whatever is left of the one before", async (t) => {
  const folder = temporaryFolder(t);
  const expected = { code: "not-running", hint: 'Start it with "petit server start"', exitCode: 3 };
  const call = { folder, role: "server", path: "/status" } as const;
  await assert.rejects(callDaemon(call), expected);
  const now = new Date().toISOString();
  writePidFile(folder, "server", { pid: process.pid, listen: 1, socket: null, api: 1, startedAt: now, ready: now });
  await assert.rejects(callDaemon(call), expected);
});

test("a port that nobody listens on any more is a daemon that does not run", async (t) => {
  const folder = temporaryFolder(t);
  const closed = createServer();
  const port = await listenOn(closed);
  await new Promise((resolve) => closed.close(resolve));
  pretend(t, folder, port);
  await assert.rejects(callDaemon({ folder, role: "server", path: "/status" }), { code: "not-running", exitCode: 3 });
});

test("a daemon that has no API yet is starting", async (t) => {
  const folder = temporaryFolder(t);
  pretend(t, folder, null);
  await assert.rejects(callDaemon({ folder, role: "server", path: "/status" }), { code: "daemon-starting" });
});

test("something else on the port, silence and a connection that breaks off are told from an answer", async (t) => {
  const cases: [string, string | null][] = [
    ["daemon-answer", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"],
    ["daemon-answer", "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnull"],
    ["daemon-answer", "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 2\r\n\r\n{}"],
    ["daemon-silent", "SSH-2.0-OpenSSH_9.2\r\n"],
    ["daemon-silent", ""],
    ["daemon-silent", "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"],
    ["daemon-silent", null],
  ];
  for (const [code, answer] of cases) {
    const folder = temporaryFolder(t);
    const { port } = await startService(
      t,
      (socket) => socket.once("data", () => answer === null || socket.end(answer)),
    );
    pretend(t, folder, port);
    await assert.rejects(
      callDaemon({ folder, role: "server", path: "/status", timeout: 2000 }),
      { code },
      String(answer),
    );
  }
});

test(
  "another user's daemon is said to be that",
  { skip: process.getuid?.() === 0 && "root may read everything" },
  async (t) => {
    const folder = temporaryFolder(t);
    pretend(t, folder, 1);
    apiToken(folder);
    chmodSync(pidFile(folder, "server"), 0);
    await assert.rejects(callDaemon({ folder, role: "server", path: "/status" }), { code: "pid-unreadable" });
  },
);

test("a proxy that the environment names is not asked", async (t) => {
  const server = await new TestServer(t).start();
  const api = await TestApi.ofServer(t, server);
  pretend(t, server.folder, api.port);
  const { port } = await startService(t, (socket) => socket.destroy());
  const names = ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"];
  const before = names.map((name) => process.env[name]);
  t.after(() =>
    names.forEach((name, i) => before[i] === undefined ? delete process.env[name] : process.env[name] = before[i])
  );
  for (const name of names) process.env[name] = `http://127.0.0.1:${port}`;
  const answer = await callDaemon({ folder: server.folder, role: "server", path: "/ping" });
  assert.deepEqual(answer, { success: true });
});
