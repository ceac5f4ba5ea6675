import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import test from "node:test";
import { formerWarnings, refuseFormer } from "../../../src/config/former_settings.ts";
import { loadConfig, type LoadedConfig } from "../../../src/config/load.ts";
import type { PetitError } from "../../../src/error.ts";
import { temporaryFolder } from "../../world/world.ts";

/** As 0.6.x wrote it, but for what petit has under the same name. */
const FORMER = `[server]
proxyPort = 8091
registryfile = "./registry"
registryUrl = "redis://:hidden@localhost:6379"
statsUrl = "elastic://localhost:9200"

[client]
host = "g2c.example.com"
`;

function loaded(text: string, t: { after(undo: () => void): void }): LoadedConfig {
  const file = join(temporaryFolder(t), "config.toml");
  writeFileSync(file, text);
  return loadConfig(file);
}

test("settings of 0.6.x are let pass, with what became of each and where it stands", (t) => {
  const { config, file, former } = loaded(FORMER, t);
  assert.equal(config.server.proxyPort, 8091);
  assert.equal(config.server.registryUrl, `sqlite:${join(dirname(file), "registry.db")}`);
  assert.deepEqual(formerWarnings("server", former).map((warning) => warning.split(" means nothing")[0]), [
    `${file}:3:1: "server.registryfile"`,
    `${file}:5:1: "server.statsUrl"`,
  ]);
});

test("a server is not started on a Redis of 0.6.x, and the password is not said", (t) => {
  const { file, former } = loaded(FORMER, t);
  assert.throws(() => refuseFormer("server", former), (error: PetitError) => {
    assert.equal(error.code, "config-former");
    assert.equal(error.exitCode, 2);
    assert.match(error.message, /:4:1: "server\.registryUrl" names a Redis of petit 0\.6/);
    assert.ok(error.message.startsWith(file));
    assert.match(error.hint ?? "", /"petit server import".*registryUrl = "sqlite:\.\/registry\.db"/);
    assert.doesNotMatch(error.message + error.hint, /hidden/);
    return true;
  });
});

test("a client is not kept away by the server's settings beside its own", (t) => {
  const { former, config } = loaded(FORMER, t);
  refuseFormer("client", former);
  assert.deepEqual(formerWarnings("client", former), []);
  assert.equal(config.client.host, "g2c.example.com");
});

test("a client's own settings of 0.6.x are told too", (t) => {
  const { file, former, config } = loaded('[client]\npassphrase = "x"\nlogLevel = "silly"\n', t);
  assert.equal(config.client.logLevel, "info");
  assert.deepEqual(formerWarnings("client", former), [
    `${file}:2:1: "client.passphrase" means nothing any more: it is the mode of its file that protects the key`,
    `${file}:3:1: "client.logLevel" has a level that petit has no more; it is as if it were "info"`,
  ]);
  assert.throws(() => loaded('[client]\nlogLevel = "loud"\n', t), { code: "config-invalid" });
});

test("a setting of 0.6.x that petit has still, with a value of today, is none of them", (t) => {
  assert.deepEqual(loaded('[server]\nregistryUrl = "sqlite:./r.db"\n', t).former, []);
});

test("a value that is neither is refused as ever", (t) => {
  assert.throws(() => loaded("[server]\nregistryUrl = 6379\n", t), { code: "config-invalid" });
});
