import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import test from "node:test";
import { utils } from "../../src/tunnel/ssh_library.ts";
import { keyOf, SshPeer, unknownKey } from "../world/ssh_peer.ts";
import { TestClient, TestServer } from "../world/world.ts";

/** A server with two registered clients that are not connected. */
async function twoClients(t: test.TestContext) {
  const server = await new TestServer(t).start();
  const one = await new TestClient(t, server, 9).register(server.joinCode());
  const other = await new TestClient(t, server, 9).register(server.joinCode());
  return { server, one, other };
}

test("a registered key logs in and gets its own port", async (t) => {
  const { server, one } = await twoClients(t);
  const peer = new SshPeer(t);
  assert.equal(await peer.login(server, one.registered.registeredId, [keyOf(one)]), "ready");
  assert.equal(await peer.forward("127.0.0.1", one.registered.registeredPort), one.registered.registeredPort);
});

test("port 0 means the only registration of the key", async (t) => {
  const { server, one } = await twoClients(t);
  const peer = new SshPeer(t);
  await peer.login(server, "petit", [keyOf(one)]);
  assert.equal(await peer.forward("127.0.0.1", 0), one.registered.registeredPort);
});

test("a key that is not registered does not log in", async (t) => {
  const { server, one } = await twoClients(t);
  const result = await new SshPeer(t).login(server, one.registered.registeredId, [unknownKey()]);
  assert.equal(result, "All configured authentication methods failed");
});

test("a registered key does not log in under another registration's id", async (t) => {
  const { server, one, other } = await twoClients(t);
  const result = await new SshPeer(t).login(server, other.registered.registeredId, [keyOf(one)]);
  assert.equal(result, "All configured authentication methods failed");
});

test("passwords do not log in, not even a good join code", async (t) => {
  const { server, one } = await twoClients(t);
  const { secret } = server.joinCode();
  for (const user of ["petit", "root", one.registered.registeredId, "join"]) {
    const result = await new SshPeer(t).login(server, user, [{ type: "password", password: secret }]);
    assert.equal(result, "All configured authentication methods failed", user);
  }
});

test("who offers one key and signs with another is nobody", async (t) => {
  const { server, one, other } = await twoClients(t);
  const [offered, signing] = [one, other].map(({ folder }) => {
    const key = utils.parseKey(readFileSync(join(folder, "key")));
    if (key instanceof Error) throw key;
    return key;
  });
  // An agent that names the first client's key and signs with the second's.
  const forged = Object.assign(Object.create(offered as object), { sign: (data: Buffer) => signing?.sign(data) });
  const logins = () => server.log.filter(({ msg }) => msg.includes("logged in")).length;
  const before = logins();
  const result = await new SshPeer(t).login(server, "petit", [{ type: "publickey", key: forged }]);
  assert.equal(result, "All configured authentication methods failed");
  assert.equal(logins(), before);
});

test("another registration's port is refused", async (t) => {
  const { server, one, other } = await twoClients(t);
  const peer = new SshPeer(t);
  await peer.login(server, "petit", [keyOf(one)]);
  for (const port of [other.registered.registeredPort, 22, 8090, 65535]) {
    assert.match(String(await peer.forward("127.0.0.1", port)), /Unable to bind/, `port ${port}`);
  }
});

test("a connection to anywhere but the registrar is refused", async (t) => {
  const { server, one } = await twoClients(t);
  const peer = new SshPeer(t);
  await peer.login(server, "petit", [keyOf(one)]);
  for (
    const [host, port] of [["127.0.0.1", 3014], ["localhost", 22], ["localhost", 8090], ["10.0.0.1", 3014]] as const
  ) {
    assert.match(
      await peer.connectTo(host, port),
      /administratively prohibited|Channel open failure/,
      `${host}:${port}`,
    );
  }
  assert.equal(await peer.connectTo("localhost", 3014), "open");
});

