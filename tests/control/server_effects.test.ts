import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { decodeJoinCode } from "../../src/tunnel/join_code.ts";
import { generateKey } from "../../src/tunnel/keys.ts";
import { SshPeer } from "../world/ssh_peer.ts";
import { type Answer, TestApi } from "../world/api.ts";
import { makeWorld, startService, TestClient, TestServer } from "../world/world.ts";

test("a join code that the API makes registers as many clients as it says, and none once it is revoked", async (t) => {
  const server = await new TestServer(t).start();
  const api = await TestApi.ofServer(t, server);
  const { port } = await startService(t, (socket) => socket.destroy());
  const made =
    (await api.ask("POST", "/join-codes", { body: { uses: 2, expires: "1h", brand: "ce", host: "127.0.0.1" } })).json;
  const code = decodeJoinCode(made.code);
  await new TestClient(t, server, port).register(code);
  const list = await api.get("/join-codes");
  assert.deepEqual(
    list.json.joinCodes.map(({ id, uses, usesLeft, state }: Record<string, unknown>) => [id, uses, usesLeft, state]),
    [
      [made.id, 2, 1, "open"],
    ],
  );
  assert.ok(!list.text.includes(made.code) && !list.text.includes(code.secret));
  assert.equal((await api.ask("DELETE", `/join-codes/${made.id}`)).json.usesLeft, 1);
  await assert.rejects(new TestClient(t, server, port).register(code));
  const log = JSON.stringify([server.log, (await api.get("/log")).json]);
  assert.ok(!log.includes(made.code) && !log.includes(code.secret) && !log.includes(api.token));
});

test("a registration that the API makes for a public key is the key's at once, once for each name", async (t) => {
  const server = await new TestServer(t).start();
  const api = await TestApi.ofServer(t, server);
  const { privatePem, publicKey: { line: key, fingerprint } } = generateKey("");
  const made = (await api.ask("POST", "/registrations", { body: { key, localName: "shop" } })).json;
  assert.deepEqual([made.success, made.tenant, made.fingerprint, made.brand], [true, "shop", fingerprint, "ce"]);
  const { registeredId: id, registeredPort: port } = made;
  assert.ok(made.ssh.startsWith(`ssh -N -R ${port}:localhost:8080 -o `), made.ssh);
  assert.ok(made.ssh.endsWith(` -p ${server.running.sshPort} ${id}@localhost`), made.ssh);
  const again = await api.ask("POST", "/registrations", { body: { key: `${key} a comment`, localName: "shop" } });
  assert.deepEqual(again.json, made);
  const peer = new SshPeer(t);
  assert.equal(await peer.login(server, id, [{ type: "publickey", key: privatePem }]), "ready");
  assert.equal(await peer.forward("localhost", 0), port);
  const { entries } = (await api.get("/audit")).json;
  assert.equal(entries.filter(({ event }: { event: string }) => event === "registration-made").length, 1);
});

test("an alias leads to its registration at once, is refused to another, and is free when it is taken away", async (t) => {
  const { server, id } = await makeWorld(t, (socket) => socket.destroy());
  const { port } = await startService(t, (socket) => socket.destroy());
  const other = (await new TestClient(t, server, port).register(server.joinCode())).registered.registeredId;
  const api = await TestApi.ofServer(t, server);
  const alias = (of: string) => `/registrations/${of}/aliases/DB.example.com`;
  assert.deepEqual((await api.ask("PUT", alias(id))).json, {
    success: true,
    registeredId: id,
    alias: "db.example.com",
  });
  assert.deepEqual((await api.get(`/status/${id}`)).json.aliases, ["db.example.com"]);
  assert.equal((await api.ask("PUT", alias(id))).status, 200);
  const taken = await api.ask("PUT", alias(other));
  assert.deepEqual([taken.status, taken.json.code], [409, "alias-taken"]);
  assert.equal((await api.ask("DELETE", alias(id))).status, 200);
  assert.equal((await api.ask("PUT", alias(other))).status, 200);
});

