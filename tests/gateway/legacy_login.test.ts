import assert from "node:assert/strict";
import type { KeyObject } from "node:crypto";
import { connect } from "node:net";
import { existsSync, statSync } from "node:fs";
import test from "node:test";
import { openRegistry } from "../../src/registry/open_registry.ts";
import { sshKeyOfPem } from "../../src/registry/ssh_key_of_pem.ts";
import { legacyKeyPair, LegacyPeer, legacyTestServer } from "../world/legacy_peer.ts";
import { negotiated } from "../world/negotiated.ts";
import { MESSAGE, parsedKey, RawSsh } from "../world/raw_ssh.ts";
import { RawPeer } from "../world/raw_peer.ts";
import { TestServer } from "../world/world.ts";

const { authFailure: REFUSED, authSuccess: ACCEPTED } = MESSAGE;

const { publicKey, privateKey } = legacyKeyPair();
const key = parsedKey(privateKey.export({ type: "pkcs1", format: "pem" }) as string);

/** As 0.6.34 on a Node that has no Curve25519 and no Ed25519. */
const OLD_NODE = {
  kex: ["ecdh-sha2-nistp256", "ecdh-sha2-nistp384", "ecdh-sha2-nistp521", "diffie-hellman-group14-sha1"],
  serverHostKey: ["ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa"],
  cipher: ["aes128-ctr", "aes192-ctr", "aes256-ctr"],
  hmac: ["hmac-sha2-256", "hmac-sha2-512", "hmac-sha1"],
};

test("a registration that came over the plain backchannel may log in with SHA-1, and no other", async (t) => {
  const server = await legacyTestServer(t).start();
  const unknown = await RawSsh.connect(t, server);
  assert.equal(await unknown.login({ key, algorithm: "ssh-rsa" }), REFUSED);
  const { registeredPort: port } = await new LegacyPeer(t, server).register(publicKey);
  const raw = await RawSsh.connect(t, server);
  assert.equal(await raw.login({ key, algorithm: "ssh-rsa", signed: { user: "else" } }), REFUSED, "of another request");
  assert.equal(await raw.login({ key, algorithm: "ssh-rsa", signed: { as: "rsa-sha2-256" } }), REFUSED);
  assert.equal(await raw.login({ key, algorithm: "ssh-rsa" }), ACCEPTED);
  assert.equal(await raw.request("tcpip-forward", "127.0.0.1", port), true);
  const better = await RawSsh.connect(t, server);
  assert.equal(await better.login({ key, algorithm: "rsa-sha2-256" }), ACCEPTED);
});

test("an RSA key that was registered otherwise may not log in with SHA-1, also where clients of 0.6 may", async (t) => {
  const server = legacyTestServer(t);
  const registry = openRegistry(server.config.server.registryUrl);
  const { line, fingerprint } = sshKeyOfPem(publicKey);
  registry.register({
    ...{ key: line, fingerprint, tenant: "default", preferred: null, joinHash: null },
    ...{ vitae: { brand: "ce", version: "1" }, port: registry.nextPort(), now: Date.now() },
  });
  registry.close();
  await server.start();
  const raw = await RawSsh.connect(t, server);
  assert.equal(await raw.login({ key, algorithm: "ssh-rsa", signed: false }), REFUSED, "not even the question");
  assert.equal(await raw.login({ key, algorithm: "ssh-rsa" }), REFUSED);
  assert.equal(await raw.login({ key, algorithm: "rsa-sha2-512" }), ACCEPTED);
});

