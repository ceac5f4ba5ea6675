import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { openRegistry } from "../../src/registry/open_registry.ts";
import { fingerprintOf, generateKey } from "../../src/tunnel/keys.ts";
import { keyPairOf, MESSAGE, parsedKey, RawSsh } from "../world/raw_ssh.ts";
import { TestClient, TestServer } from "../world/world.ts";

const { authFailure: REFUSED, authSuccess: ACCEPTED, keyOk: KEY_OK, disconnect: DISCONNECT } = MESSAGE;

/** A server with two registered clients that are not connected, and their keys. */
async function twoKeys(t: TestContext) {
  const server = await new TestServer(t).start();
  const one = await new TestClient(t, server, 9).register(server.joinCode());
  const other = await new TestClient(t, server, 9).register(server.joinCode());
  return { server, one, other, key: keyPairOf(one), otherKey: keyPairOf(other) };
}

const forward = (raw: RawSsh, client: TestClient) =>
  raw.request("tcpip-forward", "127.0.0.1", client.registered.registeredPort);

/** Everything that a server has written down: its files and its log. */
function writtenBy(server: TestServer): string {
  const files = readdirSync(server.folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(server.folder, name)).filter((file) => statSync(file).isFile());
  return files.map((file) => readFileSync(file, "latin1")).join("\n") + JSON.stringify(server.log);
}

test("an offer of a key without a signature opens nothing", async (t) => {
  const { server, one, key } = await twoKeys(t);
  const raw = await RawSsh.connect(t, server);
  assert.equal(await raw.login({ key, signed: false }), KEY_OK);
  assert.equal(await forward(raw, one), false);
  assert.equal(await raw.open("direct-tcpip", "localhost", 3014, "127.0.0.1", 1), 1);
  assert.equal(server.running.control.statusOf(one.registered.registeredId).tunnel, null);
});

test("an offer of a key without a signature leaves no trace of that key", async (t) => {
  const server = await new TestServer(t).start();
  // Nobody has registered this key, so that whatever names it comes of the offer.
  const key = parsedKey(generateKey("").privatePem);
  const blob = key.getPublicSSH();
  const raw = await RawSsh.connect(t, server);
  assert.equal(await raw.login({ key, signed: false }), REFUSED);
  assert.equal(await raw.password("petit", "x"), REFUSED);
  const joining = await RawSsh.connect(t, server);
  assert.equal(await joining.login({ user: "join", key, signed: false }), KEY_OK);
  // The code alone lets it in, without a key.
  assert.equal(await joining.password("join", server.joinCode().secret), MESSAGE.authSuccess);
  assert.notEqual(await joining.open("direct-tcpip", "localhost", 3014, "127.0.0.1", 1), "open");
  for (const each of [raw, joining]) each.send(MESSAGE.disconnect, 11, "", "");
  await server.logged(({ code }) => code === "login-failed");
  await server.stop();
  const written = writtenBy(server);
  assert.ok(written.includes("login-failed"));
  assert.ok(!written.includes(fingerprintOf(blob)), "its fingerprint");
  assert.ok(!written.includes(blob.toString("base64").slice(-40)), "the key");
});

test("who offers one key and then proves another has the rights of the other, and no more", async (t) => {
  const { server, one, other, key, otherKey } = await twoKeys(t);
  const raw = await RawSsh.connect(t, server);
  assert.equal(await raw.login({ key, signed: false }), KEY_OK);
  assert.equal(await raw.login({ key: otherKey }), ACCEPTED);
  assert.equal(await forward(raw, one), false);
  assert.equal(await forward(raw, other), true);
  assert.equal(server.running.control.statusOf(one.registered.registeredId).tunnel, null);
});

test("a signature by another key, or over something else, proves nothing", async (t) => {
  const { server, key, otherKey } = await twoKeys(t);
  const { sessionId: elsewhere } = await RawSsh.connect(t, server);
  const raw = await RawSsh.connect(t, server);
  assert.equal(await raw.login({ key, signed: false }), KEY_OK);
  assert.equal(await raw.login({ key, signed: { by: otherKey } }), REFUSED, "by another key");
  assert.equal(await raw.login({ key, signed: { session: elsewhere } }), REFUSED, "from another session");
  assert.equal(await raw.login({ key, signed: { session: Buffer.alloc(0) } }), REFUSED, "from none");
  assert.equal(await raw.login({ key, signed: { user: "root" } }), REFUSED, "for another user");
});

test("a signature that does not verify is told as a login that was refused", async (t) => {
  const { server, key, otherKey } = await twoKeys(t);
  const raw = await RawSsh.connect(t, server);
  assert.equal(await raw.login({ key, signed: { by: otherKey } }), REFUSED);
  raw.send(MESSAGE.disconnect, 11, "", "");
  const { msg, key: named } = await server.logged(({ code }) => code === "login-failed");
  assert.match(msg, /a login of the user "petit" by publickey was refused/);
  assert.equal(named, undefined);
});

const SHA2 = ["rsa-sha2-256", "rsa-sha2-512"];
for (
  const algorithm of ["ssh-rsa", ...SHA2, "ssh-dss", "ecdsa-sha2-nistp256", "ssh-ed25519-cert-v01@openssh.com", ""]
) {
  test(`an ed25519 key under the name "${algorithm}" proves nothing, and is not even asked for`, async (t) => {
    const { server, key } = await twoKeys(t);
    const raw = await RawSsh.connect(t, server);
    assert.equal(await raw.login({ key, algorithm, signed: false }), REFUSED);
    assert.equal(await raw.login({ key, signed: { as: algorithm } }), REFUSED, "named so in the signature only");
    // A signature that is none of that algorithm breaks the protocol.
    assert.ok([REFUSED, DISCONNECT].includes(await raw.login({ key, algorithm }) as never));
  });
}

