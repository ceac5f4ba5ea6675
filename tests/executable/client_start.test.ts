import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import test from "node:test";
import type { Started } from "../../src/cli/daemon/daemon_start.ts";
import { isLocked } from "../../src/platform/folder_lock.ts";
import { Detached, detachedClient } from "../world/detached.ts";
import { eventually } from "../world/eventually.ts";
import { configure, petit, ServerProcess } from "../world/executable.ts";
import { freePort } from "../world/processes.ts";
import { listenOn, startService, temporaryFolder } from "../world/world.ts";

const SLOW = { timeout: 120_000 };

const pidFile = (folder: string) =>
  JSON.parse(readFileSync(join(folder, "client.pid"), "utf8")) as { ready: string | null };

test("client start comes back when callers reach the service, and says where", SLOW, async (t) => {
  const service = await startService(t, (socket) => socket.end());
  const server = await (await ServerProcess.init(t)).start();
  const daemon = await detachedClient(t, server, service.port);
  const { code, stdout, stderr } = await daemon.run("start");
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^The client is running, process \d+\nCallers reach it at http:\/\/1\d\d\d\./);
  await eventually("the pid file says since when", () => pidFile(daemon.folder).ready !== null);
  const stopped = await daemon.run("stop");
  assert.equal(stopped.code, 0, stopped.stderr);
  assert.equal(isLocked(daemon.folder, "client"), false);
});

test(
  "a service that refuses is named, the client goes on trying, and is ready when the service is there",
  SLOW,
  async (t) => {
    const server = await (await ServerProcess.init(t)).start();
    const port = await freePort();
    const daemon = await detachedClient(t, server, port);
    const refused = [`The tunnel is up, but the service 127.0.0.1:${port} refuses connections`];
    let told!: Started;
    await eventually("start says what is missing", async () => {
      const { code, stdout, stderr } = await daemon.run("start", "--wait", "1s", "--json");
      assert.equal(code, 1);
      if (stdout === "") return false;
      told = JSON.parse(stdout) as Started;
      assert.match(
        stderr,
        /^petit: The client is running \(process \d+\), but not ready: .*\n +It goes on trying in the background/,
      );
      return told.missing[0] === refused[0];
    });
    const { pid, ready, missing, endpoints } = told;
    assert.deepEqual({ ready, missing, endpoints: endpoints.length }, { ready: false, missing: refused, endpoints: 1 });
    assert.equal(pidFile(daemon.folder).ready, null);
    const service = createServer((socket) => socket.end());
    await listenOn(service, port);
    t.after(() => service.close());
    const again = await daemon.start();
    assert.deepEqual([again.pid, again.ready, again.started], [pid, true, false]);
  },
);

test("a server that cannot be reached is named", SLOW, async (t) => {
  const server = await (await ServerProcess.init(t)).start();
  const daemon = await detachedClient(t, server, 9);
  await server.kill();
  await eventually("start says what is missing", async () => {
    const { code, stderr } = await daemon.run("start", "--wait", "1s");
    assert.equal(code, 1);
    return stderr.includes(`not ready: nothing listens on 127.0.0.1:${server.sshPort}`);
  });
  const stopped = await daemon.run("stop");
  assert.equal(stopped.code, 0, stopped.stderr);
});

test("a client that is not registered does not stay, and is told what to do", SLOW, async (t) => {
  const folder = temporaryFolder(t);
  const config = join(folder, "config.toml");
  await petit(["client", "init", "-c", config]);
  configure(config, { "client.listenPort": 0, "client.apiPort": 0 });
  const daemon = new Detached("client", folder, config);
  const { code, stderr } = await daemon.run("start");
  assert.equal(code, 1);
  assert.match(stderr, /^petit: This client is not registered yet\n {7}Ask the server's operator for a join code/);
  assert.equal(isLocked(folder, "client"), false);
});

test("the short forms steer the client", SLOW, async (t) => {
  const service = await startService(t, (socket) => socket.end());
  const server = await (await ServerProcess.init(t)).start();
  const daemon = await detachedClient(t, server, service.port);
  const short = (command: string) => petit([command, "-c", daemon.config]);
  assert.equal((await short("start")).code, 0);
  assert.equal((await short("restart")).code, 0);
  assert.ok(isLocked(daemon.folder, "client"));
  assert.equal((await short("stop")).code, 0);
  assert.equal((await short("stop")).code, 3);
});
