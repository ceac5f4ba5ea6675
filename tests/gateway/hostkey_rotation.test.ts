import assert from "node:assert/strict";
import { copyFileSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import test from "node:test";
import { PetitError } from "../../src/error.ts";
import { openRegistry } from "../../src/registry/open_registry.ts";
import { readHostKey } from "../../src/server/host_key/host_key.ts";
import { finishingSteps, makeNext } from "../../src/server/host_key/host_key_files.ts";
import type { HostKeys } from "../../src/server/host_key/host_keys.ts";
import { utils } from "../../src/tunnel/ssh_library.ts";
import { eventually } from "../world/eventually.ts";
import { exchange, statusOf } from "../world/raw_http.ts";
import { makeWorld, TestClient, TestServer, type World } from "../world/world.ts";

const service = (socket: import("node:net").Socket) =>
  void socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"));

const keysOf = ({ running }: TestServer): HostKeys => running.control.hostKeys;

/** The keys that a client has pinned, by their fingerprints. */
function pinnedBy({ folder, config }: TestClient): string[] {
  const name = `[${config.client.host}]:${config.client.port}`;
  const lines = readFileSync(join(folder, "known_hosts"), "utf8").trim().split("\n");
  assert.ok(lines.every((line) => line.startsWith(`${name} ssh-ed25519 `)), lines.join("\n"));
  return lines;
}

const fileOf = ({ config }: TestServer) => config.server.ssh.hostKey;
const lineOf = (file: string) => readHostKey(file).publicKey.line;

async function answers({ proxyPort, id }: World): Promise<void> {
  const request = `GET / HTTP/1.1\r\nHost: ${id}.example.com\r\nConnection: close\r\n\r\n`;
  assert.equal(statusOf(await exchange(proxyPort, request)), 200);
}

/** Ends the tunnel of a client, and waits until it is back. */
async function reconnect({ server, client, id }: World): Promise<void> {
  const before = client.log.length;
  server.running.control.disconnect(id);
  await eventually("the client is back", () => client.log.slice(before).some((line) => line["endpoint"] !== undefined));
}

function refused(code: string, work: () => void, message?: RegExp): void {
  assert.throws(work, (error: unknown) => {
    assert.ok(error instanceof PetitError, String(error));
    assert.equal(error.code, code);
    if (message !== undefined) assert.match(error.message, message);
    return true;
  });
}

test("the next host key is pinned by a client that is connected, and takes over without a gap", async (t) => {
  const world = await makeWorld(t, service);
  const { server, client } = world;
  const file = fileOf(server);
  const [before] = pinnedBy(client);
  const tunnel = server.running.control.tunnels()[0];

  keysOf(server).rotate();
  await keysOf(server).settle(10_000);
  const next = readHostKey(`${file}.next`).publicKey;
  assert.deepEqual(pinnedBy(client), [before, `[127.0.0.1]:${server.running.sshPort} ${next.line}`]);
  if (process.platform !== "win32") {
    for (const secret of [join(client.folder, "known_hosts"), `${file}.next`]) {
      assert.equal(statSync(secret).mode & 0o777, 0o600, secret);
    }
  }
  const { next: shown } = keysOf(server).status();
  assert.deepEqual([shown?.fingerprint, shown?.aware, shown?.unaware], [next.fingerprint, 1, []]);

  const former = lineOf(file);
  keysOf(server).finish(false);
  assert.deepEqual([lineOf(file), lineOf(`${file}.former`)], [next.line, former]);
  assert.equal(existsSync(`${file}.next`), false);
  assert.ok(readFileSync(`${file}.pub`, "utf8").startsWith(next.line));
  assert.deepEqual(server.running.control.tunnels()[0], tunnel, "the tunnel that stood goes on");
  await answers(world);

  await reconnect(world);
  await answers(world);
  // The former key is not offered any more.
  await client.logged(({ msg }) => msg.includes("forgotten"));
  assert.deepEqual(pinnedBy(client), [`[127.0.0.1]:${server.running.sshPort} ${next.line}`]);
  assert.equal(client.log.some(({ level }) => level === "error"), false);
});

test("a client that is away learns the next host key when it returns, and until then the key stays", async (t) => {
  const world = await makeWorld(t, service);
  const { server, client, id } = world;
  await client.stop();
  keysOf(server).rotate();
  assert.deepEqual(keysOf(server).status().next?.unaware, [{ ids: [id], connected: false }]);
  const before = lineOf(fileOf(server));
  refused("host-key-unaware", () => keysOf(server).finish(false), new RegExp(`^1 of 1 clients .*: ${id} \\(away\\)$`));
  assert.equal(lineOf(fileOf(server)), before, "a refusal changes nothing");

  await client.start();
  await keysOf(server).settle(10_000);
  keysOf(server).finish(false);
  await reconnect(world);
  await answers(world);
});

test("who knows the next host key is remembered when the server is started again", async (t) => {
  const world = await makeWorld(t, service);
  const { server, client } = world;
  keysOf(server).rotate();
  await keysOf(server).settle(10_000);
  const { fingerprint } = keysOf(server).status().next ?? {};
  await client.stop();
  await server.stop();
  await server.start();
  const { next } = keysOf(server).status();
  assert.deepEqual([next?.fingerprint, next?.aware, next?.unaware], [fingerprint, 1, []]);
  keysOf(server).finish(false);
  await client.start();
  await answers(world);
});

test("a client that was away for the whole replacement refuses the server, and registers again", async (t) => {
  const world = await makeWorld(t, service);
  const { server, client, id } = world;
  await client.stop();
  keysOf(server).rotate();
  assert.deepEqual(keysOf(server).finish(true).unaware, [{ ids: [id], connected: false }]);
  const logins = server.log.filter(({ msg }) => msg.includes("logged in")).length;
  client.launch();
  const line = await client.logged(({ code }) => code === "host-key-mismatch");
  assert.match(line.msg, /shows another host key/);
  assert.match(JSON.stringify(line), /register again with a new join code/);
  assert.equal(server.log.filter(({ msg }) => msg.includes("logged in") || msg.includes("was refused")).length, logins);
  await client.stop();

  const { fingerprint: hostKeyFingerprint } = readHostKey(fileOf(server)).publicKey;
  await client.register({ ...server.joinCode(), hostKeyFingerprint });
  assert.equal(client.registered.registeredId, id);
  await client.start();
  await answers(world);
});

test("who has the next host key, and not the current one, is no server to a client that was not told of it", async (t) => {
  const { server, client } = await makeWorld(t, service);
  await client.stop();
  keysOf(server).rotate();
  const thief = new TestServer(t);
  copyFileSync(`${fileOf(server)}.next`, fileOf(thief));
  // At the address of the real one, with the key that it is going to have.
  await server.stop();
  thief.config.server.ssh.port = client.config.client.port;
  await thief.start();
  client.launch();
  await client.logged(({ code }) => code === "host-key-mismatch");
  await thief.logged(({ code }) => code === "login-failed");
  assert.equal(thief.log.some(({ msg }) => msg.includes("was refused") || msg.includes("logged in")), false);
});

test("a next host key that is given up is forgotten by clients", async (t) => {
  const world = await makeWorld(t, service);
  const { server, client } = world;
  refused("host-key-not-rotating", () => keysOf(server).abort());
  refused("host-key-not-rotating", () => keysOf(server).finish(true));
  const before = pinnedBy(client);
  keysOf(server).rotate();
  refused("host-key-rotating", () => keysOf(server).rotate());
  await keysOf(server).settle(10_000);
  assert.equal(pinnedBy(client).length, 2);
  keysOf(server).abort();
  await client.logged(({ msg }) => msg.includes("forgotten"));
  assert.deepEqual(pinnedBy(client), before);
  assert.deepEqual(
    [`${fileOf(server)}.next`, `${fileOf(server)}.next.pub`].filter((file) => existsSync(file)),
    [],
  );
  assert.equal(keysOf(server).status().next, null);
  await reconnect(world);
  await answers(world);
});

for (const done of [0, 1, 2, 3]) {
  test(`a server that was killed after ${done} of 3 steps of the change starts with a key that its clients know`, async (t) => {
    const world = await makeWorld(t, service);
    const { server, client } = world;
    const file = fileOf(server);
    keysOf(server).rotate();
    await keysOf(server).settle(10_000);
    const { fingerprint: next } = readHostKey(`${file}.next`).publicKey;
    await client.stop();
    await server.stop();
    for (const step of finishingSteps(file).slice(0, done)) step();
    await server.start();
    await client.start();
    await answers(world);
    // It is done, or is done now.
    if (done < 2) keysOf(server).finish(false);
    else refused("host-key-not-rotating", () => keysOf(server).finish(false));
    const { current, former } = keysOf(server).status();
    assert.equal(current.fingerprint, next);
    assert.equal(former?.file, `${file}.former`);
    assert.ok(readFileSync(`${file}.pub`, "utf8").startsWith(lineOf(file)));
    assert.equal(existsSync(`${file}.next.pub`), false);
    await reconnect(world);
    await answers(world);
  });
}

test("a join code is good while the next host key is there, and no longer when it has taken over", async (t) => {
  const world = await makeWorld(t, service);
  const { server } = world;
  const [used, unused] = [server.joinCode(), server.joinCode({ uses: 3 })];
  keysOf(server).rotate();
  assert.equal(keysOf(server).status().openJoinCodes, 2);
  const newcomer = await new TestClient(t, server, world.service.port).register(used);
  await newcomer.start();
  await keysOf(server).settle(10_000);
  assert.equal(pinnedBy(newcomer).length, 2);

  const { revokedJoinCodes } = keysOf(server).finish(false);
  assert.equal(revokedJoinCodes, 1);
  const registry = openRegistry(server.config.server.registryUrl);
  assert.deepEqual(registry.joinCodes().map(({ usesLeft }) => usesLeft), [0, 0], "what was used up is still known");
  registry.close();
  const late = new TestClient(t, server, world.service.port);
  const error = await late.register(unused).then(() => undefined, (reason) => reason);
  assert.ok(error instanceof PetitError, String(error));
  assert.equal(error.code, "host-key-mismatch");
  assert.match(error.hint ?? "", /key was replaced after the code was made.* new join code/);
  assert.equal(existsSync(join(late.folder, "known_hosts")), false);
});

test("a tenant that is registered meanwhile takes nothing of what its client has learned", async (t) => {
  const world = await makeWorld(t, service);
  const { server, client } = world;
  keysOf(server).rotate();
  await keysOf(server).settle(10_000);
  const pinned = pinnedBy(client);
  await client.register(server.joinCode());
  assert.deepEqual(pinnedBy(client).sort(), pinned.sort());
  keysOf(server).finish(false);
  await reconnect(world);
});

test("a next host key that cannot be used keeps no server from starting", async (t) => {
  const world = await makeWorld(t, service);
  const { server, client } = world;
  await server.stop();
  writeFileSync(`${fileOf(server)}.next`, "not a key\n", { mode: 0o600 });
  await server.start();
  const line = await server.logged(({ code }) => code === "host-key-unusable");
  assert.ok(line.msg.includes(".next"), line.msg);
  refused("host-key-rotating", () => keysOf(server).rotate());
  refused("host-key-unusable", () => keysOf(server).finish(true));
  keysOf(server).abort();
  keysOf(server).rotate();
  await client.logged(({ msg }) => msg.includes("pinned too"));
});

test("a process that takes another's place takes up what that one did to the host keys while it was starting", async (t) => {
  const world = await makeWorld(t, service);
  const { server, client } = world;
  const file = fileOf(server);
  makeNext(file);
  keysOf(server).reread();
  await keysOf(server).settle(10_000);
  for (const step of finishingSteps(file)) step();
  const { line } = readHostKey(file).publicKey;
  assert.notEqual(keysOf(server).current.publicKey.line, line);
  keysOf(server).reread();
  assert.equal(keysOf(server).current.publicKey.line, line);
  await reconnect(world);
  await client.logged(({ msg }) => msg.includes("forgotten"));
  await answers(world);
});

test("a key of another type, which the operator had before petit, is replaced in the same way", async (t) => {
  const server = new TestServer(t);
  const file = fileOf(server);
  writeFileSync(file, utils.generateKeyPairSync("rsa", { bits: 2048 }).private, { mode: 0o600 });
  await server.start();
  const client = await new TestClient(t, server, 9).register(server.joinCode());
  await client.start();
  keysOf(server).rotate();
  await keysOf(server).settle(10_000);
  assert.equal(lineOf(`${file}.next`).split(" ")[0], "ssh-ed25519");
  keysOf(server).finish(false);
  server.running.control.disconnect(client.registered.registeredId);
  await client.logged(({ msg }) => msg.includes("forgotten"));
  assert.deepEqual(pinnedBy(client), [`[127.0.0.1]:${server.running.sshPort} ${lineOf(file)}`]);
});

test("a next host key that settings let no client see is neither made nor taken into use", async (t) => {
  const server = new TestServer(t);
  const file = fileOf(server);
  writeFileSync(file, utils.generateKeyPairSync("rsa", { bits: 2048 }).private, { mode: 0o600 });
  await server.start();
  const { ssh } = server.config.server;
  const { hostKeyAlgorithms } = ssh;
  ssh.hostKeyAlgorithms = ["rsa-sha2-512"];
  refused("host-key-refused", () => keysOf(server).rotate());
  assert.equal(existsSync(`${file}.next`), false);
  ssh.hostKeyAlgorithms = hostKeyAlgorithms;
  keysOf(server).rotate();
  ssh.hostKeyAlgorithms = ["rsa-sha2-512"];
  const before = lineOf(file);
  refused("host-key-refused", () => keysOf(server).finish(true));
  assert.equal(lineOf(file), before);
});
