import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import test from "node:test";
import { launchdPlist } from "../../../../src/platform/service/launchd_plist.ts";
import type { ServiceDefinition } from "../../../../src/platform/service/service_manager.ts";
import { systemdUnit } from "../../../../src/platform/service/systemd_unit.ts";
import { windowsTaskXml } from "../../../../src/platform/service/windows_task_xml.ts";
import { temporaryFolder } from "../../../world/temporary_folder.ts";

const definition: ServiceDefinition = {
  role: "server",
  executable: "/usr/local/bin/petit",
  config: "/etc/petit/config.toml",
  writable: ["/etc/petit", "/srv/pe tit"],
  uid: 0,
  stopTimeout: 45,
};
const lines = (text: string) => text.split(/\r?\n/);

test("service: the unit runs the daemon in the foreground, reloads by SIGHUP, drains at SIGTERM and starts it again for ever", () => {
  for (const scope of ["system", "user"] as const) {
    const unit = lines(systemdUnit(definition, scope));
    for (
      const line of [
        'ExecStart="/usr/local/bin/petit" "server" "run" "-c" "/etc/petit/config.toml"',
        "ExecReload=/bin/kill -HUP $MAINPID",
        "KillSignal=SIGTERM",
        "TimeoutStopSec=45",
        "Restart=always",
        "StartLimitIntervalSec=0",
        "UnsetEnvironment=BUN_OPTIONS BUN_BE_BUN",
        "NoNewPrivileges=yes",
        "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK",
        "UMask=0077",
      ]
    ) assert.ok(unit.includes(line), line);
  }
});

test("service: a unit of the whole machine writes to its own folders only, and is started with the machine", () => {
  const unit = lines(systemdUnit(definition, "system"));
  for (
    const line of [
      "ProtectSystem=strict",
      'ReadWritePaths="/etc/petit" "/srv/pe tit"',
      "ProtectHome=yes",
      "PrivateTmp=yes",
      "CapabilityBoundingSet=CAP_NET_BIND_SERVICE",
      "LimitNOFILE=524288",
      "After=network-online.target",
      "WantedBy=multi-user.target",
    ]
  ) assert.ok(unit.includes(line), line);
  assert.ok(!unit.some((line) => line.startsWith("User=")));
  assert.ok(!unit.some((line) => line.startsWith("MemoryDenyWriteExecute=")), "JavaScript is compiled as it runs");
});

test("service: a unit runs as the user whose config it is, and reaches what lies in a home folder", () => {
  const config = "/home/ann/.petit/config.toml";
  const unit = lines(systemdUnit({ ...definition, config, writable: ["/home/ann/.petit"], uid: 1000 }, "system"));
  assert.ok(unit.includes("User=1000"));
  assert.ok(unit.includes("ProtectHome=read-only"));
});

test("service: a user's unit asks for nothing that only the system's manager may do", () => {
  const unit = systemdUnit({ ...definition, uid: 1000 }, "user");
  assert.doesNotMatch(unit, /^(?:User|CapabilityBoundingSet|ProtectSystem|PrivateDevices|PrivateTmp)=/m);
  assert.match(unit, /^WantedBy=default\.target$/m);
});

test("service: what means something to systemd is escaped in paths", () => {
  const config = '/srv/100% "a" $HOME \\x/config.toml';
  const unit = systemdUnit({ ...definition, config, writable: ['/srv/100% "a" $HOME \\x'] }, "system");
  assert.ok(unit.includes('"-c" "/srv/100%% \\"a\\" $$HOME \\\\x/config.toml"\n'));
  assert.ok(unit.includes('ReadWritePaths="/srv/100%% \\"a\\" $HOME \\\\x"\n'));
});