test("what is no key is refused, and the connection goes on", async (t) => {
  const { server, key } = await twoKeys(t);
  const raw = await RawSsh.connect(t, server);
  for (const blob of [Buffer.alloc(0), Buffer.alloc(3, 255), Buffer.alloc(100), key.getPublicSSH().subarray(0, -1)]) {
    assert.equal(await raw.login({ key, blob, signed: false }), REFUSED);
  }
  assert.equal(await raw.login({ key }), ACCEPTED);
});

test("RSA keys prove with SHA-2 who they are, and not with SHA-1 or below 2048 bits", async (t) => {
  const server = await new TestServer(t).start();
  const rsa = (modulusLength: number) =>
    parsedKey(
      generateKeyPairSync("rsa", { modulusLength }).privateKey.export({ type: "pkcs1", format: "pem" }) as string,
    );
  const [good, short] = [rsa(2048), rsa(2040)];
  const raw = await RawSsh.connect(t, server);
  const attempt = { user: "join", key: good };
  assert.equal(await raw.login({ ...attempt, algorithm: "ssh-rsa" }), REFUSED);
  assert.equal(await raw.login({ ...attempt, algorithm: "rsa-sha2-256", key: short }), REFUSED);
  assert.equal(await raw.login({ ...attempt, algorithm: "rsa-sha2-512", signed: { as: "rsa-sha2-256" } }), REFUSED);
  assert.equal(await raw.login({ ...attempt, algorithm: "rsa-sha2-256" }), "partial");
  assert.equal(await raw.login({ ...attempt, algorithm: "rsa-sha2-512" }), "partial");
});

for (const [settings, verdict] of [["", REFUSED], ['pubkeyAcceptedAlgorithms = ["+ecdsa-sha2-nistp256"]', "partial"]]) {
  test(`an ECDSA key proves ${settings === "" ? "nothing" : "who it is"} with the settings "${settings}"`, async (t) => {
    const server = await new TestServer(t, "", settings as string).start();
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const key = parsedKey(privateKey.export({ type: "sec1", format: "pem" }) as string);
    const raw = await RawSsh.connect(t, server);
    assert.equal(await raw.login({ user: "join", key }), verdict);
  });
}

test("the user cannot change between two attempts on one connection", async (t) => {
  const { server, one, key } = await twoKeys(t);
  for (
    const [before, after] of [["join", "petit"], ["petit", one.registered.registeredId], ["petit", "join"]] as const
  ) {
    const raw = await RawSsh.connect(t, server);
    await raw.login({ user: before, key, signed: before === "join" ? {} : false });
    assert.equal(await raw.login({ user: after, key }), DISCONNECT, `${before}, ${after}`);
    assert.equal(await raw.receive(), undefined);
  }
});

test("the join code is for the key that was proven before it, whatever is offered in between", async (t) => {
  for (const proves of [false, true]) {
    const { server, key, otherKey } = await twoKeys(t);
    const raw = await RawSsh.connect(t, server);
    const { secret } = server.joinCode();
    assert.equal(await raw.login({ user: "join", key }), "partial");
    assert.equal(
      await raw.login({ user: "join", key: otherKey, signed: proves ? {} : false }),
      proves ? "partial" : KEY_OK,
    );
    assert.equal(await raw.login({ user: "join", key: otherKey, signed: { by: key } }), REFUSED);
    assert.equal(await raw.password("join", secret), ACCEPTED);
    const logged = server.log.findLast(({ msg }) => msg === "A client logged in");
    assert.equal(logged?.["key"], fingerprintOf((proves ? otherKey : key).getPublicSSH()));
  }
});

test("a connection of a user that joins has no other rights of its key", async (t) => {
  const { server, one, key } = await twoKeys(t);
  const raw = await RawSsh.connect(t, server);
  assert.equal(await raw.login({ user: "join", key }), "partial");
  assert.equal(await forward(raw, one), false);
  assert.equal(await raw.open("direct-tcpip", "localhost", 3014, "127.0.0.1", 1), 1);
  assert.equal(await raw.password("join", server.joinCode().secret), ACCEPTED);
  assert.equal(await forward(raw, one), false);
});

test("a login that was accepted is the last one", async (t) => {
  const { server, other, key, otherKey } = await twoKeys(t);
  const raw = await RawSsh.connect(t, server);
  assert.equal(await raw.login({ key }), ACCEPTED);
  assert.equal(await raw.login({ key: otherKey }), DISCONNECT);
  assert.equal(server.running.control.statusOf(other.registered.registeredId).tunnel, null);
});

test("a registration that was taken away is no reason to let its key in", async (t) => {
  const { server, one, key } = await twoKeys(t);
  const raw = await RawSsh.connect(t, server);
  assert.equal(await raw.login({ key, signed: false }), KEY_OK);
  const registry = openRegistry(server.config.server.registryUrl);
  registry.unregister(one.registered.registeredId);
  registry.close();
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      try {
        server.running.control.statusOf(one.registered.registeredId);
      } catch {
        clearInterval(timer);
        resolve();
      }
    }, 20);
  });
  assert.equal(await raw.login({ key }), REFUSED);
});
