import assert from "node:assert/strict";
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import process from "node:process";
import test from "node:test";
import { listenOnSocket, removeSocket } from "../../../src/platform/unix_socket.ts";
import { run } from "../../world/processes.ts";
import { type Scope, temporaryFolder } from "../../world/temporary_folder.ts";

const OPTIONS = { skip: process.platform === "win32" && "Windows has no Unix sockets with modes" };
const ROOT = { skip: process.getuid?.() !== 0 && "Only root can be another user" };

function serverThatSays(scope: Scope, text: string): Server {
  const server = createServer((socket) => socket.end(text));
  scope.after(() => server.listening ? new Promise((resolve) => server.close(resolve)) : undefined);
  return server;
}

function heard(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect({ path });
    socket.on("data", (bytes) => text += String(bytes));
    socket.on("error", reject);
    socket.on("end", () => resolve(text));
  });
}

const close = (server: Server) => new Promise((resolve) => server.close(resolve));

test("unix socket: it is its owner's alone, whatever the process's umask, which stays", OPTIONS, async (t) => {
  const path = join(temporaryFolder(t), "a.sock");
  const before = process.umask(0);
  try {
    await listenOnSocket(serverThatSays(t, "hello"), path);
    assert.equal(process.umask(), 0);
  } finally {
    process.umask(before);
  }
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(await heard(path), "hello");
});

test("unix socket: another user cannot connect, even where the folder lets everybody in", ROOT, async (t) => {
  const folder = temporaryFolder(t);
  chmodSync(folder, 0o755);
  const path = join(folder, "a.sock");
  await listenOnSocket(serverThatSays(t, "hello"), path);
  const source = `require("net").connect(${JSON.stringify(path)}).on("connect", () => console.log("in"))` +
    `.on("error", (error) => console.log(error.code))`;
  const { stdout } = await run("node", ["-e", source], { user: { uid: 65534, gid: 65534 }, cwd: "/" });
  assert.equal(stdout.trim(), "EACCES");
});

test("unix socket: what a killed process has left is replaced, what another listens on is not", OPTIONS, async (t) => {
  const path = join(temporaryFolder(t), "a.sock");
  const source = `require("net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 9))`;
  await run("node", ["-e", source]);
  assert.ok(statSync(path).isSocket());
  const first = serverThatSays(t, "first");
  await listenOnSocket(first, path);
  await assert.rejects(listenOnSocket(serverThatSays(t, "second"), path), {
    code: "socket-unusable",
    message: /another process listens/,
  });
  assert.equal(await heard(path), "first");
  await close(first);
  removeSocket(path);
  assert.equal(existsSync(path), false);
});

test("unix socket: a file of another kind stays, and a path that is too long is told", OPTIONS, async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, "a.sock");
  writeFileSync(file, "precious");
  await assert.rejects(listenOnSocket(serverThatSays(t, ""), file), { code: "socket-unusable" });
  removeSocket(file);
  assert.equal(readFileSync(file, "utf8"), "precious");
  const longest = process.platform === "linux" ? 107 : 103;
  const fits = join(folder, "x".repeat(longest - folder.length - 1));
  await listenOnSocket(serverThatSays(t, "fits"), fits);
  assert.equal(await heard(fits), "fits");
  await assert.rejects(listenOnSocket(serverThatSays(t, ""), `${fits}x`), {
    code: "socket-unusable",
    message: /longer than \d+ bytes/,
  });
  await assert.rejects(listenOnSocket(serverThatSays(t, ""), join(folder, "absent", "a.sock")), {
    code: "socket-unusable",
  });
});
