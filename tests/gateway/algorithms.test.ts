import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import test, { type TestContext } from "node:test";
import { negotiated } from "../world/negotiated.ts";
import { makeWorld, TestServer } from "../world/world.ts";

/** Each of the algorithms that the peer offers is agreed on. */
async function isSpoken(t: TestContext, server: TestServer, algorithms: Record<string, string[]>): Promise<void> {
  const agreed = await negotiated(t, server, algorithms);
  for (const [algorithm] of Object.values(algorithms)) {
    assert.ok(agreed.split(" ").includes(algorithm as string), agreed);
  }
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
    await isSpoken(t, server, algorithms);
  }
  for (const algorithms of old) {
    assert.match(await negotiated(t, server, algorithms), /[Nn]o matching/, JSON.stringify(algorithms));
  }
});

test("what an operator adds is spoken, without a restart, and a tunnel that stands goes on", async (t) => {
  const { server, id } = await makeWorld(t, (socket) => socket.pipe(socket));
  const old = { cipher: ["aes256-ctr"], hmac: ["hmac-sha2-256"] };
  assert.match(await negotiated(t, server, old), /no matching/i);
  server.config.server.ssh.macs = [...server.config.server.ssh.macs, "hmac-sha2-256"];
  await isSpoken(t, server, old);
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
  await isSpoken(t, server, { serverHostKey: ["rsa-sha2-256"] });
  await isSpoken(t, server, { serverHostKey: ["rsa-sha2-512"] });
  assert.match(await negotiated(t, server, { serverHostKey: ["ssh-rsa"] }), /no matching host key format/i);
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
  await isSpoken(t, server, { serverHostKey: ["ecdsa-sha2-nistp256"] });
});
