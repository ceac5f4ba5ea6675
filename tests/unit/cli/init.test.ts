import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { loadConfig } from "../../../src/config/load.ts";
import { openRegistry } from "../../../src/registry/open_registry.ts";
import { readHostKey } from "../../../src/server/host_key/host_key.ts";
import { generateKey } from "../../../src/tunnel/keys.ts";
import { temporaryFolder } from "../../world/world.ts";
import { petit } from "./captured.ts";

test("init: a server's config, host key and registry are made, and nothing of a client's", async (t) => {
  const file = join(temporaryFolder(t), "etc", "config.toml");
  const { code, out, err } = await petit("server", "init", "-c", file, "--host", "petit.example.com");
  assert.equal(code, 0, err);
  const { server } = loadConfig(file).config;
  assert.equal(server.publicHost, "petit.example.com");
  assert.ok(out.includes(readHostKey(server.ssh.hostKey).publicKey.fingerprint));
  assert.doesNotMatch(readFileSync(file, "utf8"), /\[client/);
});

test("init: a client's server and service are those of its options", async (t) => {
  const file = join(temporaryFolder(t), "config.toml");
  const { code, err } = await petit("client", "init", "-c", file, "--server", "p.example:22", "--local", "[::1]:5432");
  assert.equal(code, 0, err);
  const { client } = loadConfig(file).config;
  assert.deepEqual([client.host, client.port], ["p.example", 22]);
  assert.deepEqual([client.local.host, client.local.port], ["::1", 5432]);
});

test("init: the sections of the other role stay as they are, comments too", async (t) => {
  const file = join(temporaryFolder(t), "config.toml");
  const mine = "# mine\n[client] # here\nport = 1234\n";
  writeFileSync(file, mine);
  const { code, err } = await petit("server", "init", "-c", file);
  assert.equal(code, 0, err);
  assert.ok(readFileSync(file, "utf8").startsWith(mine));
  const { config } = loadConfig(file);
  assert.equal(config.client.port, 1234);
  assert.equal(config.server.proxyPort, 8090);
});

for (const role of ["server", "client"]) {
  test(`init: a ${role} that was set up already is left alone`, async (t) => {
    const file = join(temporaryFolder(t), "config.toml");
    await petit(role, "init", "-c", file);
    const before = readFileSync(file, "utf8");
    const { code, err } = await petit(role, "init", "-c", file);
    assert.equal(code, 1);
    assert.match(err, new RegExp(`has a \\[${role}\\] section already; nothing was changed`));
    assert.equal(readFileSync(file, "utf8"), before);
  });
}

test("init: a host key that is there already stays, since clients trust no other", async (t) => {
  const file = join(temporaryFolder(t), "config.toml");
  await petit("server", "init", "-c", file);
  const key = loadConfig(file).config.server.ssh.hostKey;
  const before = readFileSync(key, "utf8");
  writeFileSync(file, "");
  assert.equal((await petit("server", "init", "-c", file)).code, 0);
  assert.equal(readFileSync(key, "utf8"), before);
});

test("init: a config file with a mistake is not added to", async (t) => {
  const file = join(temporaryFolder(t), "config.toml");
  writeFileSync(file, "[server]\nproxyPort = x\n");
  const { code, err } = await petit("client", "init", "-c", file);
  assert.equal(code, 2);
  assert.match(err, /:2:13: This is not TOML/);
  assert.equal(readFileSync(file, "utf8"), "[server]\nproxyPort = x\n");
});

test("init: a server's config of 0.6.x gets a host key, and stays as it is", async (t) => {
  const file = join(temporaryFolder(t), "config.toml");
  const former = '# mine\n[server]\nproxyPort = 8091\nregistryfile = "./registry"\n';
  writeFileSync(file, former);
  const { code, out, err } = await petit("server", "init", "-c", file, "--host", "petit.example.com");
  assert.equal(code, 0, err);
  assert.equal(
    readFileSync(file, "utf8"),
    former.replace("[server]\n", '[server]\npublicHost = "petit.example.com"\n'),
  );
  assert.ok(out.includes(readHostKey(loadConfig(file).config.server.ssh.hostKey).publicKey.fingerprint));
  assert.match((await petit("server", "init", "-c", file)).err, /already; nothing was changed/);
});

test("init: a host key that clients know is not replaced where it was lost", async (t) => {
  const file = join(temporaryFolder(t), "config.toml");
  await petit("server", "init", "-c", file);
  const { registryUrl, ssh: { hostKey } } = loadConfig(file).config.server;
  const { publicKey: { line: key, fingerprint } } = generateKey("client");
  const registry = openRegistry(registryUrl);
  registry.register({
    ...{ key, fingerprint, preferred: null, tenant: "default", joinHash: null, port: 11081, now: 0 },
    vitae: { brand: "ce", version: "1" },
  });
  registry.close();
  rmSync(hostKey);
  for (const lost of [() => {}, () => rmSync(registryUrl.slice("sqlite:".length))]) {
    lost();
    assert.match((await petit("server", "init", "-c", file)).err, /already; nothing was changed/);
    assert.ok(!existsSync(hostKey));
  }
});
