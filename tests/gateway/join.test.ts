import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { PetitError } from "../../src/error.ts";
import { openRegistry } from "../../src/registry/open_registry.ts";
import { fingerprintOf } from "../../src/tunnel/keys.ts";
import { TestClient, TestServer } from "../world/world.ts";

/** Checks that a promise is rejected with a PetitError of this code. */
async function refusedWith(code: string, work: Promise<unknown>, message?: RegExp): Promise<void> {
  const error = await work.then(() => undefined, (reason) => reason);
  assert.ok(error instanceof PetitError, `wanted ${code}, got ${error}`);
  assert.equal(error.code, code);
  if (message) assert.match(error.message, message);
}

test("a join code registers one client, whose key the registry keeps", async (t) => {
  const server = await new TestServer(t).start();
  const client = await new TestClient(t, server, 9).register(server.joinCode());
  assert.equal(client.registered.registeredId, "1001");
  assert.equal(client.registered.endpoint, "http://1001.localhost:8090");
  const registry = openRegistry(server.config.server.registryUrl);
  const [registration] = registry.registrations();
  registry.close();
  assert.equal(registration?.id, "1001");
  assert.equal(registration?.vitae?.brand, "ce");
  assert.equal(
    registration?.fingerprint,
    fingerprintOf(Buffer.from(registration?.key.split(" ")[1] as string, "base64")),
  );
  assert.deepEqual(JSON.parse(readFileSync(join(client.folder, "tenants/default/registration"), "utf8")), {
    id: "1001",
    port: client.registered.registeredPort,
  });
});

test("a wrong, a used, an expired and a foreign join code each have a sentence of their own", async (t) => {
  const server = await new TestServer(t).start();
  const good = server.joinCode();
  await new TestClient(t, server, 9).register(good);
  const newcomer = () => new TestClient(t, server, 9);
  await refusedWith("join-code-used", newcomer().register(good), /used already/);
  await refusedWith(
    "join-code-expired",
    newcomer().register(server.joinCode({ expiresAt: Date.now() - 1 })),
    /expired at/,
  );
  await refusedWith(
    "join-code-brand",
    newcomer().register(server.joinCode({ brand: "acme" })),
    /brand "acme", not "ce"/,
  );
  await refusedWith(
    "join-code-unknown",
    newcomer().register({ ...good, secret: "AAAAAAAAAAAAAAAAAAAAAA" }),
    /does not know/,
  );
});

test("a client that lost the answer registers again with the same code and gets the same id", async (t) => {
  const server = await new TestServer(t).start();
  const code = server.joinCode();
  const client = await new TestClient(t, server, 9).register(code);
  const { registeredId } = client.registered;
  const file = join(client.folder, "tenants/default/registration");
  writeFileSync(file, "{}");
  await refusedWith("registration-damaged", client.register(code));
  (await import("node:fs")).rmSync(file);
  await client.register(code);
  assert.equal(client.registered.registeredId, registeredId);
});

test("a server with another host key than the join code's gets no key and no secret", async (t) => {
  const [server, impostor] = [await new TestServer(t).start(), await new TestServer(t).start()];
  const client = new TestClient(t, server, 9);
  await refusedWith("host-key-mismatch", client.register({ ...server.joinCode(), port: impostor.running.sshPort }));
  assert.equal(existsSync(join(client.folder, "known_hosts")), false);
  await impostor.logged(({ code }) => code === "login-failed");
  assert.equal(impostor.log.some(({ msg }) => msg.includes("was refused")), false, "the impostor saw no login");
});

test("a running client does not log in to a server whose host key has changed", async (t) => {
  const server = await new TestServer(t).start();
  const client = await new TestClient(t, server, 9).register(server.joinCode());
  const impostor = await new TestServer(t).start();
  client.config.client.port = impostor.running.sshPort;
  writeFileSync(
    join(client.folder, "known_hosts"),
    readFileSync(join(client.folder, "known_hosts"), "utf8").replace(
      `:${server.running.sshPort} `,
      `:${impostor.running.sshPort} `,
    ),
  );
  client.launch();
  const line = await client.logged(({ code }) => code === "host-key-mismatch");
  assert.match(line.msg, /another host key/);
  assert.equal(impostor.log.some(({ msg }) => msg.includes("was refused") || msg.includes("logged in")), false);
});

test('registration = "open" takes whoever has pinned the host key, "closed" takes nobody', async (t) => {
  const closed = await new TestServer(t, 'registration = "closed"').start();
  await refusedWith("join-code-unknown", new TestClient(t, closed, 9).register(closed.joinCode()));
  const open = await new TestServer(t, 'registration = "open"').start();
  const client = new TestClient(t, open, 9);
  await refusedWith("host-key-unknown", client.register(undefined));
  await client.register(open.joinCode());
  assert.equal(client.registered.registeredId, "1001");
});