test("a registration is disconnected with the cause on record, and is gone when it is deleted", async (t) => {
  const { server, service, id } = await makeWorld(t, (socket) => socket.destroy());
  const api = await TestApi.ofServer(t, server);
  const gone = server.logged(({ msg }) => msg === `${id} disconnected: the server's operator ended it`);
  assert.equal((await api.ask("POST", `/registrations/${id}/disconnect`)).status, 200);
  await gone;
  const [last] = (await api.get("/disconnects?limit=1")).json.disconnects;
  assert.deepEqual([last.ids, last.cause], [[id], "the server's operator ended it"]);
  assert.deepEqual((await api.get(`/status/${id}`)).json.disconnects, [last]);
  const { registered } = await new TestClient(t, server, service.port).register(server.joinCode());
  const away = await api.ask("POST", `/registrations/${registered.registeredId}/disconnect`);
  assert.deepEqual([away.status, away.json.code], [409, "not-connected"]);
  assert.equal((await api.ask("DELETE", `/registrations/${id}`)).status, 200);
  assert.deepEqual((await api.get("/status")).json.connected, []);
  assert.equal((await api.get(`/status/${id}`)).status, 404);
});

test("registrations come page by page, without one twice or none at all", async (t) => {
  const server = await new TestServer(t).start();
  const { port } = await startService(t, (socket) => socket.destroy());
  for (let i = 0; i < 5; i++) await new TestClient(t, server, port).register(server.joinCode());
  const api = await TestApi.ofServer(t, server);
  const seen: string[] = [];
  let next: string | null = "0";
  while (next !== null) {
    const page: Answer = await api.get(`/registrations?limit=2&after=${next}`);
    assert.equal(page.json.total, 5);
    seen.push(...page.json.registrations.map(({ registeredId }: { registeredId: string }) => registeredId));
    next = page.json.next;
  }
  assert.deepEqual(seen, ["1001", "1002", "1003", "1004", "1005"]);
  assert.equal((await api.get("/registrations?connected=true")).json.total, 0);
  assert.deepEqual((await api.get("/registrations?search=1003")).json.registrations[0].registeredId, "1003");
});

test("settings changed through the API are in the file and in force, or wait for a restart, as it says", async (t) => {
  const server = await new TestServer(t).start();
  const api = await TestApi.ofServer(t, server);
  const body = { "server.idleTimeout": "90s", "server.ssh.port": 2300, "server.trustedProxies": ["10.0.0.0/8"] };
  const answer = await api.ask("PATCH", "/config", { body });
  assert.deepEqual(answer.json, {
    success: true,
    changed: ["server.trustedProxies", "server.idleTimeout"],
    restartNeeded: ["server.ssh.port"],
  });
  assert.match(api.config, /^# Section server\n\[server\]\n/);
  const { config } = (await api.get("/config")).json;
  assert.deepEqual([config.server.idleTimeout, config.server.trustedProxies], ["90s", ["10.0.0.0/8"]]);
  assert.equal(server.config.server.idleTimeout, 90_000);
  assert.notEqual(config["server.ssh"].port, 2300);
  const before = api.config;
  const wrong = await api.ask("PATCH", "/config", { body: { "server.idleTimeout": "80s", "server.ssh.port": 99_999 } });
  assert.equal(wrong.status, 400);
  assert.equal(api.config, before);
  assert.ok(!answer.text.includes(api.token));
});

test("a config that was broken by hand is refused by reload with its place, and the old one stays in force", async (t) => {
  const server = await new TestServer(t).start();
  const api = await TestApi.ofServer(t, server);
  api.config = "[server]\nidleTimeout = 5\n";
  const answer = await api.ask("POST", "/reload");
  assert.deepEqual([answer.status, answer.json.code], [422, "config-invalid"]);
  assert.match(answer.json.message, /config\.toml:2:1: "server\.idleTimeout" is 5/);
  assert.equal(server.config.server.idleTimeout, 75_000);
});

test("nothing that a GET answers holds the token, the host key or the secret of a join code", async (t) => {
  const server = await new TestServer(t).start();
  const api = await TestApi.ofServer(t, server);
  const { json: { code } } = await api.ask("POST", "/join-codes");
  const { secret } = decodeJoinCode(code);
  const key = readFileSync(join(server.folder, "ssh_host_ed25519_key"), "utf8").split("\n")[2] as string;
  for (const path of ["/registry", "/registrations", "/join-codes", "/config", "/log", "/metrics", "/openapi.json"]) {
    const { text } = await api.get(path);
    for (const word of [api.token, code, secret, key]) assert.ok(!text.includes(word), path);
  }
});
