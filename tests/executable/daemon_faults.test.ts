import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import test from "node:test";
import { isLocked } from "../../src/platform/folder_lock.ts";
import { findDaemon } from "../../src/platform/pid_file.ts";
import { Detached, detachedServer, isAlive } from "../world/detached.ts";
import { eventually } from "../world/eventually.ts";
import { petit, petitExecutable, ServerProcess } from "../world/executable.ts";
import { background, launch, run } from "../world/processes.ts";
import { temporaryFolder } from "../world/world.ts";

const SLOW = { timeout: 120_000 };
const isRoot = process.getuid?.() === 0;
const NOBODY = { uid: 65534, gid: 65534 };

test(
  "a pid file whose process id is another program's by now: nothing happens to that, and start takes over",
  SLOW,
  async (t) => {
    const daemon = await detachedServer(t);
    const other = background(t, "sleep", ["1000"]);
    const stale = JSON.stringify({ pid: other.child.pid, listen: 3016 });
    const leave = () => {
      writeFileSync(join(daemon.folder, "server.lock"), "");
      writeFileSync(join(daemon.folder, "server.pid"), stale);
    };
    leave();
    for (const args of [["stop"], ["reload"], ["log", "debug"]]) {
      const { code, stderr } = await daemon.run(...args as [string]);
      assert.equal(code, 3, stderr);
    }
    assert.equal(existsSync(join(daemon.folder, "server.pid")), false, "stop has tidied up");
    leave();
    const { pid } = await daemon.start();
    assert.notEqual(pid, other.child.pid);
    assert.ok(other.alive);
  },
);

test("a daemon that was killed is followed by the next start, and stop says that there is none", SLOW, async (t) => {
  const daemon = await detachedServer(t);
  const { pid } = await daemon.start();
  await daemon.kill();
  assert.ok(existsSync(join(daemon.folder, "server.pid")));
  assert.equal((await daemon.run("stop")).code, 3);
  const second = await daemon.start();
  assert.notEqual(second.pid, pid);
  assert.equal(second.started, true);
});

test(
  "a daemon that is killed while it starts is said to have ended, and nothing is in the way of the next",
  SLOW,
  async (t) => {
    const daemon = await detachedServer(t);
    for (let kill = 0; kill < 3; kill++) {
      const starting = daemon.run("start");
      await eventually("it has the lock", () => isLocked(daemon.folder, "server"));
      await daemon.kill();
      const { code, stderr } = await starting;
      // Killed a moment later, it had been ready.
      if (code !== 0) {
        assert.match(
          stderr,
          /The server (?:ended before it was ready, by SIGKILL|has stopped while)|did not answer/,
        );
      }
    }
    assert.equal((await daemon.run("start")).code, 0);
  },
);

test("a start and a stop that are killed half-way leave a daemon that runs, and one that stops", SLOW, async (t) => {
  const daemon = await detachedServer(t);
  const starting = launch(petitExecutable, ["server", "start", "-c", daemon.config]);
  await eventually("the daemon has the lock", () => isLocked(daemon.folder, "server"));
  starting.kill("SIGKILL");
  const { started } = await daemon.start();
  assert.equal(started, false);
  const stopping = launch(petitExecutable, ["server", "stop", "-c", daemon.config]);
  await Promise.race([
    once(stopping, "close"),
    eventually(
      "the daemon was asked",
      () => /is asked to stop/.test(readFileSync(join(daemon.folder, "logs/server.log"), "utf8")),
    ),
  ]);
  stopping.kill("SIGKILL");
  await eventually("the daemon stops", () => !isLocked(daemon.folder, "server"));
});

test(
  "another user's daemon: a sentence, and it goes on",
  { ...SLOW, skip: !isRoot && "only root can be two users" },
  async (t) => {
    const daemon = await detachedServer(t);
    const { pid } = await daemon.start();
    // The folder itself may be looked into; what is in it is its owner's.
    chmodSync(daemon.folder, 0o755);
    chmodSync(daemon.config, 0o644);
    for (const args of [["start"], ["stop"], ["restart"], ["reload"], ["log", "debug"]]) {
      const { code, stderr } = await daemon.runWith({ user: NOBODY }, ...args as [string]);
      assert.equal(code, 1, stderr);
      assert.match(
        stderr,
        /^petit: Cannot (?:read|tell whether) .*permission denied\n {7}Give this command as the user whose daemon it is\n$/,
      );
    }
    assert.equal((await daemon.start()).pid, pid);
  },
);

