import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import test from "node:test";
import { TomlDocument } from "../../../../src/config/toml.ts";
import { generateKey } from "../../../../src/tunnel/keys.ts";
import { freePort } from "../../../world/ports.ts";
import { type Scope, temporaryFolder } from "../../../world/temporary_folder.ts";
import { petit } from "../captured.ts";

/** A server that has been set up, with ports that are free. */
async function newServer(scope: Scope) {
  const config = join(temporaryFolder(scope), "config.toml");
  assert.equal((await petit("server", "init", "-c", config)).code, 0);
  const set = (section: string, key: string, value: string | number) =>
    writeFileSync(config, new TomlDocument(readFileSync(config, "utf8")).with(section, key, value));
  set("server", "proxyPort", await freePort());
  set("server.ssh", "port", await freePort());
  const check = (...more: string[]) => petit("server", "check", "-c", config, ...more);
  const add = (line: string) => {
    const text = readFileSync(config, "utf8");
    writeFileSync(config, text.replace(/^\[server\]$/m, `[server]\n${line}`));
  };
  return { config, folder: dirname(config), set, add, check };
}

test("server check: a server that has been set up is well", async (t) => {
  const { check } = await newServer(t);
  const { code, out } = await check();
  assert.equal(code, 0, out);
  assert.match(out, /^✓ registry +There are 0 registrations in ".*registry\.db"\n[^]*\nAll is well\n$/);
});

test("server check: what stands in the config since 0.6 is told of, and wrong where start refuses it", async (t) => {
  const { check, config, add } = await newServer(t);
  add('statsUrl = "redis://localhost"');
  const warned = await check();
  assert.equal(warned.code, 0, warned.out);
  assert.match(
    warned.out,
    /^! config +.*config\.toml:\d+:\d+: "server\.statsUrl" means nothing any more.*\n.*→ Take it out/m,
  );
  const text = readFileSync(config, "utf8").replace(/^registryUrl = .*$/m, 'registryUrl = "redis://localhost:6379"');
  writeFileSync(config, text);
  const { code, out } = await check();
  assert.equal(code, 1, out);
  assert.match(out, /^✗ config +.*"server\.registryUrl" names a Redis of petit 0\.6.*\n.*→ Run "petit server import"/m);
  assert.match(out, /\nOne thing is wrong\n$/);
});

test("server check: the registry of another version is read and left as it is", async (t) => {
  const { check, folder } = await newServer(t);
  const file = join(folder, "registry.db");
  const change = (sql: string) => {
    const db = new DatabaseSync(file);
    db.exec(sql);
    db.close();
  };
  const look = () => [readdirSync(folder).sort(), readFileSync(file)];
  // As it was before it told whose registrations are those of 0.6.
  change("ALTER TABLE registrations DROP COLUMN legacy; PRAGMA user_version = 5");
  const before = look();
  const older = await check();
  assert.equal(older.code, 0, older.out);
  assert.deepEqual(look(), before);
  change("PRAGMA user_version = 1000");
  const newer = await check();
  assert.equal(newer.code, 1, newer.out);
  assert.match(newer.out, /✗ registry +The registry was written by a newer petit\n.*→ Install that version again\n/);
  change("PRAGMA user_version = 0; DROP TABLE aliases; DROP TABLE registrations");
  writeFileSync(`${file}.highest`, JSON.stringify({ id: 1005, port: 11085, idBefore: 1004 }));
  assert.match((await check()).out, /✗ registry +The registry ".*" (?:holds no registrations|.*), and ids/);
});

test("server check: lines for sshd_config can be pasted, and it is said once where they go", async (t) => {
  const { check, folder, set } = await newServer(t);
  const file = join(folder, "sshd_config");
  writeFileSync(file, "AllowTcpForwarding local\nClientAliveInterval 0\nAllowStreamLocalForwarding no\n");
  set("server", "backPort", await freePort());
  set("server.ssh", "mode", "openssh");
  set("server.ssh", "sshdConfig", file);
  // Of this machine's sshd nothing is known, not even whether there is one.
  set("server.ssh", "sshdHostKeys", join(folder, "sshd.pub"));
  writeFileSync(join(folder, "sshd.pub"), generateKey("").publicKey.line);
  const { code, out } = await check();
  assert.equal(code, 1, out);
  const [, lines = ""] =
    /\nThese go to the top of sshd_config, before any Match [^]*:\n\n([^]*?)\n\n(?:One thing is|\d+ things are) wrong\n$/
      .exec(out) ?? [];
  const pasted = lines.split("\n");
  for (const line of ["AllowTcpForwarding yes", "ClientAliveInterval 15", "ClientAliveCountMax 3"]) {
    assert.ok(pasted.includes(line), out);
  }
  assert.equal(out.match(/ClientAliveCountMax 3/g)?.length, 1);
});
