import assert from "node:assert/strict";
import { chmodSync, lstatSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import test, { type TestContext } from "node:test";
import { parseConfig } from "../../../src/config/load.ts";
import { changeConfig } from "../../../src/control/change_config.ts";
import { temporaryFolder } from "../../world/temporary_folder.ts";

const isWindows = process.platform === "win32";

const TEXT = `# Ours
[server]
idleTimeout = "75s" # as the load balancer's
trustedProxies = []

[server.ssh]
port = 2222
`;

function configFile(t: TestContext, text = TEXT): string {
  const file = join(temporaryFolder(t), "config.toml");
  writeFileSync(file, text);
  return file;
}

test("settings are changed and added, and everything else stays, comments too", (t) => {
  const file = configFile(t);
  changeConfig(file, "server", {
    "server.idleTimeout": "90s",
    "server.trustedProxies": ["10.0.0.0/8", "::1"],
    "server.ssh.port": 22,
    "server.accessLog": "json",
    "server.vitae.environment": "staging",
  });
  const text = readFileSync(file, "utf8");
  assert.match(text, /^# Ours\n/);
  assert.match(text, /idleTimeout = "90s" # as the load balancer's\n/);
  const { server } = parseConfig(text, file);
  assert.deepEqual(
    [server.idleTimeout, server.trustedProxies, server.ssh.port, server.accessLog, server.vitae.environment],
    [90_000, ["10.0.0.0/8", "::1"], 22, "json", "staging"],
  );
});

test("nothing is written where one of the changes is wrong", (t) => {
  const file = configFile(t);
  const wrong: [Record<string, string | number | boolean>, string][] = [
    [{ "server.idleTimeout": "90s", "server.ssh.port": 70_000 }, "config-invalid"],
    [{ "server.idleTimeout": 90 }, "config-invalid"],
    [{ "server.publicHost": "\u007f" }, "config-invalid"],
    [{ "server.idleTimeout": "90s", "server.nonsense": 1 }, "setting-unknown"],
    [{ "client.host": "a" }, "setting-unknown"],
    [{ "server": "a" }, "setting-unknown"],
    [{ "server.ssh": "a" }, "setting-unknown"],
    [{ "__proto__.x": "a" }, "setting-unknown"],
    [{ "": "a" }, "setting-unknown"],
  ];
  for (const [changes, code] of wrong) {
    assert.throws(() => changeConfig(file, "server", changes), { code }, JSON.stringify(changes));
    assert.equal(readFileSync(file, "utf8"), TEXT);
  }
  assert.deepEqual(readdirSync(join(file, "..")), ["config.toml"]);
});

test("what is wrong says the setting and what is wanted, without a place that nobody can look at", (t) => {
  assert.throws(() => changeConfig(configFile(t), "server", { "server.idleTimeout": "soon" }), {
    message:
      'Cannot change the config: "server.idleTimeout" is "soon"; wanted a duration with a unit, such as "500ms", "5s", "2m" or "24h"',
  });
  assert.throws(() => changeConfig(configFile(t), "server", { "server.idelTimeout": "90s" }), {
    hint: 'Did you mean "server.idleTimeout"',
  });
});

test("a config that is wrong already is not touched, and its fault is named with its place", (t) => {
  const file = configFile(t, "[server]\nidleTimeout = 5\n");
  assert.throws(() => changeConfig(file, "server", { "server.headTimeout": "5s" }), {
    message: /config\.toml:2:1: "server\.idleTimeout" is 5/,
  });
});

test("the file keeps its mode, and a link stays a link", { skip: isWindows && "Windows has no file modes" }, (t) => {
  const file = configFile(t);
  chmodSync(file, 0o640);
  const link = join(temporaryFolder(t), "config.toml");
  symlinkSync(file, link);
  changeConfig(link, "server", { "server.idleTimeout": "90s" });
  assert.ok(lstatSync(link).isSymbolicLink());
  assert.equal(statSync(file).mode & 0o777, 0o640);
  assert.match(readFileSync(file, "utf8"), /idleTimeout = "90s"/);
});

test("a file that says the same already is not written", (t) => {
  const file = configFile(t);
  chmodSync(file, 0o400);
  const before = statSync(file).ino;
  changeConfig(file, "server", { "server.idleTimeout": "75s" });
  assert.equal(statSync(file).ino, before);
});
