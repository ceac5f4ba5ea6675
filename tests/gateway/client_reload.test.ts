import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import test from "node:test";
import { evict } from "../../src/client/evict.ts";
import { exchange } from "../world/raw_http.ts";
import { RawPeer } from "../world/raw_peer.ts";
import { addTenant, changedConfig, startSayer } from "../world/tenants.ts";
import { makeWorld } from "../world/world.ts";

const echo = (socket: import("node:net").Socket) => void socket.pipe(socket);

/** What happens to who connects to a port: the code of the refusal, or "open". */
const tryPort = (port: number) =>
  new Promise<string>((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve("open");
    });
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? ""));
  });

/** A connection to the first tenant's service that carries something on demand. */
async function openStream(port: number) {
  const caller = new RawPeer(connect({ port, host: "127.0.0.1" }));
  const carries = async (text: string) => assert.equal(await caller.send(text).take(text.length), text);
  await carries("begin");
  return { caller, carries };
}

test("a reload adds and removes tenants while a stream of another one goes on", async (t) => {
  const { server, client, rawPort } = await makeWorld(t, echo);
  const { control } = client.running;
  const { caller, carries } = await openStream(rawPort);
  const since = control.status().tunnel?.since;

  const shop = await addTenant(client, server, "shop", { port: await startSayer(t, "the shop") });
  await control.reload(client.config.client);
  assert.equal(await exchange(shop.registeredPort, ""), "the shop");
  await carries("one more tenant");

  const { config: { client: config }, folder } = client;
  await evict({ config, folder, tenant: "shop", signal: AbortSignal.timeout(10_000) });
  await control.reload(client.config.client);
  assert.equal(await tryPort(shop.registeredPort), "ECONNREFUSED");
  await carries("and one less");
  assert.equal(control.status().tunnel?.since, since, "it is the same tunnel");
  assert.equal(server.running.control.tunnels().length, 1);
  caller.close();
});

test("a reload gives new callers another service, and leaves those that are there with the old one", async (t) => {
  const { client, rawPort } = await makeWorld(t, echo);
  const { caller, carries } = await openStream(rawPort);
  const port = await startSayer(t, "the other service");
  const read = changedConfig(client, (config) => config.local.port = port);
  assert.deepEqual((await client.running.control.reload(read)).changed, ["client.local.port"]);
  assert.equal(await exchange(rawPort, ""), "the other service");
  await carries("still the old one");
  caller.close();
});

test("a reload with an error in a tenant's config says where it is, and changes nothing", async (t) => {
  const { server, client, rawPort } = await makeWorld(t, (socket) => socket.end("the first"));
  await addTenant(client, server, "shop", { port: 9 });
  const file = join(client.folder, "tenants/shop/config.toml");
  writeFileSync(file, '[local]\nhost = "localhost"\nprot = 1\n');
  const read = changedConfig(client, (config) => config.local.port = 9);
  await assert.rejects(client.running.control.reload(read), {
    code: "config-invalid",
    message: `${file}:3:1: Unknown key "prot" in [local]; did you mean "port"`,
  });
  assert.equal(await exchange(rawPort, ""), "the first");
});

test("a reload with another user name builds the tunnel anew", async (t) => {
  const { client, rawPort, id } = await makeWorld(t, (socket) => socket.end("the first"));
  const { control } = client.running;
  const read = changedConfig(client, (config) => config.username = id);
  await control.reload(read);
  await client.logged(({ msg, cause }) => msg.includes("ended") && cause === "the settings changed");
  await client.logged(() => client.log.filter(({ msg }) => msg.startsWith("Connected to")).length === 2);
  assert.equal(await exchange(rawPort, ""), "the first");
  assert.deepEqual(control.disconnects(10).map(({ ids, cause }) => [ids, cause]), [[[id], "the settings changed"]]);
});

test("a reload with another bindAddr moves the forward, and open connections go on", async (t) => {
  const { client, rawPort } = await makeWorld(t, echo);
  const { caller, carries } = await openStream(rawPort);
  await client.running.control.reload(changedConfig(client, (config) => config.bindAddr = "localhost"));
  await carries("the one before");
  const second = await openStream(rawPort);
  second.caller.close();
  caller.close();
});

test("a client whose last tenant is unregistered stays up and says so, until one is registered again", async (t) => {
  const { server, client, id, rawPort } = await makeWorld(t, (socket) => socket.end("the first"));
  const { control } = client.running;
  await control.unregister(id);
  await client.logged(({ code }) => code === "not-registered");
  const { status, tunnel, waiting, registration } = control.status();
  assert.deepEqual([status, tunnel, waiting?.code, registration], ["listening", null, "not-registered", []]);
  await assert.rejects(control.ping(), { code: "tunnel-away" });

  await control.register("default", server.joinCodeText());
  await client.logged(() => client.log.filter(({ msg }) => msg.startsWith("Connected to")).length === 2);
  assert.equal(await exchange(rawPort, ""), "the first");
  assert.equal(control.status().status, "running");
});
