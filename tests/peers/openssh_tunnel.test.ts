import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { ClientProcess, ServerProcess } from "../world/executable.ts";
import { type Background, output } from "../world/processes.ts";
import { getOnce, RawCaller, statusOf } from "../world/raw_http.ts";
import { startService } from "../world/world.ts";
import { identity, makeOpensshWorld, startSshTunnel } from "./openssh.ts";
import { peerTest, program } from "./peer_test.ts";

const MEBIBYTE = 1024 ** 2;

/** Answers a request of HTTP. */
function startHttpService(t: TestContext) {
  return startService(t, (socket) => {
    socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"));
  });
}

/** Answers with the hash of everything received, and then with the bytes themselves. */
function startMirror(t: TestContext) {
  return startService(t, (socket) => {
    const received: Buffer[] = [];
    socket.on("data", (bytes: Buffer) => received.push(bytes));
    socket.on("end", () => {
      const all = Buffer.concat(received);
      socket.write(createHash("sha256").update(all).digest("hex"));
      socket.end(all);
    });
  });
}

async function assertMirrored(port: number, size: number): Promise<void> {
  const bytes = randomBytes(size);
  const caller = new RawCaller(port);
  caller.socket.end(bytes);
  const answer = Buffer.from(await caller.all(), "latin1");
  assert.equal(answer.toString("latin1", 0, 64), createHash("sha256").update(bytes).digest("hex"));
  assert.ok(answer.subarray(64).equals(bytes), "the bytes came back changed");
}

peerTest("ssh -R with a registered key serves the HTTP proxy and the reverse port", ["ssh"], async (t) => {
  const web = await startHttpService(t);
  const world = await makeOpensshWorld(t, web.port);
  const ssh = await startSshTunnel(t, world, web.port);
  const answer = await getOnce(world.server.proxyPort, world.host);
  assert.equal(statusOf(answer), 200);
  assert.ok(answer.endsWith("\r\n\r\nhello"));
  assert.equal(statusOf(await getOnce(world.client.port, world.host)), 200);
  // Without the tunnel there is no way to the service.
  await ssh.stop();
  await world.server.daemon.logged((line) => (line["ids"] as string[] | undefined)?.includes(world.client.id) === true);
  assert.equal(statusOf(await getOnce(world.server.proxyPort, world.host)), 503);
});

peerTest("OpenSSH is told which signatures the server takes, and logs in with an RSA key by SHA-2", [
  "ssh",
  "ssh-keygen",
], async (t) => {
  const web = await startHttpService(t);
  const server = await (await ServerProcess.init(t)).start();
  const client = new ClientProcess(t);
  const keyFile = join(client.folder, "key");
  await output(program("ssh-keygen"), ["-q", "-t", "rsa", "-b", "2048", "-m", "PEM", "-N", "", "-f", keyFile]);
  await client.register(await server.joinCode(), web.port);
  const world = { server, client, identity: identity(client, keyFile), host: `${client.id}.example.com` };
  const ssh = await startSshTunnel(t, world, web.port);
  assert.equal(count(ssh, "server-sig-algs=<ssh-ed25519,rsa-sha2-512,rsa-sha2-256>"), 1);
  assert.equal(statusOf(await getOnce(server.proxyPort, world.host)), 200);
});

peerTest("a half-closed connection gets its whole answer through OpenSSH", ["ssh"], async (t) => {
  const mirror = await startMirror(t);
  const world = await makeOpensshWorld(t, mirror.port);
  await startSshTunnel(t, world, mirror.port);
  await assertMirrored(world.client.port, 8 * MEBIBYTE);
});

peerTest("nothing is lost while OpenSSH changes keys every megabyte", ["ssh"], async (t) => {
  const mirror = await startMirror(t);
  const world = await makeOpensshWorld(t, mirror.port);
  const ssh = await startSshTunnel(t, world, mirror.port, ["-o", "RekeyLimit=1M"]);
  await assertMirrored(world.client.port, 16 * MEBIBYTE);
  const exchanges = count(ssh, "SSH2_MSG_KEXINIT received");
  assert.ok(exchanges > 5, `${exchanges} key exchanges`);
});

for (
  const [who, theirs, ours] of [["the server begins", "default", "1MiB"], ["both begin", "1M", "1MiB"]] as const
) {
  peerTest(
    `nothing is lost while ${who} to change keys every megabyte, OpenSSH being the client`,
    ["ssh"],
    async (t) => {
      const mirror = await startMirror(t);
      const world = await makeOpensshWorld(t, mirror.port, { "server.ssh.rekeyLimit": ours });
      const ssh = await startSshTunnel(t, world, mirror.port, ["-o", `RekeyLimit=${theirs}`]);
      await assertMirrored(world.client.port, 16 * MEBIBYTE);
      const exchanges = count(ssh, "SSH2_MSG_KEXINIT received");
      assert.ok(exchanges > 5, `${exchanges} key exchanges`);
    },
  );
}

peerTest(
  "an idle OpenSSH and the server change keys when those are old, and the tunnel goes on",
  ["ssh"],
  async (t) => {
    const web = await startHttpService(t);
    const world = await makeOpensshWorld(t, web.port, { "server.ssh.rekeyInterval": "1s" });
    const ssh = await startSshTunnel(t, world, web.port);
    await ssh.line(() => count(ssh, "SSH2_MSG_NEWKEYS received") >= 4);
    assert.equal(statusOf(await getOnce(world.server.proxyPort, world.host)), 200);
  },
);

peerTest("the server keeps a silent OpenSSH that answers its questions for a sign of life", ["ssh"], async (t) => {
  const web = await startHttpService(t);
  const settings = { "server.ssh.clientAliveInterval": "1s", "server.ssh.clientAliveCountMax": 1 };
  const world = await makeOpensshWorld(t, web.port, settings);
  const ssh = await startSshTunnel(t, world, web.port);
  await ssh.line(() => count(ssh, "rtype keepalive@openssh.com") >= 3);
  assert.equal(statusOf(await getOnce(world.server.proxyPort, world.host)), 200);
});

peerTest("OpenSSH keeps a silent server that answers its questions for a sign of life", ["ssh"], async (t) => {
  const web = await startHttpService(t);
  const world = await makeOpensshWorld(t, web.port, { "server.ssh.clientAliveInterval": "1h" });
  const alive = ["-o", "ServerAliveInterval=1", "-o", "ServerAliveCountMax=1", "-vvv"];
  const ssh = await startSshTunnel(t, world, web.port, alive);
  // Any answer will do; 82 is SSH_MSG_REQUEST_FAILURE (RFC 4254, section 4).
  await ssh.line(() => count(ssh, "receive packet: type 82") >= 3);
  assert.equal(statusOf(await getOnce(world.server.proxyPort, world.host)), 200);
});

function count(ssh: Background, text: string): number {
  return ssh.lines.filter((line) => line.includes(text)).length;
}
