import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { generateKey } from "../../src/tunnel/keys.ts";
import { ClientProcess } from "../world/executable.ts";
import { freePort } from "../world/ports.ts";
import { background, output } from "../world/processes.ts";
import { getOnce, RawCaller, statusOf } from "../world/raw_http.ts";
import { startService } from "../world/world.ts";
import { makeOpensshWorld, type OpensshWorld } from "./openssh.ts";
import { findProgram, type Need, peerTest } from "./peer_test.ts";

const SCRIPT = fileURLToPath(new URL("paramiko_client.py", import.meta.url));

/** Debian's Python is the one that has Debian's paramiko. */
const python = ["/usr/bin/python3", findProgram("python3")].find((file) =>
  file !== undefined && spawnSync(file, ["-c", "import paramiko"]).status === 0
);
const PARAMIKO: Need = { name: "Python with paramiko", met: () => python !== undefined };

function argumentsFor(mode: string, { server, client }: OpensshWorld, forward: number, service: number): string[] {
  const knownHosts = join(client.folder, "known_hosts");
  // Paramiko 2.12 warns about ciphers of its own at every start.
  const quiet = ["-W", "ignore"];
  return [...quiet, SCRIPT, mode, ...[server.sshPort, client.keyFile, knownHosts, forward, service].map(String)];
}

for (const asked of ["its own port", "any port", "its own port, changes keys every megabyte"]) {
  peerTest(`paramiko asks for ${asked} and serves the HTTP proxy and the reverse port`, [PARAMIKO], async (t) => {
    const service = await startService(t, (socket) => {
      const received: Buffer[] = [];
      socket.on("data", (bytes: Buffer) => received.push(bytes));
      socket.on("end", () => socket.end(Buffer.concat(received)));
      socket.once("data", (bytes: Buffer) => {
        if (!bytes.toString("latin1").startsWith("GET ")) return;
        socket.end("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
      });
    });
    const world = await makeOpensshWorld(t, service.port, {
      "server.ssh.rekeyLimit": asked.endsWith("megabyte") ? "1MiB" : "1GiB",
    });
    const { client, server, host } = world;
    const args = argumentsFor("serve", world, asked === "any port" ? 0 : client.port, service.port);
    const peer = background(t, python as string, args);
    assert.equal(await peer.line((line) => line.startsWith("ready")), `ready ${client.port}`);
    const answer = await getOnce(server.proxyPort, host);
    assert.equal(statusOf(answer), 200);
    assert.ok(answer.endsWith("hello"));
    const bytes = randomBytes(2 * 1024 ** 2);
    const caller = new RawCaller(client.port);
    caller.socket.end(bytes);
    assert.ok(Buffer.from(await caller.all(), "latin1").equals(bytes), "the bytes came back changed");
  });
}

peerTest("paramiko gets no channel, no port and no request that a client has no use for", [PARAMIKO], async (t) => {
  let reached = 0;
  const service = await startService(t, () => reached++);
  const world = await makeOpensshWorld(t, service.port);
  const other = await new ClientProcess(t).register(await world.server.joinCode(), service.port);
  for (const port of [other.port, await freePort()]) {
    const outcomes = JSON.parse(await output(python as string, argumentsFor("probe", world, port, service.port)));
    assert.deepEqual(outcomes, {
      // RFC 4254, section 5.1: 1 is "administratively prohibited", 3 "unknown channel type".
      "session": "allowed",
      "x11": "refused 3",
      "agent": "refused 3",
      "direct-tcpip": "refused 1",
      "forwarded-tcpip": "refused 3",
      "nonsense": "refused 3",
      "tun": "refused 3",
      "privileged port": "refused",
      "socket": "refused",
      "foreign port": "refused",
      "global request": "refused",
      "still connected": true,
    });
  }
  assert.equal(reached, 0);
});

peerTest("paramiko registers with a join code, and asks for the status", [PARAMIKO], async (t) => {
  const service = await startService(t, (socket) => socket.end());
  const world = await makeOpensshWorld(t, service.port);
  const { server, client } = world;
  const key = generateKey("");
  writeFileSync(client.keyFile, key.privatePem);
  const args = argumentsFor("register", world, 0, 0);
  const env = { JOIN_CODE: await server.joinCode(), PUBLIC_KEY: key.publicKey.line };
  const { registered, status } = JSON.parse(await output(python as string, args, { env }));
  assert.equal(registered.code, 0, registered.err);
  const { registeredId, fingerprint } = JSON.parse(registered.out);
  assert.equal(fingerprint, key.publicKey.fingerprint);
  assert.equal(status.code, 0, status.err);
  assert.match(status.out, new RegExp(`^Registration +${registeredId}\nState +away\n`));
});
