import assert from "node:assert/strict";
import { once } from "node:events";
import { join } from "node:path";
import { connect } from "node:net";
import type { TestContext } from "node:test";
import { ClientProcess } from "../world/executable.ts";
import { freePort } from "../world/ports.ts";
import { background, output, run } from "../world/processes.ts";
import { startService } from "../world/world.ts";
import { identity, LOGIN, makeOpensshWorld } from "./openssh.ts";
import { peerTest, program } from "./peer_test.ts";

const PROHIBITED = /open failed: administratively prohibited/;

/** A service that must not be reached, and a world in which ssh logs in with a registered key. */
async function makeForbiddenWorld(t: TestContext) {
  let reached = 0;
  const service = await startService(t, () => reached++);
  const world = await makeOpensshWorld(t, service.port);
  const port = String(world.server.sshPort);
  return {
    ...world,
    service,
    ssh: (...args: string[]) =>
      run(program("ssh"), [...world.identity, "-p", port, ...args], { env: { DISPLAY: ":9" } }),
    reached: () => reached,
  };
}

const ways: [what: string, args: string[], code: number, told: RegExp][] = [
  ["a shell", [LOGIN], 0, /There is no shell here/],
  ["a terminal", ["-tt", LOGIN], 0, /There is no shell here/],
  ["a command", [LOGIN, "true"], 127, /There is no command "true" here, and no shell/],
  ["a command in quotes", [LOGIN, "status;id", "`id`", "$(id)"], 127, /There is no command "status;id" here/],
  ["scp of old", [LOGIN, "scp -f /etc/passwd"], 127, /There is no command "scp" here/],
  ["a subsystem", ["-s", LOGIN, "netconf"], 255, /subsystem request failed/],
  ["X11", ["-X", LOGIN, "true"], 127, /X11 forwarding request failed/],
  ["the agent", ["-A", LOGIN, "true"], 127, /There is no command "true" here/],
];
for (const [what, args, expected, told] of ways) {
  peerTest(`a registered key gets a sentence and nothing else for ${what}`, ["ssh"], async (t) => {
    const { ssh, client } = await makeForbiddenWorld(t);
    const { code, stdout, stderr } = await ssh(...args);
    assert.equal(code, expected, stderr);
    assert.match(`${stdout}${stderr}`, told);
    // Its own state is all that a shell's place is taken by.
    if (expected === 0) assert.match(stdout, new RegExp(`^${client.id} is away`));
    else assert.equal(stdout, "");
  });
}

peerTest("a registered key gets no sftp", ["ssh", "sftp"], async (t) => {
  const { server, identity } = await makeForbiddenWorld(t);
  const { code, stderr } = await run(program("sftp"), [...identity, "-P", String(server.sshPort), LOGIN]);
  assert.equal(code, 255);
  assert.match(stderr, /subsystem request failed/);
});

peerTest("ssh -W reaches nothing that the server could reach", ["ssh"], async (t) => {
  const { ssh, service, server, reached } = await makeForbiddenWorld(t);
  const targets = [
    `127.0.0.1:${service.port}`,
    `localhost:${service.port}`,
    `[::1]:${service.port}`,
    `127.0.0.1:${server.proxyPort}`,
    // The backchannel goes by one name.
    "127.0.0.1:3014",
  ];
  for (const target of targets) {
    const { code, stderr } = await ssh("-W", target, LOGIN);
    assert.equal(code, 255, target);
    assert.match(stderr, PROHIBITED, target);
  }
  assert.equal(reached(), 0);
});

peerTest(
  "ssh -L reaches nothing that the server could reach, TCP or a socket of the file system",
  ["ssh"],
  async (t) => {
    const { server, identity, service, reached } = await makeForbiddenWorld(t);
    for (const target of [`127.0.0.1:${service.port}`, join(server.folder, "socket")]) {
      const local = await freePort();
      const args = ["-v", "-N", "-o", "ExitOnForwardFailure=yes", "-L", `127.0.0.1:${local}:${target}`, LOGIN];
      const ssh = background(t, program("ssh"), [...identity, "-p", String(server.sshPort), ...args]);
      await ssh.line((line) => line.includes("Entering interactive session"));
      const socket = connect(local, "127.0.0.1");
      t.after(() => socket.destroy());
      await ssh.line((line) => PROHIBITED.test(line));
    }
    assert.equal(reached(), 0);
  },
);

