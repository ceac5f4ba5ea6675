import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import test, { type TestContext } from "node:test";
import { Client } from "../../src/tunnel/ssh_library.ts";
import { makeWorld, TestServer } from "../world/world.ts";

/** What became of a key exchange in which the peer offers `algorithms` only: "done", or the error. */
function exchange(t: TestContext, server: TestServer, algorithms: Record<string, string[]>): Promise<string> {
  const client = new Client();
  t.after(() => client.destroy());
  return new Promise((resolve) => {
    client.on("handshake", () => resolve("done"));
    client.on("error", (error) => resolve(error.message));
    client.on("close", () => resolve("closed"));
    client.connect({
      host: "127.0.0.1",
      port: server.running.sshPort,
      username: "petit",
      authHandler: () => undefined as never,
      algorithms: algorithms as never,
    });
  });
}

const modern: Record<string, string[]>[] = [
  { kex: ["curve25519-sha256"], cipher: ["aes128-gcm@openssh.com"] },
  { kex: ["curve25519-sha256@libssh.org"], cipher: ["aes256-gcm@openssh.com"] },
  { cipher: ["aes256-ctr"], hmac: ["hmac-sha2-256-etm@openssh.com"] },
];
const old: Record<string, string[]>[] = [
  { kex: ["ecdh-sha2-nistp256"] },
  { kex: ["diffie-hellman-group14-sha1"] },
  // Bun tests the prime of each for seconds, for a peer that has not logged in.
  { kex: ["diffie-hellman-group14-sha256"] },
  { kex: ["diffie-hellman-group18-sha512"] },
  { cipher: ["aes256-cbc"] },
  { cipher: ["aes256-ctr"], hmac: ["hmac-sha2-256"] },
  { cipher: ["aes256-ctr"], hmac: ["hmac-sha1-etm@openssh.com"] },
  { compress: ["zlib"] },
  { serverHostKey: ["ssh-rsa"] },
];

test("the gateway speaks to peers that are modern, and to no others", async (t) => {
  const server = await new TestServer(t).start();
  for (const algorithms of modern) {
    assert.equal(await exchange(t, server, algorithms), "done", JSON.stringify(algorithms));
  }
  for (const algorithms of old) {
    assert.match(await exchange(t, server, algorithms), /[Nn]o matching/, JSON.stringify(algorithms));
  }
});

test("what an operator adds is spoken, without a restart, and a tunnel that stands goes on", async (t) => {
  const { server, id } = await makeWorld(t, (socket) => socket.pipe(socket));
  const old = { cipher: ["aes256-ctr"], hmac: ["hmac-sha2-256"] };
  assert.match(await exchange(t, server, old), /no matching/i);
  server.config.server.ssh.macs = [...server.config.server.ssh.macs, "hmac-sha2-256"];
  assert.equal(await exchange(t, server, old), "done");
  assert.notEqual(server.running.control.statusOf(id).tunnel, null);
});

/** A server whose host key is of another kind than the one that petit makes. */
function serverWithKey(t: TestContext, pem: string | Buffer, settings = ""): TestServer {
  const server = new TestServer(t, "", settings);
  writeFileSync(server.config.server.ssh.hostKey, pem);
  return server;
}

test("an RSA host key signs with SHA-2, and not with SHA-1", async (t) => {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const server = await serverWithKey(t, privateKey.export({ type: "pkcs1", format: "pem" })).start();
  assert.equal(await exchange(t, server, { serverHostKey: ["rsa-sha2-256"] }), "done");
  assert.equal(await exchange(t, server, { serverHostKey: ["rsa-sha2-512"] }), "done");
  assert.match(await exchange(t, server, { serverHostKey: ["ssh-rsa"] }), /no matching host key format/i);
});

test("a host key of a kind that may not be shown is refused at the start, with the way out", async (t) => {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const pem = privateKey.export({ type: "sec1", format: "pem" });
  await assert.rejects(serverWithKey(t, pem).start(), {
    code: "host-key-refused",
    message:
      'The host key is of the type "ecdsa-sha2-nistp256", and [server.ssh] hostKeyAlgorithms has only ssh-ed25519, rsa-sha2-512, rsa-sha2-256',
    hint: 'Add "+ecdsa-sha2-nistp256" to hostKeyAlgorithms, or have another host key',
  });
  const server = await serverWithKey(t, pem, 'hostKeyAlgorithms = ["+ecdsa-sha2-nistp256"]').start();
  assert.equal(await exchange(t, server, { serverHostKey: ["ecdsa-sha2-nistp256"] }), "done");
});
