import assert from "node:assert/strict";
import { join } from "node:path";
import test from "node:test";
import { AuditStore } from "../../src/audit/audit_store.ts";
import { verifyAudit } from "../../src/audit/verify_audit.ts";
import { unregister } from "../../src/client/unregister.ts";
import { DEFAULT_TENANT } from "../../src/tenant_name.ts";
import { eventually } from "../world/eventually.ts";
import { keyOf, SshPeer, unknownKey } from "../world/ssh_peer.ts";
import { TestClient, TestServer } from "../world/world.ts";

/** What the audit log of a server says, the oldest first. */
function told(server: TestServer, event?: string): Record<string, unknown>[] {
  const entries = server.running.audit?.latest(1000, undefined, event) ?? [];
  return entries.reverse().map(({ event, facts }) => ({ event, ...JSON.parse(facts) as object }));
}

test("the audit log tells of a client's life, and of who did what", async (t) => {
  const server = await new TestServer(t).start();
  const client = await new TestClient(t, server, 9).register(server.joinCode());
  const { registeredId: id, registeredPort: port } = client.registered;
  await client.start();
  server.running.control.addAlias(id, "db.example.com");
  server.running.control.disconnect(id);
  await eventually("the client is back", () => told(server, "login-accepted").length >= 3);
  await client.stop();
  const signal = AbortSignal.timeout(10_000);
  const { config: { client: config }, folder } = client;
  await unregister({ config, folder, tunnel: undefined, tenant: DEFAULT_TENANT, signal });

  const key = told(server, "registration-made")[0]?.["key"];
  assert.match(String(key), /^SHA256:/);
  assert.deepEqual(told(server, "login-accepted").slice(0, 3), [
    { event: "login-accepted", address: "127.0.0.1", key, join: true },
    { event: "login-accepted", address: "127.0.0.1", key, ids: [id] },
    { event: "login-accepted", address: "127.0.0.1", key, ids: [id] },
  ]);
  const [made] = told(server, "registration-made");
  assert.deepEqual({ ...made, joinCode: "" }, {
    ...{ event: "registration-made", id, port, key, brand: "ce", tenant: "default", address: "127.0.0.1" },
    joinCode: "",
  });
  assert.match(String(made?.["joinCode"]), /^[0-9a-f]{16}$/);
  assert.deepEqual(told(server, "alias-added"), [
    { event: "alias-added", id, alias: "db.example.com", by: "operator" },
  ]);
  assert.deepEqual(told(server, "client-disconnected"), [{ event: "client-disconnected", id, key, by: "operator" }]);
  assert.deepEqual(told(server, "registration-removed"), [
    { event: "registration-removed", id, port, key, address: "127.0.0.1", by: "client" },
  ]);
});

test("the audit log tells of who was refused: logins, others' ports, the server's surroundings, registrations", async (t) => {
  const server = await new TestServer(t).start();
  const one = await new TestClient(t, server, 9).register(server.joinCode());
  const other = await new TestClient(t, server, 9).register(server.joinCode());
  const stranger = new SshPeer(t);
  await stranger.login(server, "petit", [unknownKey()]);
  stranger.client.end();
  await eventually("the refused login is told", () => told(server, "login-refused").length === 1);
  const [refused] = told(server, "login-refused");
  assert.equal(refused?.["address"], "127.0.0.1");
  assert.equal(refused?.["key"], undefined);
  assert.match(String(refused?.["why"]), /"petit" by publickey was refused/);

  const peer = new SshPeer(t);
  await peer.login(server, "petit", [keyOf(one)]);
  await peer.forward("127.0.0.1", other.registered.registeredPort);
  await peer.connectTo("10.0.0.1", 22);
  const [port, channel] = told(server, "permission-refused");
  assert.equal(port?.["code"], "forward-refused");
  assert.equal(channel?.["code"], "channel-refused");
  assert.equal(channel?.["why"], "A client asked for a connection to 10.0.0.1:22");
  assert.equal(channel?.["key"], told(server, "registration-made")[0]?.["key"]);

  const used = server.joinCode({ uses: 0 });
  await assert.rejects(new TestClient(t, server, 9).register(used), /has been used already/);
  assert.equal(told(server, "registration-refused")[0]?.["code"], "join-code-used");
});

test("the audit log tells of settings that changed, with their new values", async (t) => {
  const server = await new TestServer(t).start();
  const { control } = server.running;
  control.reload({ ...control.config, idleTimeout: 90_000, proxyPort: 1 });
  assert.deepEqual(told(server, "config-changed"), [{
    event: "config-changed",
    changed: ['server.idleTimeout = "90s"'],
    restartNeeded: ["server.proxyPort"],
    by: "operator",
  }]);
});

test("the chain goes on over restarts of the server and is whole", async (t) => {
  const server = await new TestServer(t).start();
  const path = join(server.folder, "audit.db");
  await server.stop();
  const verdict = () => {
    const store = new AuditStore(path);
    try {
      return verifyAudit(store);
    } finally {
      store.close();
    }
  };
  const { head, fault } = verdict();
  assert.equal(fault, null);
  server.config.server.idleTimeout++;
  await server.start();
  const [first, second] = told(server, "server-started");
  assert.notEqual(second?.["settings"], first?.["settings"]);
  assert.deepEqual(told(server).map(({ event }) => event), [
    "log-begun",
    "server-started",
    "server-stopped",
    "server-started",
  ]);
  assert.equal(head.seq, 3);
  assert.equal(verdict().fault, null);
});

test("without auditUrl there is no audit log", async (t) => {
  const server = await new TestServer(t, 'auditUrl = ""').start();
  await new TestClient(t, server, 9).register(server.joinCode());
  assert.equal(server.running.audit, undefined);
});