peerTest("ssh -R for another registration's port is refused, and that port stays closed", ["ssh", "nc"], async (t) => {
  const { ssh, server, service } = await makeForbiddenWorld(t);
  const other = await new ClientProcess(t).register(await server.joinCode(), service.port);
  const unowned = await freePort();
  for (const port of [other.port, unowned]) {
    const { code, stderr } = await ssh("-N", "-o", "ExitOnForwardFailure=yes", "-R", `${port}:127.0.0.1:9`, LOGIN);
    assert.equal(code, 255);
    assert.match(stderr, /remote port forwarding failed/);
    const { code: closed } = await run(program("nc"), ["-z", "127.0.0.1", String(port)]);
    assert.equal(closed, 1, `something listens on ${port}`);
  }
});

peerTest("whatever else ssh asks for on the way, its tunnel stays up", ["ssh"], async (t) => {
  const { server, client, identity, service } = await makeForbiddenWorld(t);
  let reached = 0;
  // Not the one that the tunnel leads to, which is probed.
  const other = await startService(t, () => reached++);
  const local = await freePort();
  const asked = ["-A", "-X", "-D", `127.0.0.1:${local}`, "-R", `${client.port}:127.0.0.1:${service.port}`];
  const ports = [22, 80, 1023, 2222].flatMap((port) => ["-R", `${port}:127.0.0.1:${service.port}`]);
  const args = ["-v", "-N", ...asked, ...ports, "-p", String(server.sshPort), LOGIN];
  const ssh = background(t, program("ssh"), [...identity, ...args], { env: { DISPLAY: ":9" } });
  const refused = () => ssh.lines.filter((line) => line.includes("remote port forwarding failed for listen port"));
  await ssh.line(() => refused().length === 4);
  // SOCKS 5 (RFC 1928): no authentication, then a connection to the service.
  const socket = connect(local, "127.0.0.1");
  t.after(() => socket.destroy());
  const to = Buffer.from([5, 1, 0, 1, 127, 0, 0, 1, other.port >> 8, other.port & 255]);
  socket.write(Buffer.concat([Buffer.from([5, 1, 0]), to]));
  await ssh.line((line) => PROHIBITED.test(line));
  assert.equal(reached, 0);
  const caller = connect(client.port, "127.0.0.1");
  t.after(() => caller.destroy());
  await once(service.server, "connection");
});

peerTest("ssh -R for a socket of the file system is refused", ["ssh"], async (t) => {
  const { ssh, client } = await makeForbiddenWorld(t);
  const forward = `${join(client.folder, "socket")}:127.0.0.1:9`;
  const { code, stderr } = await ssh("-v", "-N", "-o", "ExitOnForwardFailure=yes", "-R", forward, LOGIN);
  assert.equal(code, 255);
  assert.match(stderr, /remote port forwarding failed/);
  assert.match(stderr, /This server forwards TCP ports only, and no sockets of a file system/);
});

peerTest("a key that is not registered is refused under every user name", ["ssh", "ssh-keygen"], async (t) => {
  const { server, client } = await makeForbiddenWorld(t);
  const stranger = join(client.folder, "stranger");
  await output(program("ssh-keygen"), ["-q", "-t", "ed25519", "-N", "", "-f", stranger]);
  for (const user of ["petit", "root", "join", client.id]) {
    const args = [...identity(client, stranger), "-p", String(server.sshPort), "-N", `${user}@127.0.0.1`];
    const { code, stderr } = await run(program("ssh"), args);
    assert.equal(code, 255, user);
    assert.match(stderr, /Permission denied/, user);
  }
});

peerTest("ssh-keyscan finds one host key, the pinned one", ["ssh-keyscan"], async (t) => {
  const { server, client } = await makeForbiddenWorld(t);
  const args = ["-p", String(server.sshPort), "-t", "rsa,dsa,ecdsa,ed25519", "127.0.0.1"];
  const found = (await output(program("ssh-keyscan"), args)).trim().split("\n");
  assert.equal(found.length, 1);
  assert.match(found[0] as string, /^\S+ ssh-ed25519 \S+$/);
  assert.equal(found[0], (await output("cat", [join(client.folder, "known_hosts")])).trim());
});
