import assert from "node:assert/strict";
import { connect } from "node:net";
import test from "node:test";
import { openRegistry } from "../../src/registry/open_registry.ts";
import { eventually } from "../world/eventually.ts";
import { exchange, head, statusOf } from "../world/raw_http.ts";
import { RawPeer } from "../world/raw_peer.ts";
import { addTenant, startSayer } from "../world/tenants.ts";
import { makeWorld, type World } from "../world/world.ts";

/** What `petit server unregister` does beside a running server. */
function unregisterBeside({ server, id }: World): void {
  const registry = openRegistry(server.config.server.registryUrl);
  registry.unregister(id);
  registry.close();
}

test("a registration that another process takes away loses its tunnel, its port and its callers", async (t) => {
  const world = await makeWorld(t, (socket) => socket.pipe(socket));
  const { server, client, id, rawPort, proxyPort } = world;
  const caller = new RawPeer(connect({ port: rawPort, host: "127.0.0.1", allowHalfOpen: true }));
  caller.send("hello");
  await caller.take(5);
  unregisterBeside(world);
  await server.logged(({ msg }) => msg.startsWith(`${id} is served no longer`));
  await caller.all().catch(() => {});
  caller.close();
  await client.logged(({ code }) => code === "login-refused");
  assert.equal(
    statusOf(await exchange(proxyPort, head("GET / HTTP/1.1", `Host: ${id}.example.com`, "Connection: close"))),
    404,
  );
  const refused = await new Promise((resolve) =>
    connect(rawPort, "127.0.0.1").on("error", (error) => resolve((error as NodeJS.ErrnoException).code))
  );
  assert.equal(refused, "ECONNREFUSED");
});

test("the server remembers why a tunnel ended", async (t) => {
  const { server, client, id } = await makeWorld(t, (socket) => socket.pipe(socket));
  await client.stop();
  await eventually("the server has noticed", () => server.running.control.disconnects(10).length === 1);
  const [disconnect] = server.running.control.statusOf(id).disconnects;
  assert.deepEqual(disconnect?.ids, [id]);
  assert.equal(disconnect?.address, "127.0.0.1");
  assert.equal(disconnect?.cause, "the client stopped");
});

test("an operator's disconnect ends the tunnel, and the client comes back", async (t) => {
  const { server, client, id } = await makeWorld(t, (socket) => socket.pipe(socket));
  const before = server.running.control.statusOf(id).tunnel?.since;
  server.running.control.disconnect(id);
  await client.logged(({ msg }) => msg.startsWith("Reconnecting") || msg.includes("ended"));
  await eventually("it is back", () => {
    const now = server.running.control.statusOf(id).tunnel?.since;
    return now !== undefined && now !== before;
  });
});

test("a client that is asked how it is says that an operator took one of its registrations away, and keeps its tunnel", async (t) => {
  const { server, client } = await makeWorld(t, (socket) => socket.pipe(socket));
  const shop = await addTenant(client, server, "shop", { port: await startSayer(t, "the shop") });
  const { control } = client.running;
  await control.reload(client.config.client);
  const since = control.status().tunnel?.since;
  const served = () => control.tenants().map(({ tenant, served }) => [tenant, served]);
  await control.look();
  assert.deepEqual(served(), [["default", true], ["shop", true]]);
  server.running.control.unregister(shop.registeredId);
  await control.look();
  assert.deepEqual(served(), [["default", true], ["shop", false]]);
  assert.equal(control.status().tunnel?.since, since);
  const known = () => client.log.filter(({ id }) => id === shop.registeredId).filter(({ level }) => level === "error");
  await control.look();
  assert.equal(known().length, 1, "it is told once");
});

test("disconnects of a registration that its client has taken away are forgotten", async (t) => {
  const { server, client, id } = await makeWorld(t, (socket) => socket.pipe(socket));
  const { control } = server.running;
  control.disconnect(id);
  await eventually(
    "it is back",
    () => control.disconnects(10).length === 1 && client.running.control.status().tunnel !== null,
  );
  const { registeredId, registeredPort: port } = client.registered;
  await client.running.control.unregister(registeredId);
  await eventually("it is gone", () => {
    try {
      control.statusOf(id);
      return false;
    } catch {
      return true;
    }
  });
  assert.equal((await client.running.control.register("default", server.joinCodeText())).registeredPort, port);
  assert.deepEqual(control.statusOf(id).disconnects, []);
});
