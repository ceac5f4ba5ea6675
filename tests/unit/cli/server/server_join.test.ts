import assert from "node:assert/strict";
import { join } from "node:path";
import test from "node:test";
import { loadConfig } from "../../../../src/config/load.ts";
import { openRegistry } from "../../../../src/registry/open_registry.ts";
import { readHostKey } from "../../../../src/server/host_key/host_key.ts";
import { decodeJoinCode, hashJoinSecret } from "../../../../src/tunnel/join_code.ts";
import { type Scope, temporaryFolder } from "../../../world/world.ts";
import { petit } from "../captured.ts";

/** A server that has been set up, and its config file. */
async function newServer(scope: Scope, ...options: string[]): Promise<string> {
  const file = join(temporaryFolder(scope), "config.toml");
  const { code, err } = await petit("server", "init", "-c", file, ...options);
  assert.equal(code, 0, err);
  return file;
}

/** What the server keeps of a join code. */
function recordOf(file: string, word: string) {
  const registry = openRegistry(loadConfig(file).config.server.registryUrl);
  try {
    return registry.joinCode(hashJoinSecret(decodeJoinCode(word).secret));
  } finally {
    registry.close();
  }
}

test("server join: standard output is the code alone, and the code names the server", async (t) => {
  const file = await newServer(t, "--host", "petit.example.com");
  const { code, out, err } = await petit("server", "join", "-c", file);
  assert.equal(code, 0, err);
  assert.match(out, /^petit-[\w-]+\n$/);
  const { host, port, hostKeyFingerprint } = decodeJoinCode(out);
  const { config } = loadConfig(file);
  assert.deepEqual([host, port], ["petit.example.com", 2222]);
  assert.equal(hostKeyFingerprint, readHostKey(config.server.ssh.hostKey).publicKey.fingerprint);
  assert.match(err, /petit client register, which asks for it/);
  assert.ok(err.includes("Without petit: ssh -p 2222 join@petit.example.com register < ~/.ssh/id_ed25519.pub\n"), err);
  assert.ok(err.includes(`once the host key is ${hostKeyFingerprint}\n`), err);
});

test("server join: a code is for one client and a day, unless it is told otherwise", async (t) => {
  const file = await newServer(t);
  const before = Date.now();
  const { out } = await petit("server", "join", "-c", file);
  const record = recordOf(file, out);
  assert.deepEqual([record?.usesLeft, record?.brand], [1, ""]);
  const expiresAt = record?.expiresAt ?? 0;
  assert.ok(expiresAt >= before + 86_400_000 && expiresAt <= Date.now() + 86_400_000);
});

test("server join: uses, time, brand and host can be chosen, and JSON tells them", async (t) => {
  const file = await newServer(t);
  const options = ["--uses", "20", "--expires", "7d", "--brand", "b", "--host", "other.example"];
  const { out, err } = await petit("server", "join", "-c", file, "--json", ...options);
  assert.equal(err, "");
  const facts = JSON.parse(out);
  const record = recordOf(file, facts.code);
  assert.deepEqual([record?.usesLeft, record?.brand], [20, "b"]);
  assert.equal(facts.uses, 20);
  assert.equal(facts.expires, new Date(record?.expiresAt ?? 0).toISOString());
  const { host, hostKeyFingerprint } = decodeJoinCode(facts.code);
  assert.deepEqual([host, facts.hostKey], ["other.example", hostKeyFingerprint]);
  assert.equal(facts.ssh, "ssh -p 2222 join@other.example register < ~/.ssh/id_ed25519.pub");
});

test("server join: a code for this machine alone is said to be one", async (t) => {
  const file = await newServer(t);
  assert.match((await petit("server", "join", "-c", file)).err, /localhost.*this machine only/);
  assert.doesNotMatch((await petit("server", "join", "-c", file, "--host", "x")).err, /this machine only/);
});

test("server join: a time beyond the calendar is wrong usage, and no fault of petit's own", async (t) => {
  const file = await newServer(t);
  const { code, out, err } = await petit("server", "join", "-c", file, "--expires", "999999999d");
  assert.equal(code, 2, err);
  assert.match(err, /^petit: "999999999d" is not a time for --expires\n/);
  assert.equal(out, "");
});
