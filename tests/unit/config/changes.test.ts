import assert from "node:assert/strict";
import test from "node:test";
import { takeUp } from "../../../src/config/changes.ts";
import { parseConfig } from "../../../src/config/load.ts";

const read = (text: string) => parseConfig(text, "/petit/config.toml").server;

test("reload: nothing changed is nothing told", () => {
  assert.deepEqual(takeUp(read(""), read(""), "server"), { changed: [], restartNeeded: [] });
});

test("reload: whoever holds the settings sees the new values, those of sections too", () => {
  const running = read("");
  const { vitae } = running;
  const reloaded = takeUp(
    running,
    read('[server]\nidleTimeout = "9s"\ntrustedProxies = ["10.0.0.0/8"]\n[server.vitae]\nenvironment = "staging"\n'),
    "server",
  );
  assert.deepEqual(reloaded.changed.toSorted(), [
    "server.idleTimeout",
    "server.trustedProxies",
    "server.vitae.environment",
  ]);
  assert.equal(running.idleTimeout, 9000);
  assert.deepEqual(running.trustedProxies, ["10.0.0.0/8"]);
  assert.equal(vitae.environment, "staging", "the section is the same object as before");
});

test("reload: what can be taken up at a start only is told, and left as it is", () => {
  const running = read("");
  const text = '[server]\nproxyPort = 1\naccessLog = "json"\n[server.ssh]\nport = 2\n';
  const { changed, restartNeeded } = takeUp(running, read(text), "server");
  assert.deepEqual(changed, []);
  assert.deepEqual(restartNeeded.toSorted(), ["server.accessLog", "server.proxyPort", "server.ssh.port"]);
  assert.deepEqual([running.proxyPort, running.ssh.port], [8090, 2222]);
});
