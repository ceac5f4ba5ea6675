import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { loadConfig } from "../../../../src/config/load.ts";
import { openRegistry } from "../../../../src/registry/open_registry.ts";
import { type Scope, temporaryFolder } from "../../../world/temporary_folder.ts";
import { VECTORS } from "../../tunnel/ssh_keygen_vectors.ts";
import { petit } from "../captured.ts";

const [ed25519, ecdsa, rsa] = VECTORS;

/** A server that has been set up, and a file with a public key. */
async function newServer(scope: Scope) {
  const folder = temporaryFolder(scope);
  const config = join(folder, "config.toml");
  assert.equal((await petit("server", "init", "-c", config, "--host", "petit.example.com")).code, 0);
  const keyFile = (text: string) => {
    const file = join(folder, "key.pub");
    writeFileSync(file, text);
    return file;
  };
  const register = (...args: string[]) => petit("server", "register", "-c", config, ...args);
  return { config, keyFile, register };
}

test("server register: prints what the key's owner types, and what is there already the second time", async (t) => {
  const { config, keyFile, register } = await newServer(t);
  const args = ["--key", keyFile(`${ed25519.line} somebody\n`)];
  const { code, out, err } = await register(...args);
  assert.equal(code, 0, err);
  const { server } = loadConfig(config).config;
  const registry = openRegistry(server.registryUrl);
  t.after(() => registry.close());
  const [made] = registry.registrations();
  assert.deepEqual([made?.key, made?.tenant, made?.brand], [ed25519.line, "default", "ce"]);
  const forward = `-R ${made?.port}:localhost:8080`;
  assert.ok(out.startsWith(`Registered    ${made?.id}\nEndpoint      http://${made?.id}.petit.example.com`), out);
  assert.ok(out.includes(`Key           ${ed25519.fingerprint}\n`));
  const options = "-o ServerAliveInterval=15 -o ExitOnForwardFailure=yes";
  assert.ok(out.includes(`\n  ssh -N ${forward} ${options} -p 2222 ${made?.id}@petit.example.com\n`), out);
  assert.match(out, /\n {2}plink -batch -N -R \d+:localhost:8080 -P 2222 -hostkey SHA256:\S{43} -i KEY\.ppk \d+@petit/);
  assert.equal((await register(...args)).out, out);
  const other = await register(...args, "--local-name", "shop", "--brand", "acme", "--host", "other.example", "--json");
  const facts = JSON.parse(other.out);
  assert.deepEqual([facts.registeredId, facts.tenant, facts.brand], ["1002", "shop", "acme"]);
  assert.ok(facts.ssh.endsWith("@other.example"));
  assert.equal(registry.registrations().length, 2);
});

test("server register: RSA is taken, and ECDSA where the operator lets it in", async (t) => {
  const { config, keyFile, register } = await newServer(t);
  assert.equal((await register("--key", keyFile(rsa.line))).code, 0);
  const refused = await register("--key", keyFile(ecdsa.line));
  assert.deepEqual([refused.code, refused.out], [2, ""]);
  assert.match(refused.err, /pubkeyAcceptedAlgorithms\n.*"\+ecdsa-sha2-nistp256"/);
  const setting = ["server", "config", "-c", config, "ssh.pubkeyAcceptedAlgorithms", "+ecdsa-sha2-nistp256"];
  const set = await petit(...setting);
  assert.equal(set.code, 0, set.err);
  assert.equal((await register("--key", keyFile(ecdsa.line))).code, 0);
});

test("server register: what is wrong is a sentence, and nothing is made", async (t) => {
  const { config, keyFile, register } = await newServer(t);
  const key = keyFile(ed25519.line);
  const wrong: [args: string[], code: number, sentence: RegExp][] = [
    [[], 2, /^petit: A public key is missing\n/],
    [["--key", `${key}.none`], 1, /^petit: Cannot read ".*key\.pub\.none"/],
    [["--key", key, "--local-name", "a/b"], 2, /"a\/b" cannot name a tenant/],
    [["--key", key, "--local-name", ""], 2, /"--local-name" needs a value/],
    [["--key", config], 2, /^petit: This is no public key/],
    [["--key", key, "extra"], 2, /extra/],
  ];
  for (const [args, expected, sentence] of wrong) {
    const { code, out, err } = await register(...args);
    assert.deepEqual([code, out], [expected, ""], err);
    assert.match(err, sentence);
  }
  const registry = openRegistry(loadConfig(config).config.server.registryUrl);
  t.after(() => registry.close());
  assert.deepEqual(registry.registrations(), []);
});

test("server register: a config that names the Redis of 0.6.x is refused, and nothing is made beside it", async (t) => {
  const { config, keyFile, register } = await newServer(t);
  const { registryUrl } = loadConfig(config).config.server;
  const text = readFileSync(config, "utf8").replace(/^registryUrl = .*$/m, 'registryUrl = "redis://localhost:6379"');
  writeFileSync(config, text);
  const { code, out, err } = await register("--key", keyFile(ed25519.line));
  assert.deepEqual([code, out], [2, ""]);
  assert.match(err, /"server\.registryUrl" names a Redis of petit 0\.6.*\n.*petit server import/);
  const registry = openRegistry(registryUrl);
  t.after(() => registry.close());
  assert.deepEqual(registry.registrations(), []);
});