test("a client has so many backchannels and no more, until it closes some", async (t) => {
  const { server, one } = await twoClients(t);
  const peer = new SshPeer(t);
  await peer.login(server, "petit", [keyOf(one)]);
  const opened: { resume(): void; destroy(): void; once(event: "close", call: () => void): void }[] = [];
  const open = () =>
    new Promise<boolean>((resolve) =>
      peer.client.forwardOut("127.0.0.1", 1, "localhost", 3014, (error, stream) => {
        stream?.resume();
        if (!error) opened.push(stream);
        resolve(!error);
      })
    );
  for (let count = 0; count < 64; count++) assert.equal(await open(), true, `backchannel ${count}`);
  assert.equal(await open(), false);
  const [first] = opened;
  await new Promise<void>((resolve) => {
    first?.once("close", resolve);
    first?.destroy();
  });
  assert.equal(await open(), true);
});

test("a key in text form, which the SSH library takes too, proves nothing", async (t) => {
  const { server, one } = await twoClients(t);
  const key = utils.parseKey(readFileSync(join(one.folder, "key")));
  if (key instanceof Error) throw key;
  const text = Buffer.from(`ssh-ed25519 ${key.getPublicSSH().toString("base64")}`);
  const inText = Object.assign(Object.create(key as object), { getPublicSSH: () => text });
  const secret = { type: "password", password: server.joinCode().secret };
  const result = await new SshPeer(t).login(server, "join", [{ type: "publickey", key: inText }, secret]);
  assert.notEqual(result, "ready");
});

test("no key exchange is offered that holds the server up", async (t) => {
  const { server } = await twoClients(t);
  const offered = new Promise<string>((resolve) =>
    connect(server.running.sshPort, "127.0.0.1").on("data", function (this: Socket, bytes: Buffer) {
      if (!bytes.includes("curve25519")) return;
      this.destroy();
      resolve(bytes.toString("latin1"));
    }).write("SSH-2.0-asks\r\n")
  );
  assert.doesNotMatch(await offered, /diffie-hellman-group/);
});

test("a shell, a command and a subsystem are refused", async (t) => {
  const { server, one } = await twoClients(t);
  const peer = new SshPeer(t);
  await peer.login(server, "petit", [keyOf(one)]);
  const refused = (ask: (done: (error?: Error) => void) => void) =>
    new Promise<boolean>((resolve) => ask((error) => resolve(error !== undefined)));
  assert.equal(await refused((done) => peer.client.exec("id", (error) => done(error))), true, "exec");
  assert.equal(await refused((done) => peer.client.shell((error) => done(error))), true, "shell");
  assert.equal(await refused((done) => peer.client.sftp((error) => done(error))), true, "sftp");
});

test("a connection made to register cannot open a port, and a tunnel cannot register", async (t) => {
  const { server, one } = await twoClients(t);
  const joining = new SshPeer(t);
  const login = await joining.login(server, "join", [keyOf(one), {
    type: "password",
    password: server.joinCode().secret,
  }]);
  assert.equal(login, "ready");
  assert.match(String(await joining.forward("127.0.0.1", one.registered.registeredPort)), /Unable to bind/);
});

test("reverse ports listen on loopback unless the operator lets clients choose", async (t) => {
  for (const [ssh, expected] of [["", "127.0.0.1"], ['gatewayPorts = "clientspecified"', "127.0.0.2"]] as const) {
    const server = await new TestServer(t, "", ssh).start();
    const client = await new TestClient(t, server, 9).register(server.joinCode());
    const peer = new SshPeer(t);
    await peer.login(server, "petit", [keyOf(client)]);
    const { registeredPort } = client.registered;
    assert.equal(await peer.forward("127.0.0.2", registeredPort), registeredPort);
    assert.equal(await accepts(expected, registeredPort), true);
    assert.equal(await accepts(expected === "127.0.0.1" ? "127.0.0.2" : "127.0.0.1", registeredPort), false);
  }
});

async function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.on("connect", () => (socket.destroy(), resolve(true)));
    socket.on("error", () => resolve(false));
  });
}
