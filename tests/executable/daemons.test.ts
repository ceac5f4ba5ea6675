import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import process from "node:process";
import test from "node:test";
import { isLocked } from "../../src/platform/folder_lock.ts";
import { detachedServer } from "../world/detached.ts";
import { eventually } from "../world/eventually.ts";
import { configure } from "../world/executable.ts";
import { exchange, statusOf } from "../world/raw_http.ts";
import { listenOn } from "../world/world.ts";

const SLOW = { timeout: 120_000 };

/** What a running server leaves beside its config and its own state. */
const traces = (folder: string) => readdirSync(folder).filter((name) => /\.(lock|pid|tmp)$/.test(name));

test("start comes back when everything listens, and stop takes all of it away", SLOW, async (t) => {
  const daemon = await detachedServer(t);
  const { pid, listen, api, endpoints, ready, missing, started } = await daemon.start();
  assert.deepEqual({ ready, missing, started }, { ready: true, missing: [], started: true });
  assert.match(endpoints.join(), /^http:\/\/REGID\./);
  const written = JSON.parse(readFileSync(join(daemon.folder, "server.pid"), "utf8")) as Record<string, unknown>;
  assert.deepEqual([written["pid"], written["listen"], written["api"]], [pid, listen, api]);
  assert.equal(
    statusOf(await exchange(daemon.server.proxyPort, "GET / HTTP/1.1\r\nHost: 9\r\nConnection: close\r\n\r\n")),
    404,
  );
  if (process.platform === "linux") {
    const session = Number(readFileSync(`/proc/${pid}/stat`, "utf8").split(" ")[5]);
    assert.equal(session, pid, "it has a session of its own, so that it outlives the terminal");
  }
  const stopped = await daemon.run("stop", "--json");
  assert.equal(stopped.code, 0, stopped.stderr);
  assert.deepEqual(JSON.parse(stopped.stdout), { pid, stopped: true });
  assert.deepEqual(traces(daemon.folder), []);
  assert.equal((await exchange(daemon.server.proxyPort, "GET / HTTP/1.1\r\n\r\n")).length, 0);
  const again = await daemon.run("stop");
  assert.equal(again.code, 3);
  assert.match(again.stderr, /The server is not running/);
});

test("a start where it runs already says so with its process id, and exit code 0", SLOW, async (t) => {
  const daemon = await detachedServer(t);
  const { pid } = await daemon.start();
  const second = await daemon.run("start");
  assert.equal(second.code, 0, second.stderr);
  assert.match(second.stdout, new RegExp(`was running already, process ${pid}\n`));
  const foreground = await daemon.run("run");
  assert.equal(foreground.code, 1);
  assert.match(foreground.stderr, /A server is running on "[^"]*" already/);
  assert.equal((await daemon.start()).pid, pid);
});

test("starts at the same time make one daemon, and all of them say which", SLOW, async (t) => {
  const daemon = await detachedServer(t);
  const all = await Promise.all([1, 2, 3].map(() => daemon.start()));
  assert.equal(new Set(all.map(({ pid }) => pid)).size, 1);
  assert.equal(all.filter(({ started }) => started).length, 1);
});

test("a start that fails gives the daemon's own reason, and leaves nothing behind", SLOW, async (t) => {
  const daemon = await detachedServer(t);
  const squatter = createServer();
  await listenOn(squatter, daemon.server.proxyPort);
  t.after(() => squatter.close());
  const { code, stdout, stderr } = await daemon.run("start", "--json");
  assert.equal(code, 1);
  assert.equal(stdout, "");
  assert.match(
    stderr,
    /^petit: Cannot listen on 127\.0\.0\.1, port \d+: another program uses that port\n {7}Stop that program/,
  );
  assert.deepEqual(traces(daemon.folder), []);
  assert.match(readFileSync(join(daemon.folder, "logs/server.log"), "utf8"), /another program uses that port/);
});

test("a command port in use is named with its setting, and no caller is served before", SLOW, async (t) => {
  const squatter = createServer();
  const taken = await listenOn(squatter);
  t.after(() => squatter.close());
  for (const key of ["listenPort", "apiPort"]) {
    const daemon = await detachedServer(t, { [`server.${key}`]: taken });
    const { code, stderr } = await daemon.run("start");
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`port ${taken}: another program uses that port\n.*\\[server\\] ${key}`));
    assert.deepEqual(traces(daemon.folder), []);
  }
});

