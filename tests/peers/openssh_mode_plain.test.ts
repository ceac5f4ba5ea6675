import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { openRegistry } from "../../src/registry/open_registry.ts";
import { generateKey } from "../../src/tunnel/keys.ts";
import { eventually } from "../world/eventually.ts";
import { firstReversePort } from "../world/ports.ts";
import { background } from "../world/processes.ts";
import { exchange, statusOf } from "../world/raw_http.ts";
import { startService, temporaryFolder } from "../world/world.ts";
import { NEEDS, type OpensshMode, startOpensshMode } from "./openssh_mode.ts";
import { peerTest, program } from "./peer_test.ts";

/** A registration for a key that OpenSSH's ssh uses, made in the registry beside the running server. */
function registerKey(t: TestContext, { sshd, server }: OpensshMode) {
  const folder = temporaryFolder(t);
  const pair = generateKey("plain ssh");
  const keyFile = join(folder, "key");
  writeFileSync(keyFile, pair.privatePem, { mode: 0o600 });
  const knownHosts = join(folder, "known_hosts");
  writeFileSync(knownHosts, `[127.0.0.1]:${sshd.port} ${sshd.hostKey}\n`);
  const registry = openRegistry(server.registryUrl);
  const { line: key, fingerprint } = pair.publicKey;
  const registration = registry.register({
    ...{ key, fingerprint, vitae: { brand: "plain", version: "0" }, preferred: null, joinHash: null },
    ...{ tenant: "default", port: firstReversePort(), now: Date.now() },
  });
  registry.close();
  const options = [`UserKnownHostsFile=${knownHosts}`, "BatchMode=yes", "IdentitiesOnly=yes", "IdentityAgent=none"];
  const args = ["-F", "none", "-i", keyFile, "-p", String(sshd.port), ...options.flatMap((option) => ["-o", option])];
  return { ...registration, args, login: `${sshd.user}@127.0.0.1` };
}

peerTest("ssh -R through the system's sshd serves the HTTP proxy", [...NEEDS, "ssh"], async (t) => {
  const mode = await startOpensshMode(t, { server: { "server.holdFor": "200ms" } });
  const web = await startService(t, (socket) => {
    socket.on("data", () => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"));
  });
  const { id, port, key, args, login } = registerKey(t, mode);
  const line = new RegExp(`^restrict,port-forwarding,.* petit:${id}$`, "m");
  await eventually("its key is let in", () => line.test(readFileSync(mode.sshd.authorizedKeys, "latin1")));
  const ssh = background(t, program("ssh"), ["-v", "-N", "-R", `${port}:127.0.0.1:${web.port}`, ...args, login]);
  await ssh.line((line) => line.includes("remote forward success"));
  await mode.server.daemon.logged((line) => line["id"] === id && line.msg.includes("is connected"));
  const get = `GET / HTTP/1.1\r\nHost: ${id}.example.com\r\nConnection: close\r\n\r\n`;
  for (let requests = 0; requests < 3; requests++) {
    assert.equal(statusOf(await exchange(mode.server.proxyPort, get)), 200);
  }
  assert.equal(web.sockets.size, 1, "requests share a connection");
  assert.ok(key);
  await ssh.stop();
  await mode.server.daemon.logged((line) => line["id"] === id && line.msg.includes("disconnected"));
  assert.equal(statusOf(await exchange(mode.server.proxyPort, get)), 503);
});