test("a folder that cannot be written: a sentence that names the file", {
  ...SLOW,
  skip: !isRoot && "only root can be two users",
}, async (t) => {
  const daemon = await detachedServer(t);
  chmodSync(daemon.folder, 0o755);
  chmodSync(daemon.config, 0o644);
  for (const command of ["start", "run", "restart"]) {
    const { code, stderr } = await daemon.runWith({ user: NOBODY }, command);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^petit: Cannot (?:write|lock) ".*": .*(?:permission denied|EACCES).*\n {7}Check that the folder belongs to this user/i,
    );
  }
  // Where only the log can be written, it is the lock that cannot.
  mkdirSync(join(daemon.folder, "logs"));
  chownSync(join(daemon.folder, "logs"), NOBODY.uid, NOBODY.gid);
  const { code, stderr } = await daemon.runWith({ user: NOBODY }, "start");
  assert.equal(code, 1);
  assert.match(stderr, /^petit: Cannot lock ".*server\.lock": .*\n {7}Check that the folder belongs to this user/);
});

test(
  "a full disk: start says so and leaves no daemon",
  { ...SLOW, skip: !isRoot && "only root can mount one" },
  async (t) => {
    let mount = "";
    t.after(() => run("umount", ["-l", mount]));
    mount = temporaryFolder(t);
    const mounted = await run("mount", ["-t", "tmpfs", "-o", "size=512k", "tmpfs", mount]);
    if (mounted.code !== 0) return t.skip("no tmpfs can be mounted here");
    const made = await ServerProcess.init(t);
    const folder = join(mount, "petit");
    assert.equal((await run("cp", ["-r", made.folder, folder])).code, 0);
    await run("dd", ["if=/dev/zero", `of=${join(mount, "filling")}`, "bs=4k"]);
    const daemon = new Detached("server", folder, join(folder, "config.toml"));
    const { code, stderr } = await daemon.run("start");
    assert.equal(code, 1);
    assert.match(stderr, /^petit: .*(?:no space left|ENOSPC|disk is full|disk I\/O)/i);
    assert.equal(isLocked(folder, "server"), false);
    await run("rm", [join(mount, "filling")]);
    await daemon.start();
    await daemon.kill();
  },
);

test(
  "as a container's first process it heeds signals",
  { ...SLOW, skip: !isRoot && "only root can make a namespace" },
  async (t) => {
    const daemon = await detachedServer(t);
    const child = spawn(
      "unshare",
      ["--pid", "--fork", "--kill-child", petitExecutable, "server", "-c", daemon.config],
      {
        stdio: "ignore",
        env: { ...process.env, HOME: daemon.folder },
      },
    );
    t.after(() => child.kill("SIGKILL"));
    const exited = once(child, "exit");
    const ready = () => {
      const found = findDaemon(daemon.folder, "server");
      return found !== undefined && found !== "starting" && found.ready !== null ? found : undefined;
    };
    await eventually("it is ready", () => ready() !== undefined);
    assert.equal(ready()?.pid, 1);
    // Another daemon on the folder would be process 1 too, in a namespace of its own.
    const second = await run("unshare", ["--pid", "--fork", petitExecutable, "server", "-c", daemon.config], {
      env: { HOME: daemon.folder },
    });
    assert.equal(second.code, 1);
    assert.match(second.stderr, /A server is running on/);
    const [inside] = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").split(" ");
    process.kill(Number(inside), "SIGHUP");
    const log = join(daemon.folder, "logs/server.log");
    await eventually("SIGHUP reloads", () => /The config was read again/.test(readFileSync(log, "utf8")));
    assert.ok(isAlive(Number(inside)));
    process.kill(Number(inside), "SIGTERM");
    assert.deepEqual(await exited, [0, null]);
    assert.equal(isLocked(daemon.folder, "server"), false);
  },
);

test("from where the process id means nothing, stop works through the command port", {
  ...SLOW,
  skip: !isRoot && "only root can make a namespace",
}, async (t) => {
  const daemon = await detachedServer(t);
  const started = await run(
    "unshare",
    [
      "--pid",
      "--fork",
      "--mount-proc",
      "sh",
      "-c",
      `"$0" server start -c "$1" >/dev/null && "$0" server stop -c "$1"`,
      petitExecutable,
      daemon.config,
    ],
    { env: { HOME: daemon.folder } },
  );
  assert.equal(started.code, 0, started.stderr);
  assert.equal((await petit(["server", "stop", "-c", daemon.config])).code, 3);
});
