import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { eventually } from "../world/eventually.ts";
import { background } from "../world/processes.ts";
import { getOnce, statusOf } from "../world/raw_http.ts";
import { startService, temporaryFolder } from "../world/world.ts";
import { NEEDS, type OpensshMode, startOpensshMode } from "./openssh_mode.ts";
import { peerTest, program } from "./peer_test.ts";
import { makeKey, registerKey } from "./plain_ssh.ts";

/** A registration for a key that OpenSSH's ssh uses, made beside the running server. */
async function plainRegistration(t: TestContext, mode: OpensshMode) {
  const { sshd } = mode;
  const folder = temporaryFolder(t);
  const keyFile = await makeKey(folder, "key");
  const knownHosts = join(folder, "known_hosts");
  writeFileSync(knownHosts, `[127.0.0.1]:${sshd.port} ${sshd.hostKey}\n`);
  const { registeredId: id, registeredPort: port } = await registerKey(mode, `${keyFile}.pub`);
  const options = [`UserKnownHostsFile=${knownHosts}`, "BatchMode=yes", "IdentitiesOnly=yes", "IdentityAgent=none"];
  const args = ["-F", "none", "-i", keyFile, "-p", String(sshd.port), ...options.flatMap((option) => ["-o", option])];
  return { id, port, args, login: `${sshd.user}@127.0.0.1` };
}

peerTest("ssh -R through the system's sshd serves the HTTP proxy", [...NEEDS, "ssh"], async (t) => {
  const mode = await startOpensshMode(t, { server: { "server.holdFor": "200ms" } });
  const web = await startService(t, (socket) => {
    socket.on("data", () => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"));
  });
  const { id, port, args, login } = await plainRegistration(t, mode);
  const line = new RegExp(`^restrict,port-forwarding,.* petit:${id}$`, "m");
  await eventually("its key is let in", () => line.test(readFileSync(mode.sshd.authorizedKeys, "latin1")));
  const ssh = background(t, program("ssh"), ["-v", "-N", "-R", `${port}:127.0.0.1:${web.port}`, ...args, login]);
  await ssh.line((line) => line.includes("remote forward success"));
  await mode.server.daemon.logged((line) => line["id"] === id && line.msg.includes("is connected"));
  const get = () => getOnce(mode.server.proxyPort, `${id}.example.com`);
  for (let requests = 0; requests < 3; requests++) {
    assert.equal(statusOf(await get()), 200);
  }
  assert.equal(web.sockets.size, 1, "requests share a connection");
  await ssh.stop();
  await mode.server.daemon.logged((line) => line["id"] === id && line.msg.includes("disconnected"));
  assert.equal(statusOf(await get()), 503);
});
