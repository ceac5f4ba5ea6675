import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { createServer } from "node:tls";
import type { Local } from "../../src/config/tenant_config.ts";
import { FIRST, SECOND } from "../world/certificates.ts";
import { exchange } from "../world/raw_http.ts";
import { addTenant, startSayer } from "../world/tenants.ts";
import { listenOn, makeWorld, type Scope, TestClient, TestServer } from "../world/world.ts";

const say = (text: string) => (socket: import("node:net").Socket) => void socket.end(text);

test("all tenants of a client share one SSH connection, and each caller reaches its own service", async (t) => {
  const server = await new TestServer(t).start();
  const client = await new TestClient(t, server, await startSayer(t, "the first")).register(server.joinCode());
  const shop = await addTenant(client, server, "shop", { port: await startSayer(t, "the shop") });
  const ledger = await addTenant(client, server, "ledger", { port: await startSayer(t, "the ledger") });
  await client.start();
  const { registered } = client;
  const tunnels = server.running.control.tunnels();
  assert.equal(tunnels.length, 1);
  const ids = [registered, shop, ledger].map(({ registeredId }) => registeredId);
  assert.deepEqual([...tunnels[0]?.registrations ?? []].sort(), ids);
  assert.equal(await exchange(registered.registeredPort, ""), "the first");
  assert.equal(await exchange(shop.registeredPort, ""), "the shop");
  assert.equal(await exchange(ledger.registeredPort, ""), "the ledger");
});

test("the server knows tenants by their names, and the client tells which are served", async (t) => {
  const world = await makeWorld(t, say("x"));
  const { server, client } = world;
  const shop = await addTenant(client, server, "shop", { port: 9 });
  assert.equal(server.running.control.statusOf(shop.registeredId).tenant, "shop");
  const { control } = client.running;
  assert.deepEqual(control.tenants().map(({ tenant, served }) => [tenant, served]), [["default", true]]);
  await control.reload(client.config.client);
  assert.deepEqual(control.tenants().map(({ tenant, served }) => [tenant, served]), [["default", true], [
    "shop",
    true,
  ]]);
  assert.equal(control.tenants()[1]?.endpoint, shop.endpoint);
});

/** What a caller gets from a TLS service whose certificate is FIRST's, and what the client logs. */
async function throughTls(t: Scope, local: Partial<Local>, files: Record<string, string> = {}) {
  const service = createServer({ key: FIRST.key, cert: FIRST.cert }, (socket) => {
    socket.on("error", () => {});
    socket.end("in secret");
  });
  const port = await listenOn(service);
  t.after(() => service.close());
  const server = await new TestServer(t).start();
  const client = await new TestClient(t, server, 9).register(server.joinCode());
  const { registeredPort } = await addTenant(client, server, "ledger", { port, tls: true, ...local });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(client.folder, "tenants/ledger", name), text);
  await client.start();
  return { answer: await exchange(registeredPort, ""), log: client.log };
}

test("a TLS service whose certificate is signed by tlsCa is reached", async (t) => {
  const { answer } = await throughTls(t, { host: "localhost", tlsCa: "ca.pem" }, { "ca.pem": FIRST.cert });
  assert.equal(answer, "in secret");
});

for (
  const [what, local, files] of [
    ["that nobody vouches for", {}, {}],
    ["that is not signed by tlsCa", { tlsCa: "ca.pem" }, { "ca.pem": SECOND.cert }],
  ] as const
) {
  test(`a TLS service with a certificate ${what} is refused, and the log says what to do`, async (t) => {
    const { answer, log } = await throughTls(t, { host: "localhost", ...local }, files);
    assert.equal(answer, "");
    const line = log.find(({ code }) => code === "service-certificate");
    assert.equal(line?.["tenant"], "ledger");
    assert.match(String(line?.["hint"]), /tlsCa/);
  });
}

test("a certificate for another host is refused", async (t) => {
  const files = { "ca.pem": FIRST.cert };
  // A name that leads to this machine everywhere, and that the certificate is not for.
  const { answer, log } = await throughTls(t, { host: "127.1", tlsCa: "ca.pem" }, files);
  assert.equal(answer, "");
  assert.ok(log.some(({ code }) => code === "service-certificate"));
});