test(
  "restart makes a new process, starts one that is not running, and stops nothing for a config that cannot be used",
  SLOW,
  async (t) => {
    const daemon = await detachedServer(t);
    assert.equal((await daemon.run("restart")).code, 0);
    const { pid } = await daemon.start();
    const restarted = await daemon.run("restart", "--json");
    assert.equal(restarted.code, 0, restarted.stderr);
    const after = await daemon.start();
    assert.notEqual(after.pid, pid);
    configure(daemon.config, { "server.proxyPort": 70_000 });
    const refused = await daemon.run("restart");
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /"server\.proxyPort" is 70000/);
    assert.ok(isLocked(daemon.folder, "server"));
  },
);

test(
  "reload prints what is in force and what needs a restart; a file that cannot be used changes nothing",
  SLOW,
  async (t) => {
    const daemon = await detachedServer(t);
    const { pid, listen } = await daemon.start();
    configure(daemon.config, { "server.idleTimeout": "11s", "server.listenPort": listen });
    const text = await daemon.run("reload");
    assert.equal(text.code, 0, text.stderr);
    assert.match(
      text.stdout,
      /In force now: server\.idleTimeout\nIn force after "petit server restart": server\.listenPort\n/,
    );
    const json = await daemon.run("reload", "--json");
    assert.deepEqual(JSON.parse(json.stdout), { changed: [], restartNeeded: ["server.listenPort"] });
    configure(daemon.config, { "server.drainFor": "soon" });
    const broken = await daemon.run("reload");
    assert.equal(broken.code, 1);
    assert.match(broken.stderr, /config\.toml:\d+:\d+: "server\.drainFor" is "soon"; wanted a duration/);
    process.kill(pid, "SIGHUP");
    const log = join(daemon.folder, "logs/server.log");
    const told = () =>
      readFileSync(log, "utf8").split("\n").filter((line) => /Nothing was reloaded: .*drainFor/.test(line)).length;
    await eventually("SIGHUP is logged with the place of the mistake", () => told() === 2);
    configure(daemon.config, { "server.drainFor": "1s" });
    process.kill(pid, "SIGHUP");
    await eventually("SIGHUP reloads", () => /server\.drainFor changed/.test(readFileSync(log, "utf8")));
    assert.equal((await daemon.start()).pid, pid);
  },
);

test("log LEVEL changes what a running daemon logs; a level that does not exist is wrong usage", SLOW, async (t) => {
  const daemon = await detachedServer(t, { "server.logLevel": "silent" });
  await daemon.start();
  const log = join(daemon.folder, "logs/server.log");
  assert.equal((await daemon.run("reload")).code, 0);
  assert.ok(!existsSync(log) || readFileSync(log, "utf8") === "");
  const { code, stdout } = await daemon.run("log", "info");
  assert.equal(code, 0);
  assert.match(stdout, /logs "info" now/);
  assert.equal((await daemon.run("reload")).code, 0);
  await eventually("it logs", () => /The config was read again/.test(readFileSync(log, "utf8")));
  for (const args of [["log"], ["log", "loud"]]) {
    const wrong = await daemon.run(...args as [string]);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /trace, debug, info, warn, error, silent/);
  }
});

test("without a daemon: reload, log and stop end with 3; with no config, with 2", SLOW, async (t) => {
  const daemon = await detachedServer(t);
  for (const args of [["reload"], ["log", "debug"], ["stop"]]) {
    const { code, stderr } = await daemon.run(...args as [string]);
    assert.equal(code, 3, args.join(" "));
    assert.match(stderr, /The server is not running\n +Start it with "petit server start"/);
  }
  const nowhere = Object.assign(Object.create(daemon) as typeof daemon, {
    config: join(daemon.folder, "none", "config.toml"),
  });
  for (const args of [["start"], ["restart"], ["reload"], ["stop"]]) {
    const { code, stderr } = await nowhere.run(...args as [string]);
    assert.equal(code, 2, args.join(" "));
    assert.match(stderr, /There is no config file/);
  }
});
