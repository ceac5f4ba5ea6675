import assert from "node:assert/strict";
import test from "node:test";
import { version } from "../../src/platform/version.ts";
import { eventually } from "../world/eventually.ts";
import { addTenant, startSayer } from "../world/tenants.ts";
import { makeWorld, startService } from "../world/world.ts";

const hold = () => {};

test("the status of a client has its tunnel, its registrations and what the server tells of itself", async (t) => {
  const { client, server, id, rawPort } = await makeWorld(t, hold);
  const status = client.running.control.status();
  assert.equal(status.status, "running");
  assert.equal(status.waiting, null);
  assert.equal(status.tunnel?.channels, 0);
  assert.ok(Date.parse(status.tunnel?.since ?? "") <= Date.now());
  assert.deepEqual(status.server, {
    host: "127.0.0.1",
    port: server.running.sshPort,
    vitae: { ...server.config.server.vitae, version },
  });
  const [registration] = status.registration;
  assert.deepEqual([registration?.tenant, registration?.id, registration?.port, registration?.served], [
    "default",
    id,
    rawPort,
    true,
  ]);
  assert.equal(registration?.endpoint, client.registered.endpoint);
});

test("a ping goes through the running tunnel", async (t) => {
  const { client, server } = await makeWorld(t, hold);
  assert.ok(await client.running.control.ping() > 0);
  assert.equal(server.running.control.tunnels().length, 1);
});

test("a probe tells of each tenant whether its service is reached", async (t) => {
  const { client, server } = await makeWorld(t, hold);
  await addTenant(client, server, "closed", { port: 1 });
  await addTenant(client, server, "open", { port: await startSayer(t, "") });
  const { control } = client.running;
  await control.reload(client.config.client);
  const probes = await control.probe();
  assert.deepEqual(
    probes.map(({ tenant, reached, code }) => [tenant, reached, code]).sort(),
    [["closed", false, "service-refused"], ["default", true, undefined], ["open", true, undefined]],
  );
  assert.deepEqual((await control.probe("open")).map(({ tenant }) => tenant), ["open"]);
  await assert.rejects(control.probe("nobody"), { code: "tenant-unknown", exitCode: 2 });
});

test("a service that does not answer keeps no ping waiting", async (t) => {
  const { client, server } = await makeWorld(t, hold);
  // A TLS service that never begins its handshake.
  const { port, sockets } = await startService(t, hold);
  await addTenant(client, server, "silent", { port, tls: true });
  const { control } = client.running;
  await control.reload(client.config.client);
  const probe = control.probe("silent");
  await eventually("the service was asked", () => sockets.size === 1);
  await control.ping();
  for (const socket of sockets) socket.destroy();
  assert.equal((await probe)[0]?.reached, false);
});

test("what a client does not know is refused in words", async (t) => {
  const { client, server } = await makeWorld(t, hold);
  const { control } = client.running;
  await assert.rejects(control.unregister("77"), { code: "registration-unknown" });
  await assert.rejects(control.register("nobody", server.joinCodeText()), { code: "tenant-unknown" });
  await assert.rejects(control.register("default", server.joinCodeText()), { code: "already-registered" });
  await assert.rejects(control.register("default", "petit-x"), { code: "join-code-invalid" });
  await assert.rejects(control.evict("../default"), { code: "tenant-name-invalid" });
  await assert.rejects(control.lease({ tenant: "default" }), { code: "tenant-exists" });
});

test("a tenant is leased, registered and evicted while the client runs", async (t) => {
  const { client, server } = await makeWorld(t, hold);
  const { control } = client.running;
  const port = await startSayer(t, "x");
  const { lights, ...leased } = await control.lease({ port, host: "127.0.0.1" });
  assert.deepEqual([lights.client.state, lights.tunnel.state, lights.service.state], ["green", "unknown", "unknown"]);
  assert.deepEqual(leased, {
    tenant: "1",
    id: null,
    port: null,
    dir: `${client.folder}/tenants/1`,
    endpoint: null,
    local: { host: "127.0.0.1", port, tls: false },
    served: false,
    paused: null,
  });
  const { registeredId } = await control.register("1", server.joinCodeText());
  assert.deepEqual((await control.probe("1")).map(({ id, reached }) => [id, reached]), [[registeredId, true]]);
  assert.equal((await control.evict("1"))?.id, registeredId);
  assert.deepEqual(control.tenants().map(({ tenant }) => tenant), ["default"]);
  assert.throws(() => server.running.control.statusOf(registeredId), { code: "registration-unknown" });
});
