import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import test from "node:test";
import { utils } from "../../src/tunnel/ssh_library.ts";
import { openRegistry } from "../../src/registry/open_registry.ts";
import { type Field, keyPairOf, MESSAGE, RawSsh } from "../world/raw_ssh.ts";
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

test("passwords do not log in, not even a good join code, but to register", async (t) => {
  const { server, one } = await twoClients(t);
  const { secret } = server.joinCode();
  for (const user of ["petit", "root", one.registered.registeredId, "Join", "join "]) {
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
  const peer = new SshPeer(t);
  assert.equal(await peer.login(server, "join", [{ type: "publickey", key: inText }, secret]), "ready");
  // That was the code's doing: a backchannel is for whoever has proven a key.
  assert.match(await peer.connectTo("localhost", 3014), /Channel open failure/);
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

test("whoever has logged in with a join code and no key may open no port and no backchannel", async (t) => {
  const { server, one } = await twoClients(t);
  const peer = new SshPeer(t);
  const password = { type: "password", password: server.joinCode().secret };
  assert.equal(await peer.login(server, "join", [password]), "ready");
  for (const port of [0, one.registered.registeredPort]) {
    assert.match(String(await peer.forward("127.0.0.1", port)), /Unable to bind/, `port ${port}`);
  }
  assert.match(await peer.connectTo("localhost", 3014), /Channel open failure/);
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

const PROHIBITED = 1;
const UNKNOWN_TYPE = 3;

/** Channels that no client has a use for, with the rest of the message and the reason of the refusal (RFC 4254, section 5.1). */
const channels: [type: string, reason: number, ...more: (string | number)[]][] = [
  ["x11", UNKNOWN_TYPE, "127.0.0.1", 6000],
  ["auth-agent@openssh.com", UNKNOWN_TYPE],
  ["tun@openssh.com", UNKNOWN_TYPE, 1, 0],
  ["forwarded-tcpip", UNKNOWN_TYPE, "127.0.0.1", 11081, "127.0.0.1", 1],
  ["direct-streamlocal@openssh.com", PROHIBITED, "/run/docker.sock", "", 0],
  ["forwarded-streamlocal@openssh.com", UNKNOWN_TYPE, "/run/docker.sock", ""],
  ["direct-tcpip", PROHIBITED, "localhost", 3015, "127.0.0.1", 1],
  ["direct-tcpip", PROHIBITED, "localhost.", 3014, "127.0.0.1", 1],
  ["direct-tcpip", PROHIBITED, "LOCALHOST", 3014, "127.0.0.1", 1],
  ["direct-tcpip", PROHIBITED, "", 3014, "127.0.0.1", 1],
  ["direct-tcpip", PROHIBITED, "169.254.169.254", 80, "127.0.0.1", 1],
  ["nonsense@example.com", UNKNOWN_TYPE],
  ["", UNKNOWN_TYPE],
];

/** What is asked for in a session (RFC 4254, section 6), with the rest of the message; none of it where there is no session. */
const channelRequests: [name: string, ...more: Field[]][] = [
  ["pty-req", "xterm", 80, 24, 640, 480, "\0"],
  ["env", "LD_PRELOAD", "/tmp/x.so"],
  ["shell"],
  ["exec", "id"],
  ["subsystem", "sftp"],
  ["x11-req", false, "MIT-MAGIC-COOKIE-1", "00", 0],
  ["auth-agent-req@openssh.com"],
  ["nonsense@example.com"],
];

for (const gatewayPorts of ["no", "clientspecified"]) {
  test(`everything but a client's own forward and backchannel is refused, with gatewayPorts "${gatewayPorts}", and the tunnel stays up`, async (t) => {
    const server = await new TestServer(t, "", `gatewayPorts = "${gatewayPorts}"`).start();
    const client = await new TestClient(t, server, 9).register(server.joinCode());
    const other = await new TestClient(t, server, 9).register(server.joinCode());
    const raw = await RawSsh.connect(t, server);
    assert.equal(await raw.login({ key: keyPairOf(client) }), MESSAGE.authSuccess);
    const { registeredId, registeredPort: own } = client.registered;
    const { registeredPort: foreign } = other.registered;
    assert.equal(await raw.request("tcpip-forward", "127.0.0.1", own), true);
    for (const [type, reason, ...more] of channels) assert.equal(await raw.open(type, ...more), reason, type);
    for (const port of [foreign, 1, 22, 80, 443, 1023, 1024, 65535, 65536 + own, 2 ** 32 - 1]) {
      assert.equal(await raw.request("tcpip-forward", "127.0.0.1", port), false, `port ${port}`);
      assert.equal(await raw.request("cancel-tcpip-forward", "127.0.0.1", port), false, `cancelling port ${port}`);
    }
    assert.equal(await raw.request("tcpip-forward", "a".repeat(256), own), false, "an address without end");
    for (const name of ["streamlocal-forward@openssh.com", "cancel-streamlocal-forward@openssh.com"]) {
      assert.equal(await raw.request(name, "/run/petit.sock"), false, name);
    }
    for (const name of ["tun@openssh.com", "hostkeys-00@openssh.com", "nonsense@example.com", ""]) {
      assert.equal(await raw.request(name), false, name);
    }
    // In a session nothing is to be had but petit's own words.
    assert.equal(await raw.open("session"), "open");
    for (
      const [name, ...more] of channelRequests.filter(([name]) => !["pty-req", "env", "shell", "exec"].includes(name))
    ) {
      const answer = await raw.ask(MESSAGE.channelRequest, raw.channel, name, true, ...more);
      assert.equal(answer, MESSAGE.channelFailure, name);
    }
    // A client that gives up sessions gives up what it has not got.
    assert.equal(await raw.request("no-more-sessions@openssh.com"), true);
    assert.equal(await raw.open("session"), PROHIBITED);
    assert.equal(await raw.open("direct-tcpip", "localhost", 3014, "127.0.0.1", 1), "open");
    for (const [name, ...more] of channelRequests) {
      const answer = await raw.ask(MESSAGE.channelRequest, raw.channel, name, true, ...more);
      assert.equal(answer, MESSAGE.channelFailure, name);
    }
    assert.equal(server.running.control.statusOf(registeredId).tunnel?.address, "127.0.0.1");
    assert.equal(await accepts("127.0.0.1", own), true);
    assert.equal(await accepts("127.0.0.1", foreign), false);
  });
}

test("what was refused is told once a minute for each address", async (t) => {
  const { server, one } = await twoClients(t);
  const raw = await RawSsh.connect(t, server);
  await raw.login({ key: keyPairOf(one) });
  for (let time = 0; time < 3; time++) {
    await raw.open("x11", "127.0.0.1", 6000);
    await raw.request("streamlocal-forward@openssh.com", "/run/petit.sock");
  }
  const told = server.log.filter(({ code }) => code?.endsWith("-refused")).map(({ code, msg }) => [code, msg]);
  assert.deepEqual(told, [
    ["channel-refused", 'A client asked for a channel of the type "x11"'],
    ["request-refused", 'A client asked for "streamlocal-forward@openssh.com"'],
  ]);
});

test("a privileged port is refused, whatever the registry says", async (t) => {
  const { server, one } = await twoClients(t);
  await server.stop();
  const { DatabaseSync } = await import("node:sqlite");
  const database = new DatabaseSync(server.config.server.registryUrl.slice("sqlite:".length));
  database.exec(`UPDATE registrations SET port = 80 WHERE id = ${one.registered.registeredId}`);
  database.close();
  await server.start();
  const raw = await RawSsh.connect(t, server);
  assert.equal(await raw.login({ key: keyPairOf(one) }), MESSAGE.authSuccess);
  assert.equal(await raw.request("tcpip-forward", "127.0.0.1", 80), false);
  assert.equal(await raw.request("tcpip-forward", "127.0.0.1", 0), false);
});

test("a connection has 64 backchannels at most", async (t) => {
  const { server, one } = await twoClients(t);
  const raw = await RawSsh.connect(t, server);
  await raw.login({ key: keyPairOf(one) });
  const open = () => raw.open("direct-tcpip", "localhost", 3014, "127.0.0.1", 1);
  for (let channel = 0; channel < 64; channel++) assert.equal(await open(), "open");
  assert.equal(await open(), PROHIBITED);
  // The server answers the end of one with the end of it.
  assert.equal(await raw.ask(MESSAGE.channelClose, raw.channel), MESSAGE.channelClose);
  assert.equal(await open(), "open");
});

test("on its backchannel a client is told of, and changes, its own registrations only", async (t) => {
  const { server, one, other } = await twoClients(t);
  const { registeredId: foreign } = other.registered;
  await other.start();
  const peer = new SshPeer(t);
  await peer.login(server, "petit", [keyOf(one)]);
  const ask = await peer.backchannel();
  const unknown = {
    type: "error",
    code: "registration-unknown",
    error: `This client has no registration "${foreign}"`,
  };
  assert.deepEqual(await ask({ type: "unregister1", registeredId: foreign }), unknown);
  assert.deepEqual(await ask({ type: "probe1", registeredId: foreign }), unknown);
  const tunnel = "0123456789abcdef";
  const hands = await ask({
    type: "handshake1",
    services: { [foreign]: { probe: "/admin", host: "forged" } },
    disconnects: [{ tunnel, at: 1, lasted: 1, ids: [foreign], cause: "forged" }],
  });
  assert.deepEqual((hands["registrations"] as { registeredId: string }[]).map(({ registeredId }) => registeredId), [
    one.registered.registeredId,
  ]);
  assert.equal((await ask({ type: "register1", preferred: null, tenant: "more" }))["code"], "join-needed");
  const { tunnel: standing, disconnects, probe } = server.running.control.statusOf(foreign) as unknown as {
    tunnel: object | null;
    disconnects: unknown[];
    probe: unknown;
  };
  assert.ok(standing !== null);
  assert.ok(!JSON.stringify([disconnects, probe, server.running.control.disconnects(10)]).includes("forged"));
});

test("a client that joins gets no other registration by preferring it, its client being away", async (t) => {
  const { server, one, other } = await twoClients(t);
  const peer = new SshPeer(t);
  const code = { type: "password", password: server.joinCode().secret };
  assert.equal(await peer.login(server, "join", [keyOf(one), code]), "ready");
  const ask = await peer.backchannel();
  const { registeredId: id, registeredPort: port } = other.registered;
  const given = await ask({ type: "register1", preferred: { id, port }, tenant: "greedy" });
  assert.equal(given["type"], "didRegister1");
  assert.notEqual(given["registeredId"], id);
  assert.notEqual(given["registeredPort"], port);
  assert.equal((await ask({ type: "unregister1", registeredId: id }))["code"], "registration-unknown");
});

test("the alias of another registration as a user name gives no right to it", async (t) => {
  const { server, one, other } = await twoClients(t);
  const registry = openRegistry(server.config.server.registryUrl);
  registry.addAlias(other.registered.registeredId, "shop.example.com");
  registry.close();
  const peer = new SshPeer(t);
  assert.equal(await peer.login(server, "shop.example.com", [keyOf(one)]), "ready");
  assert.match(String(await peer.forward("127.0.0.1", other.registered.registeredPort)), /Unable to bind/);
  assert.equal(await peer.forward("127.0.0.1", 0), one.registered.registeredPort);
});

test("a registration that is taken away takes its rights along, on a connection that stands", async (t) => {
  const { server, one } = await twoClients(t);
  // The same key has another one, so that its connection goes on.
  const joining = new SshPeer(t);
  await joining.login(server, "join", [keyOf(one), { type: "password", password: server.joinCode().secret }]);
  const second = await (await joining.backchannel())({ type: "register1", preferred: null, tenant: "second" });
  const { registeredId: id, registeredPort: port } = one.registered;
  const peer = new SshPeer(t);
  await peer.login(server, "petit", [keyOf(one)]);
  const ask = await peer.backchannel();
  assert.equal(await peer.forward("127.0.0.1", port), port);
  assert.equal(await peer.forward("127.0.0.1", second["registeredPort"] as number), second["registeredPort"]);
  assert.deepEqual(await ask({ type: "unregister1", registeredId: id }), { type: "didUnregister1" });
  await server.logged(({ msg }) => msg.startsWith(`${id} is served no longer`));
  assert.equal((await ask({ type: "probe1", registeredId: id }))["code"], "registration-unknown");
  assert.match(String(await peer.forward("127.0.0.1", port)), /Unable to bind/);
  const left = (await ask({ type: "handshake1" }))["registrations"] as { registeredId: string }[];
  assert.deepEqual(left.map(({ registeredId }) => registeredId), [second["registeredId"]]);
  assert.equal(await peer.forward("127.0.0.1", second["registeredPort"] as number), second["registeredPort"]);
});

test("a connection whose key has no registration left is ended, though it forwards nothing", async (t) => {
  const { server, one } = await twoClients(t);
  const peer = new SshPeer(t);
  await peer.login(server, "petit", [keyOf(one)]);
  const registry = openRegistry(server.config.server.registryUrl);
  registry.unregister(one.registered.registeredId);
  registry.close();
  await peer.closed;
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
