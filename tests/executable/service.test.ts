import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import test from "node:test";
import { petit, petitExecutable, ServerProcess } from "../world/executable.ts";
import { type Finished, run } from "../world/processes.ts";
import { type Scope, temporaryFolder } from "../world/world.ts";

const SHOWN = "ActiveState=active\nSubState=running\nMainPID=4711\nUnitFileState=enabled\n";

/** A folder with a client's config, and a `systemctl` that writes down what it is asked and answers as told. */
async function place(t: Scope, answer = "exit 0") {
  const folder = temporaryFolder(t);
  const bin = join(folder, "bin");
  mkdirSync(bin);
  const asked = join(folder, "asked");
  writeFileSync(asked, "");
  writeFileSync(
    join(bin, "systemctl"),
    `#!/bin/sh\necho "$*" >>'${asked}'\ncase "$*" in *ActiveState*) printf '${
      SHOWN.replaceAll("\n", "\\n")
    }' ;; esac\n${answer}\n`,
  );
  chmodSync(join(bin, "systemctl"), 0o755);
  const config = join(folder, "config.toml");
  const env = { HOME: folder, XDG_CONFIG_HOME: join(folder, "xdg"), PATH: `${bin}:${process.env["PATH"]}` };
  assert.equal((await petit(["client", "init", "-c", config], { env })).code, 0);
  return {
    folder,
    config,
    env,
    unit: join(folder, "xdg/systemd/user/petit-client.service"),
    service: (...args: string[]) => petit(["service", ...args, "--user"], { env }),
    /** What systemctl was asked since the last time. */
    asked: () => {
      const lines = readFileSync(asked, "utf8").trimEnd().split("\n");
      writeFileSync(asked, "");
      return lines;
    },
  };
}

const ON_LINUX = process.platform === "linux" ? false : "a service of Linux";

test(
  "service: install writes a user's unit, enables and starts it, and says what is left to do; again brings it up to date",
  { skip: ON_LINUX },
  async (t) => {
    const { config, unit, service, asked } = await place(t);
    for (const time of ["first", "again"]) {
      const { code, stdout, stderr } = await service("install", "client", "-c", config);
      assert.equal(code, 0, stderr);
      assert.deepEqual(asked(), [
        "--user show --property=Version",
        "--user daemon-reload",
        "--user enable petit-client.service",
        "--user restart petit-client.service",
        "--user show --property=ActiveState,SubState,MainPID,UnitFileState petit-client.service",
      ], time);
      assert.match(stdout, /active \(running\), pid 4711/);
      assert.match(stdout, /loginctl enable-linger/);
      const text = readFileSync(unit, "utf8");
      assert.ok(text.includes(`ExecStart="${petitExecutable}" "client" "run" "-c" "${config}"\n`), text);
      // drainFor is 30 s by default.
      assert.match(text, /^TimeoutStopSec=45$/m);
      assert.equal((statSync(unit).mode & 0o777).toString(8), "644");
      assert.deepEqual(readdirSync(join(unit, "..")), ["petit-client.service"]);
      writeFileSync(unit, "# old\n");
    }
  },
);

test("service: uninstall stops it and takes the unit away, leaving config and state; where there is none it says so", {
  skip: ON_LINUX,
}, async (t) => {
  const { config, unit, service, asked } = await place(t);
  await service("install", "client", "-c", config);
  asked();
  const { code, stdout } = await service("uninstall", "client");
  assert.equal(code, 0);
  assert.match(stdout, /stopped and gone/);
  assert.deepEqual(asked(), [
    "--user disable --now petit-client.service",
    "--user daemon-reload",
    "--user reset-failed petit-client.service",
  ]);
  assert.equal(existsSync(unit), false);
  assert.equal(existsSync(config), true);
  const again = await service("uninstall", "client");
  assert.equal(again.code, 1);
  assert.match(again.stderr, /petit-client is not installed \(there is no ".*petit-client\.service"\)\n {7}\S/);
});

