import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { generateKey } from "../../src/tunnel/keys.ts";
import { registerPublicKey } from "../../src/server/register_public_key.ts";
import { openRegistry } from "../../src/registry/open_registry.ts";
import { SshPeer } from "../world/ssh_peer.ts";
import { TestServer } from "../world/world.ts";

/** A server, and a key that has registrations under these names. */
async function keyWith(t: TestContext, ...names: string[]) {
  const server = new TestServer(t);
  const { privatePem, publicKey: key } = generateKey("");
  const registry = openRegistry(server.config.server.registryUrl);
  const registrations = [];
  for (const tenant of names) {
    const { registration } = await registerPublicKey(registry, server.config.server, { key, tenant, brand: undefined });
    registrations.push(registration);
  }
  registry.close();
  await server.start();
  const login = async (user: string) => {
    const peer = new SshPeer(t);
    assert.equal(await peer.login(server, user, [{ type: "publickey", key: privatePem }]), "ready");
    return peer;
  };
  return { server, login, registrations };
}

test("port 0 stands for the registration whose id is logged in with, though the key has several", async (t) => {
  const { login, registrations } = await keyWith(t, "one", "two", "three");
  for (const { id, port } of registrations) {
    const peer = await login(id);
    assert.equal(await peer.forward("localhost", 0), port);
    // Another port 0 would stand for the same one.
    assert.match(String(await peer.forward("localhost", 0)), /Unable to bind/);
    // Under its own number it may be asked for again.
    assert.equal(await peer.forward("0.0.0.0", port), port);
  }
});

test("port 0 is refused where a key has several registrations and another name logs in, and they are listed", async (t) => {
  const { login, registrations } = await keyWith(t, "one", "two");
  const peer = await login("petit");
  const told = new Promise<string>((resolve) =>
    peer.client.shell(false, (_, stream) => stream.stderr.on("data", (bytes: Buffer) => resolve(bytes.toString())))
  );
  assert.equal(await peer.forward("localhost", registrations[0]?.port as number), registrations[0]?.port);
  assert.match(String(await peer.forward("localhost", 0)), /Unable to bind/);
  const list = registrations.map(({ id, port }) => `${port} (${id})`).join(", ");
  assert.ok((await told).endsWith(`this key may forward ${list}\n`), await told);
});

test("several forwards on one connection, with and without addresses to listen on", async (t) => {
  const names = ["localhost", "127.0.0.1", "0.0.0.0", "*", "", "::"];
  const { server, login, registrations } = await keyWith(t, ...names.map((_, index) => `name-${index}`));
  const peer = await login("petit");
  for (const [index, address] of names.entries()) {
    const { id, port } = registrations[index] as typeof registrations[number];
    assert.equal(await peer.forward(address, port), port, address);
    assert.ok(server.running.control.statusOf(id).connected, address);
  }
});