test("service: systemd finds no fault with the units", { skip: missing("systemd-analyze") }, (t) => {
  const folder = temporaryFolder(t);
  const executable = join(folder, "petit");
  writeFileSync(executable, "#!/bin/sh\n");
  chmodSync(executable, 0o755);
  const runtime = join(folder, "runtime");
  mkdirSync(runtime);
  for (const scope of ["system", "user"] as const) {
    for (const name of ["config.toml", '50% "a" $HOME.toml']) {
      const file = join(folder, "petit-server.service");
      const config = join(folder, name);
      writeFileSync(file, systemdUnit({ ...definition, executable, config, writable: [folder] }, scope));
      const { status, stderr } = spawnSync("systemd-analyze", [`--${scope}`, "verify", file], {
        encoding: "utf8",
        env: { ...process.env, XDG_RUNTIME_DIR: runtime, HOME: folder },
      });
      // The machine's own units may have faults of their own.
      assert.deepEqual(stderr.split("\n").filter((line) => line.includes("petit-server")), []);
      assert.equal(status, 0, stderr);
    }
  }
});

test(
  "service: systemd counts the unit of the whole machine as not exposed",
  { skip: missing("systemd-analyze") },
  (t) => {
    const file = join(temporaryFolder(t), "petit-server.service");
    writeFileSync(file, systemdUnit({ ...definition, executable: "/bin/true" }, "system"));
    // Ten times the exposure: 25 is 2.5 of 10, "OK"; what has no hardening is 96.
    const args = ["security", "--offline=true", "--threshold=25", "--no-pager", file];
    const { status, stdout, stderr } = spawnSync("systemd-analyze", args, { encoding: "utf8" });
    assert.equal(status, 0, stderr + stdout.slice(-200));
  },
);

test("service: the job of launchd and the task of Windows are XML that says the same words, whatever the path", {
  skip: missing("python3"),
}, () => {
  const config = "/Users/a & b/<x>/config.toml";
  const plist = launchdPlist({ ...definition, config }, "petit.server", "/tmp/x.log");
  const read = "import plistlib,sys,json; print(json.dumps(plistlib.loads(sys.stdin.buffer.read())))";
  const job = JSON.parse(python(read, plist));
  assert.deepEqual(job.ProgramArguments.slice(5), ["/usr/local/bin/petit", "server", "run", "-c", config]);
  assert.deepEqual(job.ProgramArguments.slice(0, 5), ["/usr/bin/env", "-u", "BUN_OPTIONS", "-u", "BUN_BE_BUN"]);
  assert.equal(job.KeepAlive, true);
  assert.equal(job.RunAtLoad, true);
  assert.equal(job.ExitTimeOut, 45);

  const task = windowsTaskXml({
    ...definition,
    executable: "C:\\Program Files\\petit\\petit.exe",
    config: "C:\\a & b\\config.toml",
  });
  const find =
    "import sys,json,xml.etree.ElementTree as e; n='{http://schemas.microsoft.com/windows/2004/02/mit/task}'; " +
    "r=e.fromstring(sys.stdin.buffer.read().decode().split('?>',1)[1]); " +
    "print(json.dumps({x.tag[len(n):]: x.text for x in r.iter() if len(x)==0}))";
  const facts = JSON.parse(python(find, task));
  assert.equal(facts.Command, "C:\\Program Files\\petit\\petit.exe");
  assert.equal(facts.Arguments, 'server run -c "C:\\a & b\\config.toml"');
  assert.equal(facts.UserId, "S-1-5-18");
  assert.equal(facts.MultipleInstancesPolicy, "IgnoreNew");
  assert.equal(facts.ExecutionTimeLimit, "PT0S");
});

function python(program: string, input: string): string {
  const { status, stdout, stderr } = spawnSync("python3", ["-c", program], { input, encoding: "utf8" });
  assert.equal(status, 0, stderr);
  return stdout;
}

/** Why a test is skipped, or false. */
function missing(program: string): string | false {
  return spawnSync(program, ["--version"]).error !== undefined && `${program} is not installed`;
}