test("SHA-1 is for clients that are still of 0.6: not for joining, not once upgraded, nor for a key registered otherwise too", async (t) => {
  const server = legacyTestServer(t);
  const registry = openRegistry(server.config.server.registryUrl);
  const upgraded = legacyKeyPair();
  const mixed = legacyKeyPair();
  const imported = [[publicKey, null], [upgraded.publicKey, "1.0.0"], [mixed.publicKey, "0.6.34"]] as const;
  registry.import(
    imported.map(([pem, version], at) => {
      const { line: key, fingerprint } = sshKeyOfPem(pem);
      const vitae = version === null ? null : { brand: "ce", version };
      return { id: String(1001 + at), port: 11_081 + at, key, fingerprint, brand: "ce", aliases: [], vitae };
    }),
    { now: Date.now() },
  );
  const { line, fingerprint } = sshKeyOfPem(mixed.publicKey);
  registry.register({
    ...{ key: line, fingerprint, tenant: "other", preferred: null, joinHash: null },
    ...{ vitae: { brand: "ce", version: "0.6.34" }, port: registry.nextPort(), now: Date.now() },
  });
  registry.close();
  await server.start();
  const login = async (key: KeyObject, algorithm: string, user = "petit") => {
    const raw = await RawSsh.connect(t, server);
    return await raw.login({ key: parsedKey(key.export({ type: "pkcs1", format: "pem" }) as string), algorithm, user });
  };
  assert.equal(await login(privateKey, "ssh-rsa"), ACCEPTED);
  assert.equal(await login(privateKey, "ssh-rsa", "join"), REFUSED);
  for (const key of [upgraded.privateKey, mixed.privateKey]) {
    assert.equal(await login(key, "ssh-rsa"), REFUSED);
    assert.equal(await login(key, "rsa-sha2-256"), ACCEPTED);
  }
});

test("without legacyBackchannel nobody logs in with SHA-1, and the log says which setting lets clients of 0.6 in", async (t) => {
  const server = new TestServer(t);
  const registry = openRegistry(server.config.server.registryUrl);
  const { line, fingerprint } = sshKeyOfPem(publicKey);
  registry.import([{ id: "1001", port: 11_081, key: line, fingerprint, brand: "ce", aliases: [], vitae: null }], {
    now: Date.now(),
  });
  registry.close();
  await server.start();
  const raw = await RawSsh.connect(t, server);
  assert.equal(await raw.login({ key, algorithm: "ssh-rsa" }), REFUSED);
  assert.equal(await raw.login({ key, algorithm: "rsa-sha2-512" }), ACCEPTED);
  for (let times = 0; times < 3; times++) {
    const old = new RawPeer(connect({ port: server.running.sshPort, host: "127.0.0.1" }));
    old.send("SSH-2.0-ssh2js0.4.10\r\n");
    await old.untilText("\r\n");
    old.socket.destroy();
    await server.logged(({ code }) => code === "legacy-refused");
  }
  const told = server.log.filter(({ code }) => code === "legacy-refused");
  assert.equal(told.length, 1);
  assert.match(told[0]?.msg as string, /\[server\] legacyBackchannel = true lets those in/);
  assert.match(await negotiated(t, server, OLD_NODE), /no matching/i);
  assert.equal(existsSync(`${server.config.server.ssh.hostKey}.legacy`), false);
});

test("with legacyBackchannel a client on an old Node finds algorithms, and modern peers the modern ones", async (t) => {
  const server = await legacyTestServer(t).start();
  const modern = "curve25519-sha256@libssh.org ssh-ed25519 aes128-gcm@openssh.com ";
  assert.equal(
    await negotiated(t, server, OLD_NODE),
    "ecdh-sha2-nistp256 ecdsa-sha2-nistp256 aes128-ctr hmac-sha2-256",
  );
  assert.equal(await negotiated(t, server), modern);
  for (
    const broken of [{ kex: ["diffie-hellman-group14-sha1"] }, { serverHostKey: ["ssh-rsa"] }, {
      hmac: ["hmac-sha1"],
      cipher: ["aes128-ctr"],
    }]
  ) {
    assert.match(await negotiated(t, server, broken), /no matching/i, JSON.stringify(broken));
  }
  const file = `${server.config.server.ssh.hostKey}.legacy`;
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const { mtimeMs } = statSync(file);
  await server.stop();
  await server.start();
  assert.equal(statSync(file).mtimeMs, mtimeMs, "made once");
  server.running.control.hostKeys.rotate();
  assert.equal(
    await negotiated(t, server, OLD_NODE),
    "ecdh-sha2-nistp256 ecdsa-sha2-nistp256 aes128-ctr hmac-sha2-256",
  );
  assert.equal(await negotiated(t, server), modern);
});