test(
  "service: status tells what systemd knows, for people and as JSON; 3 where nothing runs",
  { skip: ON_LINUX },
  async (t) => {
    const { config, unit, service } = await place(t);
    const none = await service("status", "client", "--json");
    assert.equal(none.code, 3);
    assert.equal(JSON.parse(none.stdout).installed, false);
    assert.match((await service("status", "client")).stdout, /petit-client is not installed as a service/);
    await service("install", "client", "-c", config);
    const { code, stdout } = await service("status", "client", "--json");
    assert.equal(code, 0);
    assert.deepEqual(JSON.parse(stdout), {
      service: "petit-client",
      scope: "user",
      installed: true,
      enabled: true,
      running: true,
      pid: 4711,
      state: "active (running)",
      definition: unit,
    });
    assert.match(
      (await service("status", "client")).stdout,
      /petit-client \(for this user\) is active \(running\), pid 4711; it starts by itself/,
    );
  },
);

test(
  "service: a systemd that cannot be reached is told with what to do, and nothing is written",
  { skip: ON_LINUX },
  async (t) => {
    const { config, unit, service } = await place(t, 'echo "Failed to connect to bus: No medium found" >&2; exit 1');
    const { code, stderr, stdout } = await service("install", "client", "-c", config);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /Cannot reach systemd: Failed to connect to bus: No medium found\n {7}Log in as this user itself/,
    );
    assert.equal(stdout, "");
    assert.equal(existsSync(unit), false);
  },
);

test("service: a machine without systemd, a missing config and the source instead of the executable are told", {
  skip: ON_LINUX,
}, async (t) => {
  const { folder, config, env, service, unit } = await place(t);
  const alone = { ...env, PATH: join(folder, "nothing") };
  const noManager = await petit(["service", "install", "client", "--user", "-c", config], { env: alone });
  assert.equal(noManager.code, 1);
  assert.match(noManager.stderr, /There is no "systemctl" on this machine\n {7}.*petit client run/);
  const noConfig = await service("install", "client", "-c", join(folder, "none.toml"));
  assert.equal(noConfig.code, 2);
  assert.match(noConfig.stderr, /There is no config file/);
  const main = new URL("../../main.ts", import.meta.url).pathname;
  const source = await run(process.execPath, [main, "service", "install", "client", "--user", "-c", config], { env });
  assert.equal(source.code, 1);
  assert.match(source.stderr, /A service runs petit's executable, and this is petit's source\n {7}Build it/);
  assert.equal(existsSync(unit), false);
});

test("service: a daemon that was started by hand is not taken for the service's", { skip: ON_LINUX }, async (t) => {
  const { service, asked } = await place(t);
  const server = await (await ServerProcess.init(t)).start();
  const { code, stderr } = await service("install", "server", "-c", server.config);
  assert.equal(code, 1);
  assert.match(
    stderr,
    /A server is running on ".*" already, and not as this service\n {7}Stop it first: petit server stop/,
  );
  assert.deepEqual(asked(), [""]);
});

test(
  "service: root installs for the whole machine, as the user whose config it is",
  { skip: ON_LINUX || notPrivate() },
  async (t) => {
    const { folder, config, env } = await place(t);
    // A name space of its own: the machine's units are not touched.
    const script = `mount -t tmpfs none /etc/systemd/system && chown 65534 '${config}' && ` +
      `'${petitExecutable}' service install client -c '${config}' && cat /etc/systemd/system/petit-client.service && ` +
      `'${petitExecutable}' service uninstall client && ls /etc/systemd/system`;
    const { code, stdout, stderr }: Finished = await run("unshare", ["--mount", "sh", "-c", script], { env });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /for the whole machine, run by systemd/);
    assert.doesNotMatch(stdout, /linger/);
    assert.match(stdout, /^User=65534$/m);
    assert.ok(stdout.includes(`\nReadWritePaths="${folder}"`), stdout);
    assert.match(stdout, /^WantedBy=multi-user\.target$/m);
    assert.ok(stdout.endsWith("its config and state are where they were\n"), stdout);
    assert.deepEqual(readFileSync(join(folder, "asked"), "utf8").split("\n").slice(0, 4), [
      "show --property=Version",
      "daemon-reload",
      "enable petit-client.service",
      "restart petit-client.service",
    ]);
  },
);

/** Why a mount of its own cannot be had, or false. */
function notPrivate(): string | false {
  if (process.getuid?.() !== 0) return "needs root";
  const made = spawnSync("unshare", ["--mount", "sh", "-c", "mount -t tmpfs none /etc/systemd/system"]);
  return made.status === 0 ? false : "needs a mount name space and /etc/systemd/system";
}