test("a TLS service is taken as it is where tlsVerify is false", async (t) => {
  assert.equal((await throughTls(t, { tlsVerify: false })).answer, "in secret");
});

test("a file of certificates that is missing keeps callers out, and is named in the log", async (t) => {
  const { answer, log } = await throughTls(t, { host: "localhost", tlsCa: "gone.pem" });
  assert.equal(answer, "");
  assert.ok(log.some(({ msg }) => /tlsCa/.test(msg)));
});

test("unregistered and registered again, a tenant gets its id and port back; another key does not", async (t) => {
  const server = await new TestServer(t).start();
  const client = await new TestClient(t, server, 9).register(server.joinCode());
  const shop = await addTenant(client, server, "shop", { port: await startSayer(t, "the shop") });
  await client.start();
  const { control } = client.running;
  const { id, port, server: there } = await control.unregister(shop.registeredId);
  assert.deepEqual([id, port, there], [shop.registeredId, shop.registeredPort, "unregistered"]);
  assert.equal(control.tenants().find(({ tenant }) => tenant === "shop")?.id, null);

  const other = new TestClient(t, server, 9);
  const preferred = `${JSON.stringify({ id, port })}\n`;
  const taken = await addTenant(other, server, "other", { port: 9 });
  assert.notEqual(taken.registeredId, id);
  const { mkdirSync } = await import("node:fs");
  mkdirSync(join(other.folder, "tenants/default"), { recursive: true });
  writeFileSync(join(other.folder, "tenants/default/preferred"), preferred);
  await other.register(server.joinCode());
  assert.notEqual(other.registered.registeredId, id);
  assert.notEqual(other.registered.registeredPort, port);

  const again = await control.register("shop", server.joinCodeText());
  assert.deepEqual([again.registeredId, again.registeredPort], [id, port]);
  assert.equal(await exchange(port, ""), "the shop");
});

test("a tenant's registration is no other tenant's: each asks for what it had", async (t) => {
  const server = await new TestServer(t).start();
  const client = await new TestClient(t, server, 9).register(server.joinCode());
  const shop = await addTenant(client, server, "shop", { port: 9 });
  const ledger = await addTenant(client, server, "ledger", { port: 9 });
  const { control } = (await client.start()).running;
  await control.unregister(shop.registeredId);
  await control.unregister(ledger.registeredId);
  assert.equal((await control.register("ledger", server.joinCodeText())).registeredId, ledger.registeredId);
  assert.equal((await control.register("shop", server.joinCodeText())).registeredId, shop.registeredId);
});

test("a tenant whose config is damaged is left out and named, and the others are served", async (t) => {
  const server = await new TestServer(t).start();
  const client = await new TestClient(t, server, await startSayer(t, "the first")).register(server.joinCode());
  const port = await startSayer(t, "the shop");
  const shop = await addTenant(client, server, "shop", { port });
  const file = join(client.folder, "tenants/shop/config.toml");
  writeFileSync(file, "[local\n");
  const { control } = (await client.start()).running;
  assert.equal(await exchange(client.registered.registeredPort, ""), "the first");
  assert.deepEqual(control.tenants().map(({ tenant }) => tenant), ["default"]);
  assert.match(control.broken.join(), /^The files of tenant "shop" cannot be used: .*config\.toml:2:1: /);
  assert.ok(client.log.some(({ tenant, code }) => tenant === "shop" && code === "config-syntax"));

  writeFileSync(file, `[local]\nhost = "127.0.0.1"\nport = ${port}\n`);
  await control.reload(client.config.client);
  assert.deepEqual(control.broken, []);
  assert.equal(await exchange(shop.registeredPort, ""), "the shop");

  // Damaged while it is served: what is done to others goes on, and so does its service.
  writeFileSync(file, "[local\n");
  await assert.rejects(control.reload(client.config.client), { code: "config-syntax" });
  assert.equal((await control.unregister(client.registered.registeredId)).server, "unregistered");
  assert.equal(control.broken.length, 1);
  assert.equal(await exchange(shop.registeredPort, ""), "the shop");
});
